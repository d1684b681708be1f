import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from builders.certificates import NAMES, new_key, signing_key
from certkeeper.base.keys import KeyAlgorithm, KeyPair
from certkeeper.base.names import Identifier, InvalidName
from certkeeper.lineage import csr
from certkeeper.lineage.model import UnusableKey


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_a_request_is_signed_by_the_key_and_has_an_empty_subject(algorithm: KeyAlgorithm) -> None:
    key = new_key(algorithm)
    request = x509.load_der_x509_csr(csr.build(key, NAMES).der)
    assert request.is_signature_valid
    assert request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == signing_key(
        key
    ).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert list(request.subject) == []
    assert len(request.extensions) == 1


def test_der_and_pem_are_the_same_request() -> None:
    built = csr.build(new_key(), NAMES)
    assert x509.load_pem_x509_csr(built.pem).public_bytes(Encoding.DER) == built.der


def test_names_and_addresses_are_in_the_san_in_order_and_once() -> None:
    identifiers = [
        Identifier.parse(text) for text in ("b.example.org", "*.example.org", "ip:2001:db8::1", "ip:192.0.2.1")
    ]
    request = x509.load_der_x509_csr(csr.build(new_key(), [*identifiers, identifiers[0]]).der)
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["b.example.org", "*.example.org", "2001:db8::1", "192.0.2.1"]


def test_must_staple_is_the_tls_feature_extension_byte_for_byte() -> None:
    request = x509.load_der_x509_csr(csr.build(new_key(), NAMES, must_staple=True).der)
    feature = request.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24"))
    assert feature.value.public_bytes() == bytes.fromhex("3003020105")


def test_a_common_name_is_there_on_request() -> None:
    request = x509.load_der_x509_csr(csr.build(new_key(), NAMES, common_name=NAMES[0]).der)
    assert request.subject.rfc4514_string() == "CN=example.org"


def test_a_common_name_has_limits() -> None:
    long = Identifier.parse(f"{'a' * 60}.example.org")
    with pytest.raises(InvalidName, match="longer than the 64 characters"):
        csr.build(new_key(), [long], common_name=long)
    with pytest.raises(InvalidName, match="not among"):
        csr.build(new_key(), NAMES, common_name=long)


def test_no_names_is_refused() -> None:
    with pytest.raises(InvalidName, match="no names"):
        csr.build(new_key(), [])


def test_a_key_that_signs_no_requests_is_refused() -> None:
    with pytest.raises(UnusableKey, match="ed448: cannot sign"):
        csr.build(KeyPair("00", "ed448", b"", Ed448PrivateKey.generate()), NAMES)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_agrees() -> None:
    built = csr.build(new_key(KeyAlgorithm.P384), NAMES, must_staple=True)
    shown = subprocess.run(
        ["openssl", "req", "-verify", "-noout", "-text"], input=built.pem, capture_output=True, check=True
    ).stdout.decode()
    assert "DNS:example.org, DNS:*.example.org" in shown
    assert "status_request" in shown
