"""Reads certificates: PEM in, the model's words out."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from certkeeper.base.errors import printable
from certkeeper.base.keys import KeyAlgorithm
from certkeeper.base.malformed import MALFORMED
from certkeeper.base.names import Identifier, IdentifierType
from certkeeper.lineage.model import BadChain, Leaf
from certkeeper.lineage.pem import certificates

E = TypeVar("E", bound=x509.ExtensionType)

_CURVES = {
    "secp256r1": KeyAlgorithm.P256.value,
    "secp384r1": KeyAlgorithm.P384.value,
    "secp521r1": KeyAlgorithm.P521.value,
}


def parse_leaf(pem: bytes) -> Leaf:
    """What the first certificate in the text says of itself.

    Raises:
        BadChain: there is none, or it cannot be read.
    """
    for block in certificates(pem):
        return _described(block)
    raise BadChain(("holds no PEM certificate",))


def leaf_of_file(pem: bytes, path: str) -> Leaf:
    """The same of what was read from a file that a person named.

    Raises:
        BadChain: beginning with the path.
    """
    try:
        return parse_leaf(pem)
    except BadChain as error:
        hint = "name a file that begins with the certificate, in PEM: cert.pem or fullchain.pem"
        raise BadChain(error.mismatches, name=path, hint=hint) from error


@lru_cache(maxsize=4096)
def _described(block: bytes) -> Leaf:
    """A run looks at most certificates more than once, and what they say stays the same."""
    return describe(load(block))


def load(block: bytes) -> x509.Certificate:
    """One PEM certificate, loaded.

    Raises:
        BadChain: it cannot be read.
    """
    try:
        return x509.load_pem_x509_certificate(block)
    except MALFORMED as error:
        raise BadChain((unreadable(error),)) from error


def describe(certificate: x509.Certificate) -> Leaf:
    """A loaded certificate in the model's words.

    Raises:
        BadChain: a field of it cannot be read.
    """
    try:
        return Leaf(
            key_id=key_id(certificate),
            identifiers=frozenset(_identifiers(certificate)),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            serial=f"{certificate.serial_number:x}",
            issuer=printable(certificate.issuer.rfc4514_string(), 200),
            ocsp_url=_ocsp_url(certificate),
            must_staple=_must_staple(certificate),
            authority_key_id=_authority_key_id(certificate),
            key_kind=_key_kind(certificate),
        )
    except MALFORMED as error:
        raise BadChain((unreadable(error),)) from error


def to_der(block: bytes) -> bytes:
    """One PEM certificate in DER.

    Raises:
        BadChain: it cannot be read.
    """
    return load(block).public_bytes(Encoding.DER)


def to_pem(der: bytes) -> bytes:
    """One certificate in DER as a PEM block.

    Raises:
        BadChain: it cannot be read.
    """
    try:
        return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    except MALFORMED as error:
        raise BadChain((unreadable(error),)) from error


def issuer_urls(block: bytes) -> tuple[str, ...]:
    """Where one PEM certificate says that its issuer's is: the caIssuers URIs (RFC 5280 §4.2.2.1), in its order.

    Raises:
        BadChain: it cannot be read.
    """
    try:
        access = _extension(load(block), x509.AuthorityInformationAccess)
    except MALFORMED as error:
        raise BadChain((unreadable(error),)) from error
    return tuple(
        item.access_location.value
        for item in access or ()
        if item.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(item.access_location, x509.UniformResourceIdentifier)
    )


def common_names(block: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The common names of one PEM certificate's subject, and those of its issuer.

    Raises:
        BadChain: they cannot be read.
    """
    certificate = load(block)
    try:
        subject, issuer = (
            tuple(str(attribute.value) for attribute in name.get_attributes_for_oid(NameOID.COMMON_NAME))
            for name in (certificate.subject, certificate.issuer)
        )
    except MALFORMED as error:
        raise BadChain((unreadable(error),)) from error
    return subject, issuer


def key_id(certificate: x509.Certificate) -> str:
    """Lower-case hex SHA-256 of the SubjectPublicKeyInfo in DER."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def _key_kind(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"{KeyAlgorithm.RSA}-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name, "")
    return KeyAlgorithm.ED25519.value if isinstance(key, ed25519.Ed25519PublicKey) else ""


def unreadable(error: Exception) -> str:
    return f"cannot be read as a certificate ({printable(str(error), 120)})"


def _identifiers(certificate: x509.Certificate) -> Iterator[Identifier]:
    names = _extension(certificate, x509.SubjectAlternativeName)
    for name in names or ():
        # Other kinds (mail addresses, URIs) are nothing that ACME orders.
        if isinstance(name, x509.DNSName):
            yield Identifier(IdentifierType.DNS, name.value.lower())
        elif isinstance(name, x509.IPAddress):
            yield Identifier(IdentifierType.IP, str(name.value))


def _ocsp_url(certificate: x509.Certificate) -> str | None:
    access = _extension(certificate, x509.AuthorityInformationAccess)
    for description in access or ():
        location = description.access_location
        if description.access_method == AuthorityInformationAccessOID.OCSP and isinstance(
            location, x509.UniformResourceIdentifier
        ):
            return location.value
    return None


def _must_staple(certificate: x509.Certificate) -> bool:
    # The TLS feature extension, 1.3.6.1.5.5.7.1.24 (RFC 7633).
    features = _extension(certificate, x509.TLSFeature)
    return features is not None and x509.TLSFeatureType.status_request in features


def _authority_key_id(certificate: x509.Certificate) -> str:
    extension = _extension(certificate, x509.AuthorityKeyIdentifier)
    return (extension.key_identifier or b"").hex() if extension is not None else ""


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
