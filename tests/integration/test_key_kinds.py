"""KEY_ALGO and ACCOUNT_KEY_ALGO at a real CA: what it takes is issued, what it refuses is one clear error."""

from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page, openssl

pytestmark = pytest.mark.real


@pytest.fixture
def page(tmp_path: Path, shared_world: World, zone: str) -> Page:
    return Page(tmp_path, shared_world, zone)


@pytest.mark.row("C13")
@pytest.mark.parametrize("kind", ["prime256v1", "secp384r1", "secp521r1", "rsa"])
def test_a_kind_that_the_ca_takes_for_accounts_and_certificates(page: Page, kind: str) -> None:
    page.configure(ACCOUNT_KEY_ALGO=kind, KEY_ALGO=kind, KEYSIZE="2048")
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    zone = page.domains.read_text().strip()
    assert page.verified_names(zone) == {zone}
    told = {"prime256v1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "rsa": "2048 bit"}
    assert told[kind] in openssl("x509", "-in", page.place(zone) / "cert.pem", "-noout", "-text")


def test_an_account_key_that_the_ca_refuses_leaves_no_account(page: Page) -> None:
    page.configure(ACCOUNT_KEY_ALGO="ed25519")
    done = page.run()
    assert done.code == 1
    assert "badSignatureAlgorithm" in done.only_error()
    assert "ACCOUNT_KEY_ALGO" in done.hints[0]
    assert list(page.folder.glob("accounts/*/*")) == []
    page.configure(ACCOUNT_KEY_ALGO="prime256v1")
    assert page.run().code == 0


def test_a_key_that_the_ca_refuses_is_one_error_and_nothing_goes_live(page: Page) -> None:
    page.configure(KEY_ALGO="ed25519")
    done = page.run()
    assert done.code == 1
    assert "badCSR" in done.only_error()
    assert "KEY_ALGO" in done.hints[0]
    assert page.live() == set()
    page.configure(KEY_ALGO="prime256v1")
    assert page.run().code == 0
