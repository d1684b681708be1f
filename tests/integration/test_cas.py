"""Several real CAs on one page; and the way from a test CA to one that clients trust."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.pebble import Pebble
from bed.world import World
from builders.listing import names
from builders.page import Done, Page, openssl
from certkeeper.base.accounts import account_folder

pytestmark = pytest.mark.real

ORDER, DIRECTORY, ACCOUNT = ("POST", "/order-plz"), ("GET", "/dir"), ("POST", "/sign-me-up")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), zones=(), dnssec=False) as made:
        yield made


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, world: World) -> Iterator[Pebble]:
    """A second CA, which makes accounts for its customers only."""
    customers = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}
    with Pebble(tmp_path_factory.mktemp("other"), dns_server=world.primary.dns, eab=customers) as made:
        yield made


@pytest.fixture
def zone(world: World) -> str:
    return world.new_zone().removesuffix(".")


class TwoCas:
    """A page whose certificates are the world's CA's, but for one line."""

    def __init__(self, folder: Path, world: World, other: Pebble, *lines: str) -> None:
        self.other = other
        self.page = Page(folder, world, *lines)
        # One bundle is for both.
        bundle = folder / "both.pem"
        bundle.write_bytes(world.pebble.ca_bundle.read_bytes() + other.ca_bundle.read_bytes())
        self.page.configure(CA_BUNDLE=str(bundle))
        world.pebble.forget()
        other.forget()

    def account_config(self, pebble: Pebble, text: str) -> None:
        folder = self.page.folder / "accounts" / account_folder(pebble.directory_url)
        folder.mkdir(parents=True)
        (folder / "config").write_text(text)

    def customer(self) -> None:
        ((kid, key),) = (self.other.options["eab"] or {}).items()
        self.account_config(self.other, f'EAB_KID="{kid}"\nEAB_HMAC_KEY="{key}"\n')

    def issued_by(self, folder: Path, pebble: Pebble) -> bool:
        trust = self.page.folder / "root.pem"
        trust.write_text(pebble.root_pem())
        said = openssl("x509", "-in", folder / "chain.pem", "-noout", "-issuer")
        return said.partition("=")[2] in openssl("x509", "-in", trust, "-noout", "-subject")


def expect_done(done: Done) -> Done:
    assert (done.code, done.err) == (0, ""), done.text
    return done


def test_each_certificate_is_its_cas_and_each_ca_is_asked_as_if_it_were_alone(
    tmp_path: Path, world: World, other: Pebble, zone: str
) -> None:
    there = TwoCas(tmp_path, world, other, f"a.{zone}", f"b.{zone}", f"c.{zone}")
    there.customer()
    there.page.certificate_config(f"b.{zone}", CA=other.directory_url)
    planned = json.loads(there.page.plan("--json").out)
    assert planned["register_at"] == [world.pebble.directory_url, other.directory_url]
    assert [item["ca"] == other.directory_url for item in planned["certificates"]] == [False, True, False]
    world.pebble.forget()
    other.forget()
    expect_done(there.page.run())
    for letter, pebble in (("a", world.pebble), ("b", other), ("c", world.pebble)):
        assert there.issued_by(there.page.place(f"{letter}.{zone}"), pebble)
    for pebble, orders in ((world.pebble, 2), (other, 1)):
        counts = pebble.counts()
        assert (counts[DIRECTORY], counts[ACCOUNT], counts[ORDER]) == (1, 1, orders)
    accounts = {account_folder(pebble.directory_url) for pebble in (world.pebble, other)}
    assert set(names(there.page.folder / "accounts")) == accounts
    # A revocation is asked of the CA that it is from.
    assert f"asked    {other.directory_url}, by the account" in there.page.revoke(f"b.{zone}").out
    # Nothing is due afterwards, and one that moves to another CA is, at once.
    assert "3 certificates, nothing due" in expect_done(there.page.run()).out
    there.page.certificate_config(f"a.{zone}", CA=other.directory_url)
    assert f"a.{zone}: issue (ca-changed: from {world.pebble.directory_url}" in there.page.plan().out
    expect_done(there.page.run())
    assert there.issued_by(there.page.place(f"a.{zone}"), other)


def test_a_ca_that_cannot_be_used_fails_its_own_certificates_alone(
    tmp_path: Path, world: World, zone: str, other: Pebble
) -> None:
    there = TwoCas(tmp_path, world, other, f"a.{zone}", f"b.{zone}")
    there.page.certificate_config(f"b.{zone}", CA=f"{other.directory_url}/nothing")
    done = there.page.run()
    assert done.code == 1
    assert there.page.live() == {f"a.{zone}"}
    assert done.only_error().startswith(f"b.{zone}: ")
    assert f"{other.directory_url}/nothing" in done.only_error()
    assert "1 issued, 1 failed" in done.out


def test_an_account_that_cannot_be_had_fails_its_own_certificates_alone(
    tmp_path: Path, world: World, other: Pebble, zone: str
) -> None:
    there = TwoCas(tmp_path, world, other, f"a.{zone}", f"b.{zone}", f"c.{zone}")
    for letter in "bc":
        there.page.certificate_config(f"{letter}.{zone}", CA=other.directory_url)
    done = there.page.run()
    assert done.code == 1
    assert there.page.live() == {f"a.{zone}"}
    assert done.errors[0].startswith(f"b.{zone}: {other.directory_url}: makes accounts only for its customers")
    assert done.errors[1:] == [f"c.{zone}: for the same reason"]
    # Nor does one that was deactivated stop what is another CA's.
    folder = there.page.folder / "accounts" / account_folder(other.directory_url)
    folder.mkdir(parents=True)
    (folder / "deactivated").touch()
    there.page.write_lines(f"d.{zone}", f"b.{zone}")
    done = there.page.run()
    assert f"d.{zone}" in there.page.live()
    assert "deactivated" in done.only_error()


@pytest.mark.parametrize("customer", [True, False])
def test_an_account_is_opened_first_at_each_ca_whose_names_are_proven_below_its_label(
    tmp_path: Path, world: World, other: Pebble, zone: str, *, customer: bool
) -> None:
    there = TwoCas(tmp_path, world, other, f"a.{zone}", f"b.{zone}")
    there.page.configure(CHALLENGETYPE="dns-account-01")
    there.page.certificate_config(f"b.{zone}", CA=other.directory_url)
    if customer:
        there.customer()
        expect_done(there.page.run())
        assert there.issued_by(there.page.place(f"b.{zone}"), other)
        assert [pebble.counts()[ACCOUNT] for pebble in (world.pebble, other)] == [1, 1]
    else:
        done = there.page.run()
        assert (done.code, there.page.live()) == (1, {f"a.{zone}"}), done.text
        assert done.only_error().startswith(f"b.{zone}: {other.directory_url}: makes accounts only for its customers")


def test_a_standing_record_is_written_for_the_ca_that_is_named(
    tmp_path: Path, world: World, other: Pebble, zone: str
) -> None:
    there = TwoCas(tmp_path, world, other, f"a.{zone}", f"b.{zone}")
    there.customer()
    there.page.configure(CHALLENGETYPE="dns-persist-01")
    there.page.certificate_config(f"b.{zone}", CA=other.directory_url)
    done = there.page.run()
    assert done.code == 1
    commands = [hint.split()[2:] for hint in done.hints]
    assert [words[-2:] for words in commands] == [[f"a.{zone}", "--write"], ["--ca", other.directory_url]], done.text
    for words in commands:
        expect_done(there.page.dns(*words, "--yes"))
    # Each CA's names are shown by themselves.
    shown = json.loads(there.page.dns("persist", "--ca", other.directory_url, "--json").out)
    assert [(item["name"], item["ability"]) for item in shown["names"]] == [(f"b.{zone}", "allows")]
    expect_done(there.page.run())
    assert there.issued_by(there.page.place(f"b.{zone}"), other)


def test_from_a_test_to_certificates_that_clients_trust(tmp_path: Path, world: World, other: Pebble, zone: str) -> None:
    """As the page of the beginning has it: with a test CA first, then with the real one."""
    there = TwoCas(tmp_path, world, other, f"{zone} www.{zone}")
    page, hook = there.page, tmp_path / "hook.sh"
    hook.write_text(f'#!/bin/sh\necho "$1 $3" >> {tmp_path}/called\n')
    hook.chmod(0o755)
    page.configure(HOOK=str(hook), DNS_PROVIDER="powerdns", CA=other.directory_url, TEST_CA="yes")
    there.customer()
    tested, called = tmp_path / "certs-test" / zone, tmp_path / "called"

    def deployed() -> list[str]:
        return [line for line in called.read_text().splitlines() if line.startswith("deploy_")]

    # A test of a fresh installation leaves no certificate where services read.
    done = expect_done(page.run())
    assert f"note: {other.directory_url} is a test CA: certificates go to {tmp_path}/certs-test: {zone}" in done.out
    assert there.issued_by(tested, other)
    assert page.live() == set()
    assert not called.exists()
    assert "is a test CA" in page.status().out
    (shown,) = json.loads(page.status("--json").out)["certificates"]
    assert (shown["folder"], shown["purpose"], shown["certificate"]["ca"]) == (
        str(tested),
        "rehearse",
        other.directory_url,
    )

    # The test went well.
    page.configure(CA=world.pebble.directory_url, TEST_CA="no")
    expect_done(page.run())
    assert there.issued_by(page.place(zone), world.pebble)
    trusted = (page.place(zone) / "cert.pem").read_bytes()
    assert deployed() == [f"deploy_cert {page.place(zone)}/privkey.pem"]

    # Another test touches nothing that services read, whatever is forced.
    page.configure(CA=other.directory_url, TEST_CA="yes")
    expect_done(page.run("--force"))
    assert (page.place(zone) / "cert.pem").read_bytes() == trusted
    assert len(deployed()) == 1
    # Not even where the folder for tests leads there.
    page.configure(TEST_CERTDIR=str(tmp_path / "link"))
    (tmp_path / "link").symlink_to(page.certs)
    done = page.run("--force")
    assert (done.code, "--allow-test-ca-live" in done.hints[0]) == (1, True)
    assert "the certificate there is not a test CA's" in done.only_error()
    assert (page.place(zone) / "cert.pem").read_bytes() == trusted
    page.unset("TEST_CERTDIR")

    # Only where somebody says so.
    assert "issue (ca-changed: " in page.plan("--allow-test-ca-live").out
    assert "warning: " in expect_done(page.run("--allow-test-ca-live")).out
    assert there.issued_by(page.place(zone), other)
    assert len(deployed()) == 2

    # And the way back is found without being forced.
    page.configure(CA=world.pebble.directory_url, TEST_CA="no")
    assert "issue (test-issued: issued by a test CA, CN=Pebble Intermediate" in page.plan().out
    expect_done(page.run())
    assert there.issued_by(page.place(zone), world.pebble)
    assert len(deployed()) == 3
    assert "1 certificate, nothing due" in expect_done(page.run()).out


def test_test_certdir_must_be_a_folder_of_its_own(tmp_path: Path, world: World, other: Pebble, zone: str) -> None:
    there = TwoCas(tmp_path, world, other, zone)
    there.page.configure(TEST_CERTDIR=str(there.page.certs))
    done = there.page.run()
    assert done.code == 2
    assert "TEST_CERTDIR: the folder that services read from" in done.only_error()
