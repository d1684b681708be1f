"""The main job at a CA that other people wrote: what holds at Pebble must not hold for Pebble only."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.acme2certifier import Acme2certifier
from bed.world import World
from builders.page import Page, assert_clean_dns, openssl

pytestmark = [pytest.mark.real, pytest.mark.long]

MakePage = Callable[..., Page]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="module")
def ca(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme2certifier]:
    holes = {"_acme-challenge.hidden.example.org"}
    with Acme2certifier(tmp_path_factory.mktemp("second"), dns_server=world.primary.dns, holes=holes) as made:
        yield made


@pytest.fixture
def make_page(tmp_path: Path, world: World, ca: Acme2certifier) -> MakePage:
    def make(*lines: str, **settings: str) -> Page:
        usual = {"CA": ca.directory_url, "CA_BUNDLE": str(ca.ca_bundle), "CONTACT_EMAIL": "admin@example.org"}
        return Page(tmp_path / "page", world, *lines, **{**usual, **settings})

    return make


def run(page: Page, *arguments: str) -> None:
    done = page.run(*arguments)
    assert (done.code, done.err) == (0, ""), done.text
    assert_clean_dns(page.world, page.world.zone)


def names(page: Page, alias: str, ca: Acme2certifier) -> set[str]:
    """What the live certificate names, verified under the CA's root."""
    place = page.place(alias)
    openssl("verify", "-CAfile", ca.root, "-untrusted", place / "fullchain.pem", place / "cert.pem")
    assert key(page, alias) == openssl("x509", "-in", place / "cert.pem", "-noout", "-pubkey")
    said = openssl("x509", "-in", place / "cert.pem", "-noout", "-ext", "subjectAltName")
    return {word.removeprefix("DNS:") for word in said.replace(",", " ").split() if word.startswith("DNS:")}


def key(page: Page, alias: str) -> str:
    return openssl("pkey", "-in", page.place(alias) / "privkey.pem", "-pubout")


def test_a_name_with_its_wildcard_and_others_are_issued(make_page: MakePage, ca: Acme2certifier) -> None:
    page = make_page("example.org *.example.org", "www.example.org mail.example.org > www")
    run(page)
    assert names(page, "example.org", ca) == {"example.org", "*.example.org"}
    assert names(page, "www", ca) == {"www.example.org", "mail.example.org"}
    assert "nothing due" in page.run().out


def test_a_renewal_makes_a_new_key_and_keeps_the_account(make_page: MakePage, ca: Acme2certifier) -> None:
    page = make_page("renewed.example.org")
    run(page)
    before, accounts = key(page, "renewed.example.org"), ca.asked("POST /acme/newaccount")
    run(page, "--force")
    assert names(page, "renewed.example.org", ca) == {"renewed.example.org"}
    assert key(page, "renewed.example.org") != before
    assert len(page.stamps("renewed.example.org")) == 2
    assert ca.asked("POST /acme/newaccount") == accounts


def test_a_key_may_be_used_again(make_page: MakePage, ca: Acme2certifier) -> None:
    page = make_page("kept.example.org", PRIVATE_KEY_RENEW="no")
    run(page)
    before = key(page, "kept.example.org")
    run(page, "--force")
    assert names(page, "kept.example.org", ca) == {"kept.example.org"}
    assert key(page, "kept.example.org") == before


@pytest.mark.parametrize(("account", "kind"), [("rsa", "rsa"), ("secp384r1", "secp384r1"), ("rsa", "prime256v1")])
def test_kinds_of_keys(make_page: MakePage, ca: Acme2certifier, account: str, kind: str) -> None:
    name = f"{account}-{kind}.example.org"
    page = make_page(name, ACCOUNT_KEY_ALGO=account, KEY_ALGO=kind, KEYSIZE="2048")
    run(page)
    assert names(page, name, ca) == {name}


def test_an_account_is_found_by_its_key(make_page: MakePage, ca: Acme2certifier) -> None:
    page = make_page("found.example.org")
    run(page)
    (registration,) = page.folder.glob("accounts/*/registration_info.json")
    (identity,) = page.folder.glob("accounts/*/account_id.json")
    registration.unlink()
    identity.unlink()
    run(page, "--force")
    assert names(page, "found.example.org", ca) == {"found.example.org"}


def test_a_name_that_the_ca_does_not_see_is_named(make_page: MakePage) -> None:
    page = make_page("seen.example.org", "good.example.org hidden.example.org > half")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith("half: ")
    assert "hidden.example.org" in error
    assert page.live() == {"seen.example.org"}
    assert_clean_dns(page.world, page.world.zone)


def test_a_ca_that_wants_an_address_to_write_to_says_so(make_page: MakePage) -> None:
    page = make_page("anonymous.example.org", CONTACT_EMAIL="")
    done = page.run()
    assert done.code == 1
    assert "Contact information is missing" in "".join(done.errors)
    assert list(page.folder.glob("accounts/*/*")) == []


def test_a_certificate_is_revoked_and_the_next_run_replaces_it(make_page: MakePage, ca: Acme2certifier) -> None:
    name = "revoked.example.org"
    page = make_page(name)
    run(page)
    before = key(page, name)
    done = page.revoke(name, "--reason", "superseded", "--yes")
    assert (done.code, done.err) == (0, ""), done.text
    run(page)
    assert names(page, name, ca) == {name}
    assert key(page, name) != before
