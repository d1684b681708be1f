"""The certificate that tls-alpn-01 wants to see (RFC 8737 §3, for addresses RFC 8738 §6)."""

import hashlib
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Identifier, IdentifierType

PROTOCOL = "acme-tls/1"
ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
"""id-pe-acmeIdentifier (RFC 8737 §6.1)."""
_OCTET_STRING = b"\x04\x20"
_BEFORE, _AFTER = timedelta(days=1), timedelta(days=7)


def server_name(identifier: Identifier) -> str:
    """What the CA asks for in SNI: the name, or an address's name in the reverse tree (RFC 8738 §6)."""
    if identifier.type is IdentifierType.IP:
        return ip_address(identifier.value).reverse_pointer
    return identifier.value


def acme_certificate(key: KeyPair, identifier: Identifier, key_authorization: str, at: datetime) -> bytes:
    """A certificate in PEM, signed by its own key: one name, and the key authorization's digest, which is critical.

    `key` is of an elliptic curve and used for nothing else. The serial number is made of the digest.
    """
    private = key.private
    if not isinstance(private, EllipticCurvePrivateKey):
        raise TypeError(f"key {key.description}: not of an elliptic curve")
    digest = hashlib.sha256(key_authorization.encode("ascii")).digest()
    nobody = x509.Name([])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(nobody)
        .issuer_name(nobody)
        .public_key(private.public_key())
        .serial_number(int.from_bytes(digest[:16], "big") | 1)
        .not_valid_before(at - _BEFORE)
        .not_valid_after(at + _AFTER)
        # With an empty subject the names are critical (RFC 5280 §4.2.1.6).
        .add_extension(x509.SubjectAlternativeName([_general_name(identifier)]), critical=True)
        .add_extension(x509.UnrecognizedExtension(ACME_IDENTIFIER, _OCTET_STRING + digest), critical=True)
        .sign(private, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def _general_name(identifier: Identifier) -> x509.GeneralName:
    if identifier.type is IdentifierType.IP:
        return x509.IPAddress(ip_address(identifier.value))
    return x509.DNSName(identifier.value)
