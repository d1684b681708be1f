"""Asks about one certificate: the CertID, and the request in DER (RFC 6960 §4.1, in the profile of RFC 5019)."""

import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from certkeeper.base.errors import printable
from certkeeper.base.malformed import MALFORMED
from certkeeper.base.value import dataclass, field
from certkeeper.ocsp.model import CertId, Flaw, NoStaple, Subject


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and the one that signed it, loaded, with how the two are named in requests."""

    leaf: x509.Certificate = field(repr=False)
    issuer: x509.Certificate = field(repr=False)
    cert_id: CertId
    subject: Subject


def issued(cert: bytes, chain: bytes) -> Issued:
    """The first certificate in each of two PEM texts: `cert.pem` and `chain.pem`.

    Raises:
        NoStaple: one of them cannot be read, or the second did not sign the first.
    """
    leaf, issuer = _loaded(cert, "certificate"), _loaded(chain, "issuer's certificate")
    try:
        leaf.verify_directly_issued_by(issuer)
        cert_id = _cert_id(leaf, issuer)
        url = _responder(leaf)
    except (*MALFORMED, InvalidSignature) as error:
        raise NoStaple(
            Flaw.NO_ISSUER,
            f"cannot be asked for: what follows the certificate is not its issuer's ({_said(error)})",
            hint="chain.pem has to begin with the certificate of the issuer",
        ) from error
    return Issued(leaf, issuer, cert_id, Subject(_name(leaf), leaf.not_valid_after_utc, url))


def request(asked: Issued, nonce: bytes = b"") -> bytes:
    """The request in DER, unsigned, for this one. A nonce (1 to 32 octets) keeps caches from answering."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(asked.leaf, asked.issuer, SHA1())  # noqa: S303 - RFC 5019
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def _cert_id(leaf: x509.Certificate, issuer: x509.Certificate) -> CertId:
    # Read back from a request, where the issuer's name was hashed as it is encoded in its certificate.
    built = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, SHA1()).build()  # noqa: S303 - RFC 5019
    return CertId(built.issuer_name_hash, built.issuer_key_hash, built.serial_number)


def _name(leaf: x509.Certificate) -> str:
    return hashlib.sha256(leaf.public_bytes(Encoding.DER)).hexdigest()


def _responder(leaf: x509.Certificate) -> str | None:
    try:
        access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return None
    for description in access:
        location = description.access_location
        if description.access_method == AuthorityInformationAccessOID.OCSP and isinstance(
            location, x509.UniformResourceIdentifier
        ):
            return location.value
    return None


def _loaded(pem: bytes, what: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except MALFORMED as error:
        raise NoStaple(Flaw.NO_ISSUER, f"cannot be asked for: the {what} cannot be read ({_said(error)})") from error


def _said(error: Exception) -> str:
    return printable(str(error), 120) or "its signature does not match"
