"""Pebble with its hostile settings, one by one and together: names and their wildcards are issued and renewed."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from bed.pebble import NINETY_DAYS, Options, Pebble
from bed.world import World
from builders.page import Done, Page, assert_clean_dns, openssl
from builders.quick import run_quickly

pytestmark = pytest.mark.real

HMAC_KEY = base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
LINES = ("example.org *.example.org", "www.example.org mail.example.org > www")
ALIASES = {"example.org", "www"}
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), secondaries=0, dnssec=False) as made:
        yield made


def page_at(pebble: Pebble, world: World, folder: Path, **settings: str) -> Page:
    usual = {"CA": pebble.directory_url, "CA_BUNDLE": str(pebble.ca_bundle), "PDNS_WAIT": "600", "LOCKFILE": ""}
    return Page(folder / "page", world, *LINES, **{**usual, **settings})


def verified(page: Page, pebble: Pebble, alias: str) -> int:
    """How many certificates the live chain has, once openssl has verified it."""
    place, root = page.place(alias), page.folder / "root.pem"
    root.write_text(pebble.root_pem(), encoding="utf-8")
    openssl("verify", "-CAfile", root, "-untrusted", place / "chain.pem", place / "cert.pem")
    return (place / "fullchain.pem").read_text().count("BEGIN CERTIFICATE")


def issues_and_renews(page: Page, pebble: Pebble, *, chain_length: int = 1) -> None:
    for arguments in ((), ("--force",)):
        done = run_quickly(page, *arguments)
        assert (done.code, done.err) == (0, ""), done.text
        assert page.live() == ALIASES
        assert {verified(page, pebble, alias) for alias in ALIASES} == {1 + chain_length}
        assert_clean_dns(page.world, page.world.zone)
    assert {len(page.stamps(alias)) for alias in ALIASES} == {2}


REPRESENTATIVE = [(4, 25, 50), (2, 0, 100)]
CHAINS = list(product((1, 2, 3, 4), (0, 25), (0, 50, 100)))


@pytest.mark.parametrize(
    ("length", "nonces", "reuse"),
    [pytest.param(*each, marks=() if each in REPRESENTATIVE else pytest.mark.long) for each in CHAINS],
)
def test_chains_nonces_and_reuse(world: World, tmp_path: Path, length: int, nonces: int, reuse: int) -> None:
    options = Options(
        chain_length=length, nonce_reject=nonces, authz_reuse=reuse, alternate_roots=length - 1, retry_after=length
    )
    with Pebble(tmp_path / "ca", dns_server=world.primary.dns, **options) as pebble:
        issues_and_renews(page_at(pebble, world, tmp_path), pebble, chain_length=length)


# Of nine in ten, twelve in a row are no rarity, so no run may ever end well. Of three in four, some run does.
@pytest.mark.parametrize(("nonces", "runs"), [(90, 4), (75, 60)])
def test_most_nonces_are_refused(world: World, tmp_path: Path, nonces: int, runs: int) -> None:
    """A run may end in an error then, but never in a mess."""

    def no_mess(done: Done) -> None:
        assert "Traceback" not in done.text
        assert "internal error" not in done.text
        assert_clean_dns(world, world.zone)
        assert all("nonces in a row" in error for error in done.errors), done.text
        assert done.code == (1 if done.errors else 0)
        assert len(done.errors) == len(done.hints) <= len(ALIASES)

    with Pebble(tmp_path / "ca", dns_server=world.primary.dns, nonce_reject=nonces) as pebble:
        page = page_at(pebble, world, tmp_path)
        for number in range(runs):
            no_mess(run_quickly(page, ahead=number * DAY))
            if page.live() == ALIASES:
                break
        assert page.live() == ALIASES or nonces == 90
        assert {verified(page, pebble, alias) for alias in page.live()} <= {2}


@pytest.mark.long
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("sleep", [True, False])
@pytest.mark.parametrize("key_algorithm", ["rsa", "ecdsa"])
@pytest.mark.parametrize("retry_after", [0, 1, 30])
def test_pace_and_strictness(
    world: World,
    tmp_path: Path,
    strict: bool,  # noqa: FBT001 - parameters of a test
    sleep: bool,  # noqa: FBT001
    key_algorithm: str,
    retry_after: int,
) -> None:
    options = Options(strict=strict, sleep=sleep, key_algorithm=key_algorithm, retry_after=retry_after)
    with Pebble(tmp_path / "ca", dns_server=world.primary.dns, **options) as pebble:
        issues_and_renews(page_at(pebble, world, tmp_path, ORDER_TIMEOUT="1200", VALIDATION_TIMEOUT="1200"), pebble)


@pytest.mark.long
@pytest.mark.parametrize("nonces", [0, 25])
def test_bound_accounts_and_profiles(world: World, tmp_path: Path, nonces: int) -> None:
    profiles = {name: {"description": name, "validityPeriod": NINETY_DAYS} for name in ("classic", "other")}
    options = Options(eab={"kid-1": HMAC_KEY}, profiles=profiles, nonce_reject=nonces, authz_reuse=100)
    with Pebble(tmp_path / "ca", dns_server=world.primary.dns, **options) as pebble:
        page = page_at(
            pebble, world, tmp_path, EAB_KID="kid-1", EAB_HMAC_KEY=HMAC_KEY, ACME_PROFILE="other", KEY_ALGO="secp384r1"
        )
        issues_and_renews(page, pebble)


@pytest.mark.long
@pytest.mark.parametrize("nonces", [0, 25])
def test_a_blocked_name_among_good_ones(world: World, tmp_path: Path, nonces: int) -> None:
    blocked = "mail.example.org"
    with Pebble(
        tmp_path / "ca", dns_server=world.primary.dns, blocklist=(blocked,), nonce_reject=nonces, chain_length=2
    ) as pebble:
        page = page_at(pebble, world, tmp_path)
        page.write_lines("n1.example.org n2.example.org > good", f"www.example.org {blocked} > bad")
        done = run_quickly(page)
        assert done.code == 1
        assert blocked in done.only_error()
        assert page.live() == {"good"}
        assert_clean_dns(world, world.zone)
