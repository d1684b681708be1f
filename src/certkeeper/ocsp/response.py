"""Proves a response: is it about this certificate, by who may speak for its issuer, and of now? (RFC 6960 §3.2, §4.2)

cryptography takes responses apart and proves nothing of them by itself.
"""

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from certkeeper.base.errors import printable
from certkeeper.base.malformed import MALFORMED
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass
from certkeeper.ocsp.model import LARGEST, TOLERANCE, CertStatus, Flaw, NoStaple, Staple
from certkeeper.ocsp.request import Issued

_STATUSES = {
    ocsp.OCSPCertStatus.GOOD: CertStatus.GOOD,
    ocsp.OCSPCertStatus.REVOKED: CertStatus.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: CertStatus.UNKNOWN,
}
_SOUND = (hashes.SHA224, hashes.SHA256, hashes.SHA384, hashes.SHA512)
"""Digests that a signature may be over: nobody can make two responses with one of them."""
_MEANING = {
    ocsp.OCSPResponseStatus.MALFORMED_REQUEST: "it does not understand the request",
    ocsp.OCSPResponseStatus.INTERNAL_ERROR: "it is in trouble itself",
    ocsp.OCSPResponseStatus.TRY_LATER: "it wants to be asked later",
    ocsp.OCSPResponseStatus.SIG_REQUIRED: "it wants requests to be signed",
    ocsp.OCSPResponseStatus.UNAUTHORIZED: "it does not know the certificate, or not yet",
}


@dataclass(frozen=True, slots=True)
class _Signer:
    certificate: x509.Certificate
    name: str
    until: datetime | None = None


def verified(der: bytes, asked: Issued, now: datetime, nonce: bytes = b"") -> Staple:
    """What the response says of the certificate, whatever that is: good, revoked or unknown.

    `nonce` is what the request had; a response may leave it out (RFC 5019 §4), and must not have another one.

    Raises:
        NoStaple: it says nothing that counts.
    """
    if len(der) > LARGEST:
        raise NoStaple(
            Flaw.TOO_LARGE, f"{len(der)} octets are none", hint="does something else answer at that address?"
        )
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            status = response.response_status
            raise NoStaple(Flaw.DECLINED, f"the responder declines: {_MEANING[status]} ({status.name.lower()})")
        return _proven(der, response, asked, now, nonce)
    except MALFORMED as error:
        raise NoStaple(
            Flaw.MALFORMED,
            f"cannot be read ({printable(str(error), 120)})",
            hint="does something else answer at that address?",
        ) from error


def _proven(der: bytes, response: ocsp.OCSPResponse, asked: Issued, now: datetime, nonce: bytes) -> Staple:
    single = _single(response, asked)
    signer = _signer(response, asked, now)
    _check_extensions(response, nonce)
    this_update, next_update = single.this_update_utc, single.next_update_utc
    if next_update is None:
        raise NoStaple(Flaw.NO_END, "says not until when it is good (nextUpdate)")
    if next_update <= this_update:
        raise NoStaple(Flaw.MALFORMED, f"ends at {iso(next_update)}, before it begins")
    if this_update > now + TOLERANCE:
        raise NoStaple(
            Flaw.NOT_YET,
            f"is of {iso(this_update)}, which is yet to come",
            hint="is this machine's clock right? timedatectl shows it",
        )
    until = next_update if signer.until is None else min(next_update, signer.until)
    if until <= now:
        raise NoStaple(
            Flaw.EXPIRED, f"was good until {iso(until)}", hint="is this machine's clock right? timedatectl shows it"
        )
    status = _STATUSES[single.certificate_status]
    why = single.revocation_reason
    return Staple(
        der,
        status,
        this_update,
        next_update,
        until,
        signer.name,
        revoked_at=single.revocation_time_utc,
        revocation_reason=str(why.value) if why is not None else "",
    )


