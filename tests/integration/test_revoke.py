"""`certkeeper revoke` at a real CA: what it says of the certificate afterwards, and what the next run does."""

import json
from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page
from certkeeper.adapters.keys import load_own
from certkeeper.lineage.leaf import parse_leaf

pytestmark = pytest.mark.real


@pytest.fixture
def page(tmp_path: Path, shared_world: World, zone: str) -> Page:
    return Page(tmp_path, shared_world, zone)


def issue(page: Page) -> None:
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text


def alias(page: Page) -> str:
    return page.domains.read_text().strip()


def status(page: Page, certificate: bytes) -> tuple[str, int | None]:
    """What the CA says of it."""
    serial = parse_leaf(certificate).serial
    text = page.world.pebble.fetch(f"{page.world.pebble.management_url}/cert-status-by-serial/{serial}")
    document = json.loads(text)
    return document["Status"], document.get("Reason")


def live(page: Page) -> bytes:
    return (page.place(alias(page)) / "cert.pem").read_bytes()


def key_id(page: Page) -> str:
    return load_own(str(page.place(alias(page)) / "privkey.pem")).key_id


def test_a_revoked_certificate_is_served_until_the_next_run_replaces_it(page: Page) -> None:
    issue(page)
    before, name = live(page), alias(page)
    assert page.revoke(name, "--reason", "7", "--yes").code == 2
    asked = page.revoke(name)
    assert (asked.code, name in asked.out, "--yes" in asked.err) == (1, True, True)
    assert status(page, before)[0] == "Valid"
    done = page.revoke(name, "--reason", "superseded", "--yes")
    assert (done.code, done.err) == (0, ""), done.text
    assert status(page, before) == ("Revoked", 4)
    assert live(page) == before
    assert "issue (revoked: it was revoked)" in page.plan().out
    assert "revoked before" in page.revoke(name, "--yes").out
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert live(page) != before
    assert page.verified_names(name) == {name}
    assert "nothing due" in page.run().out
    # An older version by its file; nobody is due for it.
    (old,) = [path for path in page.place(name).glob("cert-*.pem") if path.read_bytes() == before]
    again = page.revoke(old, "--yes")
    assert (again.code, "no certificate of the page" in again.out) == (0, True)
    assert "nothing due" in page.run().out


@pytest.mark.long
def test_a_compromised_key_asks_for_itself_and_is_never_used_again(page: Page) -> None:
    issue(page)
    page.configure(PRIVATE_KEY_RENEW="no")
    before, key, name = live(page), key_id(page), alias(page)
    assert page.run("--force").code == 0
    assert key_id(page) == key
    done = page.revoke(name, "--reason", "keyCompromise", "--yes")
    assert (done.code, done.err) == (0, ""), done.text
    assert "by its own key" in done.out
    assert status(page, live(page)) == ("Revoked", 1)
    # What is said later, of what the CA knows to be revoked, takes nothing back.
    assert "revoked before" in page.revoke(name, "--reason", "superseded", "--yes").out
    assert "revoked before" in page.revoke(name, "--yes").out
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert key_id(page) != key
    assert page.verified_names(name) == {name}
    # The one before has the same key; its file and its key are where they were.
    (old,) = [path for path in page.place(name).glob("cert-*.pem") if path.read_bytes() == before]
    assert page.revoke(old, "--by-certificate-key", "--yes").code == 0
    assert status(page, before)[0] == "Revoked"
    assert "nothing due" in page.run().out


@pytest.mark.long
def test_what_the_ca_refuses_changes_nothing(page: Page, tmp_path: Path) -> None:
    other = Page(tmp_path / "other", page.world, page.world.new_zone().removesuffix("."))
    issue(other)
    page.account("register", "--accept-terms")
    before = live(other)
    file = other.place(alias(other)) / "cert.pem"
    refused = page.revoke(file, "--yes")
    assert refused.code == 1
    assert "--by-certificate-key" in (refused.only_error() and refused.hints[0])
    assert status(page, before)[0] == "Valid"
    assert not list(page.folder.rglob(".revoked"))
    assert "nothing due" in other.run().out
    by_key = page.revoke(file, "--yes", "--by-certificate-key")
    assert (by_key.code, by_key.err) == (0, ""), by_key.text
    assert status(page, before)[0] == "Revoked"


def test_what_is_no_certificate_is_named(page: Page) -> None:
    for what in ("nowhere.example", page.domains, page.folder / "missing.pem"):
        done = page.revoke(what, "--yes")
        assert done.code in {1, 2}
        assert done.errors, done.text
        assert "Traceback" not in done.text
