"""dns-persist-01, with the examples of draft-ietf-acme-dns-persist."""

import pytest

from certkeeper.acme.persist import (
    Ability,
    MalformedStanding,
    Standing,
    issuer_names,
    judge_standing,
    ours_of,
    parse_standing,
    persist_owner,
    usable_issuers,
    values_of,
)
from certkeeper.base.names import DnsName

CA, ACCOUNT, NOW = "authority.example", "https://ca.example/acct/123", 1_700_000_000
OURS = f"{CA}; accounturi={ACCOUNT}"


def test_a_name_and_its_wildcard_share_one_owner() -> None:
    assert persist_owner(DnsName("example.com")) == DnsName("_validation-persist.example.com")


@pytest.mark.parametrize(
    ("value", "standing"),
    [
        (f"{CA}; accounturi={ACCOUNT}", Standing(CA, ACCOUNT)),
        (f"{CA};accounturi={ACCOUNT};policy=wildcard", Standing(CA, ACCOUNT, wildcard=True)),
        (f"{CA}; accounturi={ACCOUNT}; persistUntil=1721952000", Standing(CA, ACCOUNT, until=1_721_952_000)),
        (f"  {CA}\t; ACCOUNTURI = {ACCOUNT} ; Policy=WildCard", Standing(CA, ACCOUNT, wildcard=True)),
        (f"Authority.Example; accounturi={ACCOUNT}", Standing(CA, ACCOUNT)),
        (f"{CA}; accounturi={ACCOUNT}; policy=subdomains", Standing(CA, ACCOUNT)),
        (f"{CA}; accounturi={ACCOUNT}; policy=", Standing(CA, ACCOUNT)),
        (f"{CA}; x=1; x=2; accounturi={ACCOUNT}; y=", Standing(CA, ACCOUNT)),
        (f"{CA}; accounturi={ACCOUNT}; persistUntil=-1", Standing(CA, ACCOUNT, until=-1)),
        (f"{CA}; accounturi={ACCOUNT}?a=b", Standing(CA, f"{ACCOUNT}?a=b")),
    ],
)
def test_values_that_count(value: str, standing: Standing) -> None:
    assert parse_standing(value) == standing


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "names no CA"),
        (f"; accounturi={ACCOUNT}", "names no CA"),
        (f"authority..example; accounturi={ACCOUNT}", "names no CA"),
        (CA, "names no account"),
        (f"{CA}; accounturi=", "names no account"),
        (f"{CA}; accounturi={ACCOUNT};", "ends with a semicolon"),
        (f"{CA}; accounturi={ACCOUNT}; wildcard", "tag=value"),
        (f"{CA}; accounturi={ACCOUNT}; =1", "tag=value"),
        (f"{CA}; accounturi={ACCOUNT}; policy=wild card", "tag=value"),
        (f"{CA}; accounturi={ACCOUNT}; AccountURI=https://ca.example/acct/456", "twice"),
        (f"{CA}; accounturi={ACCOUNT}; persistUntil=soon", "no count of seconds"),
        (f"{CA}; accounturi={ACCOUNT}; persistUntil=", "no count of seconds"),
        (f"{CA}; accounturi={ACCOUNT}; persistUntil=1.5", "no count of seconds"),
        ("v=spf1 -all", "names no CA"),
    ],
)
def test_values_that_do_not(value: str, why: str) -> None:
    with pytest.raises(MalformedStanding, match=why):
        parse_standing(value)


@pytest.mark.parametrize(
    ("names", "usable"),
    [
        ([CA], (CA,)),
        ([f"ca{number}.example" for number in range(10)], tuple(f"ca{number}.example" for number in range(10))),
        ([f"ca{number}.example" for number in range(11)], ()),
        ([], ()),
        ([CA, "Two.example"], ()),
        ([CA, "two.example."], ()),
        (["two words.example"], ()),
        (["bücher.example"], ()),
        (["xn--bcher-kva.example"], ("xn--bcher-kva.example",)),
    ],
)
def test_a_list_of_issuers_counts_as_a_whole_or_not_at_all(names: list[str], usable: tuple[str, ...]) -> None:
    assert usable_issuers(names) == usable


@pytest.mark.parametrize(
    ("values", "wildcard", "ability"),
    [
        ([], False, Ability.MISSING),
        ([OURS], False, Ability.ALLOWS),
        ([OURS], True, Ability.NO_WILDCARD),
        ([f"{OURS}; policy=wildcard"], True, Ability.ALLOWS),
        ([f"{OURS}; policy=wildcard"], False, Ability.ALLOWS),
        ([f"{OURS}; persistUntil={NOW}"], False, Ability.ALLOWS),
        ([f"{OURS}; persistUntil={NOW - 1}"], False, Ability.EXPIRED),
        ([f"{OURS}; persistUntil={NOW - 1}", OURS], False, Ability.ALLOWS),
        ([f"{OURS}; policy=wildcard; persistUntil={NOW - 1}", OURS], True, Ability.EXPIRED),
        ([f"other.example; accounturi={ACCOUNT}"], False, Ability.MISSING),
        ([f"{CA}; accounturi={ACCOUNT}4"], False, Ability.MISSING),
        ([f"{CA}; accounturi={ACCOUNT.upper()}"], False, Ability.MISSING),
        ([f"{OURS};", "v=spf1 -all"], False, Ability.MISSING),
    ],
)
def test_what_records_allow(values: list[str], wildcard: bool, ability: Ability) -> None:  # noqa: FBT001 - a case
    verdict = judge_standing(values, issuers=[CA], account=ACCOUNT, wildcard=wildcard, at=NOW)
    assert verdict.ability is ability


def test_the_record_that_stands_longest_decides() -> None:
    values = [f"{OURS}; persistUntil={NOW + 5}", f"{OURS}; persistUntil={NOW + 9}"]
    verdict = judge_standing(values, issuers=[CA], account=ACCOUNT, wildcard=False, at=NOW)
    assert verdict.standing == Standing(CA, ACCOUNT, until=NOW + 9)
    verdict = judge_standing([*values, OURS], issuers=[CA], account=ACCOUNT, wildcard=False, at=NOW)
    assert verdict.standing == Standing(CA, ACCOUNT)


def test_only_the_account_s_own_values_may_be_taken_away_and_as_they_stand() -> None:
    oddly = f"other.example ;ACCOUNTURI={ACCOUNT}"
    values = [OURS, oddly, f"{CA}; accounturi={ACCOUNT}4", f"{OURS};", "v=spf1 -all"]
    assert values_of(values, ACCOUNT) == (OURS, oddly)
    assert ours_of(values, issuers=[CA], account=ACCOUNT) == (Standing(CA, ACCOUNT),)


def test_a_ca_s_names_count_as_far_as_records_may_say_them() -> None:
    assert issuer_names(["CA.test", "ca.test", "no name", "b.test"]) == ("ca.test", "b.test")