def _single(response: ocsp.OCSPResponse, asked: Issued) -> ocsp.OCSPSingleResponse:
    """What it says of our certificate, which is one of many perhaps. Our hashes are SHA-1, so no other kind fits."""
    wanted = asked.cert_id
    found = [
        single
        for single in response.responses
        if single.serial_number == wanted.serial
        and single.issuer_name_hash == wanted.issuer_name_hash
        and single.issuer_key_hash == wanted.issuer_key_hash
    ]
    if not found:
        raise NoStaple(Flaw.OTHER_CERTIFICATE, "is not about this certificate")
    if len(found) > 1:
        raise NoStaple(Flaw.MALFORMED, "says more than one thing of this certificate")
    return found[0]


def _signer(response: ocsp.OCSPResponse, asked: Issued, now: datetime) -> _Signer:
    """Who signed it: the issuer, or somebody to whom the issuer itself gave that task."""
    digest = _digest(response)
    refusal = NoStaple(Flaw.SIGNER, "is signed by nobody who may speak for the certificate's issuer")
    for certificate in _candidates(response, asked):
        own = certificate is asked.issuer
        if not own and (trouble := _not_entrusted(certificate, asked, now)):
            refusal = NoStaple(Flaw.SIGNER, f"is signed by {_shown(certificate)}, {trouble}")
            continue
        if _signed(response, certificate, digest):
            return _Signer(certificate, _shown(certificate), None if own else certificate.not_valid_after_utc)
        refusal = NoStaple(Flaw.SIGNATURE, f"is not signed by {_shown(certificate)}, as it says")
    raise refusal


def _candidates(response: ocsp.OCSPResponse, asked: Issued) -> Iterator[x509.Certificate]:
    """The certificates that the responder's id is about: the issuer's first, then those that came along."""
    name, key_hash = response.responder_name, response.responder_key_hash
    for certificate in (asked.issuer, *response.certificates):
        if certificate.subject == name if name is not None else _key_hash(certificate) == key_hash:
            yield certificate


def _key_hash(certificate: x509.Certificate) -> bytes:
    """SHA-1 of the key's bits alone, which is how subject key identifiers are made, too."""
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _not_entrusted(certificate: x509.Certificate, asked: Issued, now: datetime) -> str:
    """Why that one may not sign for the issuer (§4.2.2.2); empty where it may."""
    try:
        certificate.verify_directly_issued_by(asked.issuer)
    except (*MALFORMED, InvalidSignature):
        return "whose certificate is not from the certificate's issuer"
    extensions = certificate.extensions
    try:
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usage:
        return "whose certificate is not for signing OCSP responses"
    if not certificate.not_valid_before_utc - TOLERANCE <= now < certificate.not_valid_after_utc:
        return f"whose certificate is good until {iso(certificate.not_valid_after_utc)} only, or not yet"
    return ""


def _digest(response: ocsp.OCSPResponse) -> hashes.HashAlgorithm | None:
    digest = response.signature_hash_algorithm
    if digest is not None and not isinstance(digest, _SOUND):
        raise NoStaple(Flaw.SIGNATURE, f"is signed over {digest.name}, which proves nothing any more")
    return digest


def _signed(response: ocsp.OCSPResponse, certificate: x509.Certificate, digest: hashes.HashAlgorithm | None) -> bool:
    key, signature, content = certificate.public_key(), response.signature, response.tbs_response_bytes
    try:
        if isinstance(key, rsa.RSAPublicKey) and digest is not None:
            key.verify(signature, content, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and digest is not None:
            key.verify(signature, content, ec.ECDSA(digest))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) and digest is None:
            key.verify(signature, content)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _check_extensions(response: ocsp.OCSPResponse, nonce: bytes) -> None:
    for extension in response.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            if nonce and extension.value.nonce != nonce:
                raise NoStaple(Flaw.NONCE, "answers another request (its nonce is not ours)")
        elif extension.critical:
            oid = extension.oid.dotted_string
            raise NoStaple(Flaw.MALFORMED, f"has a critical extension that is not understood ({oid})")


def _shown(certificate: x509.Certificate) -> str:
    return printable(certificate.subject.rfc4514_string(), 120) or "somebody without a name"
