"""Responses that OpenSSL's own responder made; files only, nobody listens."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from builders.certificates import NOW, intermediate
from builders.responder import Signer, by_issuer, certificate, delegate
from certkeeper.ocsp.model import CertStatus, Flaw, NoStaple, Staple
from certkeeper.ocsp.request import Issued, request
from certkeeper.ocsp.response import verified

DAY = timedelta(days=1)


def respond(folder: Path, asked: Issued, entry: str, signer: Signer, *options: str) -> bytes:
    """What `openssl ocsp` answers to our request; `entry` is the certificate's line in the CA's index."""
    key = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {
        "request.der": request(asked),
        "ca.pem": intermediate().pem,
        "signer.pem": signer.certificate.public_bytes(Encoding.PEM),
        "signer.key": key,
        "index.txt": entry.encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    words = "ocsp -index index.txt -CA ca.pem -rsigner signer.pem -rkey signer.key -reqin request.der -respout out.der"
    subprocess.run(["openssl", *words.split(), *options], cwd=folder, check=True, capture_output=True)
    return (folder / "out.der").read_bytes()


def line(asked: Issued, state: str = "V", revoked: str = "") -> str:
    serial = f"{asked.cert_id.serial:X}"
    serial = serial if len(serial) % 2 == 0 else f"0{serial}"
    return f"{state}\t{NOW + 80 * DAY:%y%m%d%H%M%SZ}\t{revoked}\t{serial}\tunknown\t/CN=example.org\n"


@pytest.fixture
def asked() -> Issued:
    return certificate()


def proven(der: bytes, asked: Issued) -> Staple:
    # openssl's responses are of the real time
    return verified(der, asked, datetime.now(tz=UTC))


def lasting() -> Signer:
    return delegate(not_before=NOW - 1000 * DAY, not_after=NOW + 10_000 * DAY)


@pytest.mark.parametrize("signer", [by_issuer(), lasting()], ids=["issuer", "delegate"])
@pytest.mark.parametrize("options", [(), ("-resp_key_id",), ("-rmd", "sha384")], ids=str)
def test_good(tmp_path: Path, asked: Issued, signer: Signer, options: tuple[str, ...]) -> None:
    staple = proven(respond(tmp_path, asked, line(asked), signer, "-ndays", "7", *options), asked)
    assert staple.status is CertStatus.GOOD
    assert timedelta(days=6) < staple.life <= timedelta(days=7)


def test_revoked(tmp_path: Path, asked: Issued) -> None:
    entry = line(asked, "R", "261101120000Z,keyCompromise")
    staple = proven(respond(tmp_path, asked, entry, by_issuer(), "-ndays", "7"), asked)
    assert (staple.status, staple.revocation_reason) == (CertStatus.REVOKED, "keyCompromise")
    assert staple.revoked_at == datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_unknown(tmp_path: Path, asked: Issued) -> None:
    staple = proven(respond(tmp_path, asked, line(certificate()), by_issuer(), "-ndays", "7"), asked)
    assert staple.status is CertStatus.UNKNOWN


def test_without_an_end(tmp_path: Path, asked: Issued) -> None:
    with pytest.raises(NoStaple) as caught:
        proven(respond(tmp_path, asked, line(asked), by_issuer()), asked)
    assert caught.value.flaw is Flaw.NO_END


def test_over_sha1(tmp_path: Path, asked: Issued) -> None:
    der = respond(tmp_path, asked, line(asked), by_issuer(), "-ndays", "7", "-rmd", "sha1")
    with pytest.raises(NoStaple) as caught:
        proven(der, asked)
    assert caught.value.flaw is Flaw.SIGNATURE
    assert "sha1" in str(caught.value)


def test_without_the_signers_certificate(tmp_path: Path, asked: Issued) -> None:
    der = respond(tmp_path, asked, line(asked), lasting(), "-ndays", "7", "-resp_no_certs")
    with pytest.raises(NoStaple) as caught:
        proven(der, asked)
    assert caught.value.flaw is Flaw.SIGNER
