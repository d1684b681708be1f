"""What is wrong with folders, keys and outputs.

Each time: one error that names its object, a hint what to do, the other certificates issued, the exit code, and no
challenge record left behind.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from bed.powerdns import rrset
from builders.badinput import in_a_mount_namespace, the_others_are_issued, without_overriding_permissions
from builders.page import Page, assert_clean_dns, openssl

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]


def test_a_certificates_folder_that_cannot_be_written_to_stops_that_one_only(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"closed.{zone}")
    page.place(f"closed.{zone}").mkdir(parents=True)
    page.place(f"closed.{zone}").chmod(0o500)
    page.world.pebble.forget()
    done = page.run(prefix=without_overriding_permissions())
    assert done.code == 1, done.text
    error = done.only_error()
    assert str(page.place(f"closed.{zone}")) in error
    assert "permission denied" in error
    assert page.world.pebble.counts()["POST", "/order-plz"] == 1
    the_others_are_issued(page, zone)
    assert_clean_dns(page.world, zone)


def test_a_base_folder_that_cannot_be_written_to(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.folder.chmod(0o500)
    try:
        done = page.run(prefix=without_overriding_permissions())
    finally:
        page.folder.chmod(0o700)
    assert done.code in {1, 2}
    error = done.only_error()
    assert str(page.folder) in error
    assert "permission denied" in error
    assert_clean_dns(page.world, zone)


def test_a_read_only_file_system_is_called_by_its_name(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, LOCKFILE="")
    page.certs.mkdir()
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    done = page.run(prefix=[*in_a_mount_namespace(), script, str(page.certs)])
    assert done.code == 1, done.text
    error = done.only_error()
    assert "read-only file system" in error
    assert "findmnt" in "".join(done.hints)
    assert_clean_dns(page.world, zone)


def _garbage(key: Path) -> None:
    key.write_text("-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n")


def _certificate(key: Path) -> None:
    other = key.with_name("other.key")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", other)
    openssl("req", "-x509", "-new", "-key", other, "-subj", "/CN=x", "-out", key)


def _encrypted(key: Path) -> None:
    openssl(
        "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-aes256", "-pass", "pass:x", "-out", key
    )


def _short(key: Path) -> None:
    openssl("genrsa", "-out", key, "1024")


def _unsound(key: Path) -> None:
    """An RSA key whose numbers do not fit together: only what a person put there is proven, and it is."""
    openssl("genrsa", "-out", key, "2048")
    private = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    held = private.private_numbers()
    spoilt = rsa.RSAPrivateNumbers(
        held.p, held.q, held.d, held.dmp1 ^ 2, held.dmq1, held.iqmp, held.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    key.write_bytes(spoilt.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (_unsound, "not a sound private key"),
        (_garbage, "not a sound private key"),
        (_certificate, "a certificate in the key's place"),
        (_encrypted, "encrypted"),
        (_short, "1024 bits"),
    ],
)
def test_a_copied_key_that_cannot_be_used_is_named(
    make_page: MakePage, zone: str, spoil: Callable[[Path], None], word: str
) -> None:
    page = make_page(zone, f"bad.{zone}", PRIVATE_KEY_RENEW="no")
    page.place(f"bad.{zone}").mkdir(parents=True)
    key = page.place(f"bad.{zone}") / "privkey.pem"
    spoil(key)
    before = key.read_bytes()
    page.world.pebble.forget()
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith(f"bad.{zone}: ")
    assert str(key) in error
    assert word in error
    assert key.read_bytes() == before
    assert page.world.pebble.counts()["POST", "/order-plz"] == 1
    the_others_are_issued(page, zone)
    assert_clean_dns(page.world, zone)


def test_a_key_copied_to_two_certificates_is_named_with_both(make_page: MakePage, zone: str) -> None:
    page = make_page(f"a.{zone}", f"b.{zone}", zone, PRIVATE_KEY_RENEW="no")
    for alias in ("a", "b"):
        page.place(f"{alias}.{zone}").mkdir(parents=True)
    key = page.place(f"a.{zone}") / "privkey.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    (page.place(f"b.{zone}") / "privkey.pem").write_bytes(key.read_bytes())
    done = page.run()
    assert done.code == 1
    assert "Traceback" not in done.text
    assert f"a.{zone}/privkey.pem" in done.err
    assert f"b.{zone}/privkey.pem" in done.err
    assert "the same private key" in done.err
    the_others_are_issued(page, zone)


def test_a_cname_to_nowhere_fails_that_certificate_alone(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"alias.{zone}")
    owner = f"_acme-challenge.alias.{zone}"
    page.world.primary.patch(zone, rrset(owner, "CNAME", [f"elsewhere.not-{zone}."]))
    done = page.run()
    assert done.code == 1
    assert f"{owner} is delegated by CNAME to elsewhere.not-{zone}" in done.only_error()
    assert page.live() == {zone}
    assert_clean_dns(page.world, zone)


@pytest.mark.parametrize("out", ["| head -n 1", "> /dev/full", ">&-", ">&- 2>&-"])
def test_output_that_goes_nowhere_does_not_break_a_run(make_page: MakePage, zone: str, out: str) -> None:
    page = make_page(zone, f"www.{zone}")
    command = f'"{sys.executable}" -m certkeeper run --accept-terms --config "{page.config}" {out}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert page.live() == {zone, f"www.{zone}"}
    assert_clean_dns(page.world, zone)
