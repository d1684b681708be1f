"""Certificates by the thousand, from a CA of our own: for stores in which nothing is due."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from benchmarks.model import Wanted

DAY = dt.timedelta(days=1)
LIFETIME = 90 * DAY


@dataclass(frozen=True, slots=True)
class Forged:
    """In PEM."""

    key: str
    certificate: str
    chain: str
    request: str
    response: bytes = b""
    """What the CA's OCSP responder says, in DER; empty where the certificate names none."""


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(made: x509.Certificate | x509.CertificateSigningRequest) -> str:
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


class Authority:
    """Issues certificates that began yesterday and hold for ninety days. They name the responder, if there is one, and
    come with what it says, which holds for ten days and was said an hour ago.
    """

    def __init__(self, now: dt.datetime, responder: str = "") -> None:
        self._start = now - DAY
        self._responder = responder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _name("benchmark CA")
        self._identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = self._builder(self._subject, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.certificate = builder.add_extension(self._identifier, critical=False).sign(self._key, hashes.SHA256())

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(
            issuer_name=self._subject,
            subject_name=subject,
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=self._start,
            not_valid_after=self._start + LIFETIME,
        )

    def issue(self, names: Sequence[str]) -> Forged:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(names[0])
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._identifier)
        request = (
            x509.CertificateSigningRequestBuilder(subject)
            .add_extension(alternative, critical=False)
            .sign(key, hashes.SHA256())
        )
        builder = (
            self._builder(subject, key.public_key())
            .add_extension(alternative, critical=False)
            .add_extension(issuer, critical=False)
        )
        if self._responder:
            location = x509.UniformResourceIdentifier(self._responder)
            description = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, location)
            builder = builder.add_extension(x509.AuthorityInformationAccess([description]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        said = self._said(certificate) if self._responder else b""
        return Forged(_key_pem(key), _pem(certificate), _pem(self.certificate), _pem(request), said)

    def _said(self, certificate: x509.Certificate) -> bytes:
        at = self._start.replace(microsecond=0) + DAY - dt.timedelta(hours=1)
        # Certificates are identified by SHA-1 there, as responders have them.
        digest = hashes.SHA1()  # noqa: S303 - no secret depends on it
        good = ocsp.OCSPCertStatus.GOOD
        builder = ocsp.OCSPResponseBuilder().add_response(
            certificate, self.certificate, digest, good, at, at + 10 * DAY, None, None
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def forged(wanted: Sequence[Wanted], responder: str = "") -> Iterator[tuple[Wanted, Forged]]:
    authority = Authority(dt.datetime.now(dt.UTC), responder)
    for each in wanted:
        yield each, authority.issue(each.names)
