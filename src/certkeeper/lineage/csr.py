"""Certificate signing requests (RFC 2986) as ACME wants them: names in the subjectAltName, nothing in the subject."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Identifier, IdentifierType, InvalidName
from certkeeper.lineage.model import UnusableKey

# ub-common-name of RFC 5280, appendix A.1.
_MAX_COMMON_NAME = 64

_Digest: TypeAlias = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
_DIGESTS: dict[int, type[_Digest]] = {384: hashes.SHA384, 521: hashes.SHA512}


@dataclass(frozen=True, slots=True)
class Csr:
    """One request: DER for finalize (RFC 8555 §7.4), PEM for the file."""

    der: bytes
    pem: bytes


def build(
    key: KeyPair,
    identifiers: Sequence[Identifier],
    *,
    must_staple: bool = False,
    common_name: Identifier | None = None,
) -> Csr:
    """A request for those names, signed by the key.

    The subject is empty unless a common name is asked for: a CA takes the names from the subjectAltName
    (RFC 8555 §7.4), and a long name does not fit into the subject.

    Raises:
        UnusableKey: the pair holds no RSA, ECDSA or Ed25519 key.
        InvalidName: no name at all, or a common name that is too long or is not among the names.
    """
    private = key.private
    if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey):
        raise UnusableKey(f"key {key.description}: cannot sign a certificate request")
    names = [_general_name(identifier) for identifier in dict.fromkeys(identifiers)]
    if not names:
        raise InvalidName("certificate request: no names")
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_subject(common_name, identifiers))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    if must_staple:
        builder = builder.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
    request = builder.sign(private, _digest(private))
    return Csr(request.public_bytes(Encoding.DER), request.public_bytes(Encoding.PEM))


def _general_name(identifier: Identifier) -> x509.GeneralName:
    if identifier.type is IdentifierType.IP:
        return x509.IPAddress(ip_address(identifier.value))
    return x509.DNSName(identifier.value)


def _subject(common_name: Identifier | None, identifiers: Sequence[Identifier]) -> x509.Name:
    if common_name is None:
        return x509.Name([])
    if common_name not in identifiers:
        raise InvalidName(f"{common_name}: a common name that is not among the certificate's names")
    if len(common_name.value) > _MAX_COMMON_NAME:
        raise InvalidName(
            f"{common_name}: longer than the {_MAX_COMMON_NAME} characters of a common name",
            hint="put a shorter name first, or leave the common name out",
        )
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name.value)])


def _digest(private: RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey) -> _Digest | None:
    if isinstance(private, Ed25519PrivateKey):
        # It hashes by itself; RFC 8410 §3.
        return None
    if isinstance(private, EllipticCurvePrivateKey):
        # A digest as wide as the curve; RFC 5480 §4.
        return _DIGESTS.get(private.curve.key_size, hashes.SHA256)()
    return hashes.SHA256()
