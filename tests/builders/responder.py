"""An OCSP responder in memory: answers that are as wrong as one likes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from builders.certificates import NOW, Authority, Wish, intermediate, new_key
from certkeeper.ocsp.request import Issued, issued

URL = "http://ocsp.example.net"
LIFE = timedelta(days=7)
SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, and which certificates come along."""

    certificate: x509.Certificate
    key: SigningKey = field(repr=False)
    along: tuple[x509.Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Says:
    """What an answer says; every field is that of a good one until a test wants it otherwise."""

    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD
    this_update: datetime = NOW - timedelta(hours=1)
    next_update: datetime | None = NOW - timedelta(hours=1) + LIFE
    revoked_at: datetime | None = None
    reason: x509.ReasonFlags | None = None
    digest: hashes.HashAlgorithm | None = field(default_factory=hashes.SHA256)
    id_digest: hashes.HashAlgorithm = field(default_factory=hashes.SHA1)
    by: ocsp.OCSPResponderEncoding = ocsp.OCSPResponderEncoding.HASH
    nonce: bytes = b""
    critical: bool = False


def by_issuer(authority: Authority | None = None) -> Signer:
    authority = authority or intermediate()
    return Signer(authority.certificate, authority.key)


def delegate(
    authority: Authority | None = None,
    *,
    usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.OCSP_SIGNING,
    not_before: datetime = NOW - timedelta(days=10),
    not_after: datetime = NOW + timedelta(days=30),
    name: str = "Responder",
    key: SigningKey | None = None,
) -> Signer:
    """Somebody to whom the authority gave the task, with a certificate that comes along."""
    authority, key = authority or intermediate(), key or ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    certificate = builder.sign(authority.key, hashes.SHA256())
    return Signer(certificate, key, (certificate,))


def answer(asked: Issued, says: Says | None = None, signer: Signer | None = None) -> bytes:
    """A response in DER about that certificate."""
    says, signer = says or Says(), signer or by_issuer()
    revoked = says.status is ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        asked.leaf,
        asked.issuer,
        says.id_digest,
        says.status,
        says.this_update,
        says.next_update,
        (says.revoked_at or says.this_update) if revoked else None,
        says.reason if revoked else None,
    )
    builder = builder.responder_id(says.by, signer.certificate)
    if signer.along:
        builder = builder.certificates(list(signer.along))
    if says.nonce:
        builder = builder.add_extension(x509.OCSPNonce(says.nonce), critical=False)
    if says.critical:
        odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        builder = builder.add_extension(odd, critical=True)
    return builder.sign(signer.key, says.digest).public_bytes(Encoding.DER)


def declined(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def certificate(authority: Authority | None = None, url: str | None = URL) -> Issued:
    """A fresh certificate that names a responder."""
    authority = authority or intermediate()
    return issued(authority.leaf(new_key(), Wish(ocsp_url=url)), authority.pem)


@cache
def ours() -> Issued:
    """One that tests share."""
    return certificate()
