from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.forge import LIFETIME, forged
from benchmarks.model import Wanted
from benchmarks.programs import forge_dehydrated
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certkeeper.ocsp.model import CertStatus
from certkeeper.ocsp.request import issued
from certkeeper.ocsp.response import verified

WANTED = (Wanted("one", ("a.example.org", "b.example.org")), Wanted("two", ("c.example.org",)))


def test_a_certificate_holds_the_names_and_goes_with_its_key_and_issuer() -> None:
    for wanted, made in forged(WANTED):
        leaf = x509.load_pem_x509_certificate(made.certificate.encode())
        issuer = x509.load_pem_x509_certificate(made.chain.encode())
        key = serialization.load_pem_private_key(made.key.encode(), None)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert tuple(names.get_values_for_type(x509.DNSName)) == wanted.names
        assert key.public_key() == leaf.public_key()
        assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == LIFETIME
        leaf.verify_directly_issued_by(issuer)


def test_a_responder_says_that_they_are_good(tmp_path: Path) -> None:
    certificates = list(forged(WANTED, "http://127.0.0.1:9"))
    forge_dehydrated(tmp_path, certificates)
    _, made = certificates[0]
    assert (tmp_path / "one/ocsp.der").read_bytes() == made.response
    found = verified(made.response, issued(made.certificate.encode(), made.chain.encode()), datetime.now(tz=UTC))
    assert found.status is CertStatus.GOOD
    assert found.life > timedelta(days=9)


def test_the_folders_are_those_of_dehydrated(tmp_path: Path) -> None:
    certificates = list(forged(WANTED))
    assert forge_dehydrated(tmp_path, certificates) == WANTED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    for name in ("privkey.pem", "cert.pem", "chain.pem", "fullchain.pem", "cert.csr"):
        base, _, extension = name.partition(".")
        assert (tmp_path / "one" / name).readlink() == Path(f"{base}-1700000000.{extension}")
    made = certificates[0][1]
    assert (tmp_path / "one/fullchain.pem").read_text() == made.certificate + made.chain
