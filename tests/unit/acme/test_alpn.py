import hashlib
from datetime import timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from builders.certificates import NOW
from certkeeper.acme.alpn import ACME_IDENTIFIER, acme_certificate, server_name
from certkeeper.adapters.keys import make
from certkeeper.base.keys import KeyAlgorithm, KeySpec
from certkeeper.base.names import Identifier

KEY = make(KeySpec(KeyAlgorithm.P256))
AUTHORIZATION = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"
"""A key authorization of the form of RFC 8555 §8.1."""


def certificate(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(acme_certificate(KEY, Identifier.parse(name), AUTHORIZATION, NOW))


def test_the_extension_is_critical_and_holds_the_digest_as_an_octet_string() -> None:
    found = certificate("example.org").extensions.get_extension_for_oid(ACME_IDENTIFIER)
    assert found.oid.dotted_string == "1.3.6.1.5.5.7.1.31"
    assert found.critical
    assert isinstance(found.value, x509.UnrecognizedExtension)
    assert found.value.value == bytes([4, 32]) + hashlib.sha256(AUTHORIZATION.encode()).digest()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.org", x509.DNSName("example.org")),
        ("münchen.example.org", x509.DNSName("xn--mnchen-3ya.example.org")),
        ("ip:192.0.2.1", x509.IPAddress(ip_address("192.0.2.1"))),
        ("ip:2001:DB8::1", x509.IPAddress(ip_address("2001:db8::1"))),
    ],
)
def test_there_is_exactly_one_name_of_the_identifiers_type(name: str, expected: x509.GeneralName) -> None:
    named = certificate(name).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert list(named.value) == [expected]


def test_it_is_signed_by_its_own_key_and_valid_now() -> None:
    made = certificate("example.org")
    made.verify_directly_issued_by(made)
    public = made.public_key()
    assert isinstance(public, EllipticCurvePublicKey)
    assert isinstance(public.curve, SECP256R1)
    assert made.not_valid_before_utc < NOW < made.not_valid_after_utc - timedelta(days=1)
    assert made.serial_number > 0


def test_a_key_of_another_kind_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="elliptic"):
        acme_certificate(make(KeySpec(KeyAlgorithm.ED25519)), Identifier.parse("example.org"), AUTHORIZATION, NOW)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("www.example.org", "www.example.org"),
        # RFC 8738 §6, and the address of its example for IPv6
        ("ip:192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("ip:2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_an_address_is_asked_for_by_its_name_in_the_reverse_tree(name: str, expected: str) -> None:
    assert server_name(Identifier.parse(name)) == expected
