"""`certkeeper sign` at a real CA: requests that openssl makes, and what does not become a certificate."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page, assert_clean_dns, openssl

pytestmark = pytest.mark.real


@pytest.fixture
def page(tmp_path: Path, shared_world: World, zone: str) -> Page:
    """Its own certificates have a kind of key that the CA refuses, and a hook that fails: none of that counts here."""
    return Page(tmp_path, shared_world, zone, KEY_ALGO="ed25519", HOOK="/bin/false", DNS_PROVIDER="powerdns")


def request(page: Page, names: str, name: str = "appliance.csr") -> Path:
    """Made by openssl, with a key that certkeeper does not get to see."""
    file = page.folder / name
    made = ("-nodes", "-keyout", page.folder / "appliance.key", "-out", file, "-subj", "/", "-addext")
    openssl("req", "-new", "-newkey", "rsa:2048", *made, f"subjectAltName={names}")
    return file


def public(command: str, file: Path) -> str:
    return openssl(command, "-in", file, "-noout", "-pubkey")


def test_a_request_becomes_a_chain_and_nothing_is_kept(page: Page) -> None:
    zone = page.domains.read_text().strip()
    file = request(page, f"DNS:www.{zone},DNS:*.{zone}")
    unaccepted = page.sign(file)
    assert (unaccepted.code, "terms" in unaccepted.only_error()) == (2, True)
    signed = page.sign(file, "--accept-terms")
    assert signed.code == 0, signed.text
    assert signed.errors == []
    chain = page.folder / "chain.pem"
    chain.write_text(signed.out)
    assert signed.out.startswith("-----BEGIN CERTIFICATE-----\n")
    assert public("x509", chain) == public("req", file)
    root = page.folder / "root.pem"
    root.write_text(page.world.pebble.root_pem())
    openssl("verify", "-CAfile", root, "-untrusted", chain, chain)
    said = openssl("x509", "-in", chain, "-noout", "-ext", "subjectAltName")
    assert f"DNS:www.{zone}" in said
    assert f"DNS:*.{zone}" in said
    assert not page.certs.exists()
    assert_clean_dns(page.world, zone)

    out = page.folder / "out.pem"
    out.write_text("somebody's")
    refused = page.sign(file, "--out", out)
    assert (refused.code, out.read_text(), "--yes" in refused.err) == (1, "somebody's", True)
    written = page.sign(file, "--out", out, "--yes")
    assert (written.code, written.out) == (0, "")
    assert public("x509", out) == public("req", file)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert page.sign(file, "--out", page.folder / "missing" / "out.pem").code == 1

    orders = page.world.pebble.counts()[("POST", "/order-plz")]
    link = page.folder / "link.pem"
    link.symlink_to(out)
    for target in (link, page.folder, Path("/dev/null")):
        refused = page.sign(file, "--out", target, "--yes")
        assert (refused.code, refused.out) == (1, "")
        assert str(target) in refused.only_error()
    assert page.world.pebble.counts()[("POST", "/order-plz")] == orders

    command = f'"{sys.executable}" -m certkeeper sign --config "{page.config}" "{file}" > /dev/full'
    full = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    (kept,) = page.folder.glob("appliance.csr.pem.*")
    assert (full.returncode, "standard output: cannot write: no space left" in full.stderr) == (1, True), full.stderr
    assert f"is kept in {kept}\n" in full.stderr
    assert public("x509", kept) == public("req", file)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.long
def test_what_cannot_become_a_certificate_costs_no_order(page: Page) -> None:
    zone = page.domains.read_text().strip()
    page.world.pebble.forget()
    page.configure(CHALLENGETYPE="dns-account-01")
    assert "no account there yet" in page.sign(request(page, f"DNS:www.{zone}")).only_error()
    page.configure(CHALLENGETYPE="dns-01")
    page.account("register", "--accept-terms")
    told = {
        request(page, "DNS:www.nowhere.example"): "no zone",
        request(page, f"DNS:www.{zone},email:a@{zone}", "mail.csr"): "RFC822Name",
        request(page, f"IP:192.0.2.1,DNS:{zone}", "ip.csr"): "192.0.2.1",
        page.domains: "certificate request",
        page.folder / "missing.csr": "no such file",
    }
    for file, said in told.items():
        done = page.sign(file)
        assert done.code in {1, 2}, done.text
        assert said in done.errors[0], done.text
        assert done.out == ""
    (account_key,) = page.folder.glob("accounts/*/account_key.pem")
    file = page.folder / "account.csr"
    openssl("req", "-new", "-key", account_key, "-out", file, "-subj", "/", "-addext", f"subjectAltName=DNS:{zone}")
    assert "key of the account" in page.sign(file).only_error()
    assert ("POST", "/order-plz") not in page.world.pebble.counts()
