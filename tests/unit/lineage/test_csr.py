import base64
import ipaddress
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NAMES, new_key, signing_key
from certkeeper.base.keys import KeyAlgorithm, KeyPair
from certkeeper.base.names import Identifier, InvalidName
from certkeeper.lineage import csr
from certkeeper.lineage.csr import BadCsr, read_csr
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


def received(*listed: x509.GeneralName, common: str = "", extra: Sequence[x509.ExtensionType] = ()) -> bytes:
    """A request as somebody else makes it, in PEM."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)] if common else [])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if listed:
        builder = builder.add_extension(x509.SubjectAlternativeName(listed), critical=False)
    for extension in extra:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.PEM)


WWW = x509.DNSName("www.example.org")


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_a_request_of_ours_is_read_back(algorithm: KeyAlgorithm) -> None:
    key = new_key(algorithm)
    built = csr.build(key, NAMES)
    read = read_csr(built.pem)
    assert (read.der, read.identifiers, read.key_id, read.others) == (built.der, tuple(NAMES), key.key_id, ())


def test_names_are_read_in_order_lower_case_and_once() -> None:
    names = [x509.DNSName(text) for text in ("WWW.example.org", "*.example.org", "www.example.org")]
    read = read_csr(received(*names, x509.IPAddress(ipaddress.ip_address("2001:db8::1")), common="www.EXAMPLE.org"))
    assert [str(name) for name in read.identifiers] == ["www.example.org", "*.example.org", "ip:2001:db8::1"]


@pytest.mark.row("I02")
def test_the_common_name_is_one_more_name() -> None:
    assert [str(name) for name in read_csr(received(WWW, common="mail.example.org")).identifiers] == [
        "www.example.org",
        "mail.example.org",
    ]
    assert [str(name) for name in read_csr(received(common="mail.example.org")).identifiers] == ["mail.example.org"]


def test_a_key_beside_the_request_is_not_looked_at_and_other_text_is_passed_over() -> None:
    key = new_key()
    pem = csr.build(key, NAMES).pem
    assert read_csr(b"Certificate Request:\n  Data:\n" + key.pem + pem).key_id == key.key_id
    assert read_csr(pem.replace(b"CERTIFICATE REQ", b"NEW CERTIFICATE REQ")).key_id == key.key_id


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (b"", "holds no certificate requests"),
        (received(WWW) * 2, "holds 2 certificate requests"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "cannot be read"),
        (received(), "subjectAltName"),
        (received(WWW, common="My server"), "common name 'My server' is no name that a CA would prove"),
        (received(WWW, x509.RFC822Name("a@example.org")), "names a RFC822Name"),
        (received(x509.DNSName("localhost")), "two labels"),
        (received(x509.DNSName("a b.example.org")), "holds"),
    ],
)
def test_what_no_ca_would_sign_is_told(pem: bytes, said: str) -> None:
    with pytest.raises(BadCsr, match=said):
        read_csr(pem)


def test_a_request_that_its_key_did_not_sign_is_refused() -> None:
    der = bytearray(csr.build(new_key(), NAMES).der)
    at = der.index(NAMES[0].value.encode())
    der[at : at + 1] = b"x"
    body = base64.encodebytes(bytes(der))
    with pytest.raises(BadCsr, match="its signature"):
        read_csr(b"-----BEGIN CERTIFICATE REQUEST-----\n" + body + b"-----END CERTIFICATE REQUEST-----\n")


def test_extensions_that_are_asked_for_are_named() -> None:
    usual = x509.BasicConstraints(ca=False, path_length=None)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    staple = x509.TLSFeature([x509.TLSFeatureType.status_request])
    assert read_csr(received(WWW, extra=[usual, unknown, staple])).others == ("1.2.3.4", "TLSFeature")


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_request_does_more_than_be_refused(patch: bytes, at: int) -> None:
    der = csr.build(KEY, NAMES).der
    body = base64.encodebytes(der[:at] + patch + der[at + len(patch) :])
    pem = b"-----BEGIN CERTIFICATE REQUEST-----\n" + body + b"-----END CERTIFICATE REQUEST-----\n"
    with suppress(BadCsr):
        assert read_csr(pem).key_id


KEY = new_key()
