from collections.abc import Mapping

import pytest

from certkeeper.base.accounts import account_folder
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import ExternalAccount, Secret
from unit.config.pages import CONFIG, DOMAINS, POWERDNS, Page

ACCOUNT = f"/etc/dehydrated/accounts/{account_folder('https://ca.test/directory')}/config"
PAIR = "EAB_KID=kid-1\nEAB_HMAC_KEY=YWJj\n"
HIS = {"EAB_KID": "kid-2", "EAB_HMAC_KEY": "ZGVm"}


def external(text: str, environment: Mapping[str, str] | None = None, account: str = "") -> ExternalAccount | None:
    files = {CONFIG: f"CA=https://ca.test/directory\n{POWERDNS}{text}", DOMAINS: "example.org\n"}
    if account:
        files[ACCOUNT] = account
    return Page(files).load(environment=environment).settings.external_account


FIRST, SECOND = ExternalAccount("kid-1", Secret("YWJj")), ExternalAccount("kid-2", Secret("ZGVm"))


def test_a_pair_comes_from_the_page_an_accounts_own_file_or_the_environment() -> None:
    assert external("") is None
    assert external(PAIR) == FIRST
    assert external("", account=PAIR) == FIRST
    assert external("EAB_KID=x\nEAB_HMAC_KEY=eA\n", account=PAIR) == FIRST
    assert external("", HIS) == SECOND


def test_a_file_counts_before_the_environment_even_where_it_says_nothing() -> None:
    assert external(PAIR, HIS) == FIRST
    assert external("EAB_KID=\nEAB_HMAC_KEY=\n", HIS) is None
    assert external("EAB_KID=kid-1\n", {"EAB_HMAC_KEY": "YWJj"}) == FIRST


def test_the_key_is_never_shown() -> None:
    found = external(PAIR)
    assert "YWJj" not in f"{found!r} {found}"


@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        ("EAB_KID=kid-1\n", {}, "EAB_KID: set, and EAB_HMAC_KEY is not"),
        ("EAB_HMAC_KEY=YWJj\n", {}, "EAB_HMAC_KEY: set, and EAB_KID is not"),
        ("EAB_KID=k\nEAB_HMAC_KEY='not a key!'\n", {}, "EAB_HMAC_KEY: is not base64url"),
        ("EAB_KID=k\nEAB_HMAC_KEY='a+b/'\n", {}, "EAB_HMAC_KEY: is base64, not base64url"),
        ("EAB_KID=$'a\\033b'\nEAB_HMAC_KEY=YWJj\n", {}, "EAB_KID: 'a b' holds control characters"),
        ("", {"EAB_KID": "k", "EAB_HMAC_KEY": "not a key!"}, "EAB_HMAC_KEY: of the environment: is not base64url"),
        ("", {"EAB_KID": "kid-1"}, "EAB_KID: of the environment: set, and EAB_HMAC_KEY is not"),
    ],
)
def test_half_a_pair_and_what_is_no_key_are_errors(text: str, environment: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=CONFIG) as caught:
        external(text, environment)
    assert said in str(caught.value)
    assert caught.value.hint
    assert "not a key!" not in f"{caught.value} {caught.value.hint}"


def test_an_error_names_its_line() -> None:
    with pytest.raises(ConfigError, match=f"{CONFIG}:6: EAB_HMAC_KEY"):
        external("EAB_KID=kid-1\nEAB_HMAC_KEY=?\n")
