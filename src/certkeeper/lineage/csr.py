"""Certificate signing requests (RFC 2986) as ACME wants them: names in the subjectAltName, nothing in the subject."""

import hashlib
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.keys import KeyPair
from certkeeper.base.malformed import MALFORMED
from certkeeper.base.names import Identifier, IdentifierType, InvalidName
from certkeeper.base.value import dataclass
from certkeeper.lineage.model import UnusableKey
from certkeeper.lineage.pem import blocks
from certkeeper.lineage.request import ReceivedCsr

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


def in_pem(request: ReceivedCsr) -> bytes:
    return x509.load_der_x509_csr(request.der).public_bytes(Encoding.PEM)


class BadCsr(CertkeeperError):
    """A request that no CA would sign as it is."""

    label = "key-or-chain"
    fault = Fault.OPERATOR


def read_csr(pem: bytes) -> ReceivedCsr:
    """The one request in a PEM file. Whatever else is in it, a private key for instance, is not looked at.

    Raises:
        BadCsr: there is none, its signature is wrong, or it names nothing, or something that ACME does not know.
    """
    found = [block.text for block in blocks(pem) if block.label in _LABELS]
    if len(found) != 1:
        raise BadCsr(f"holds {len(found) or 'no'} certificate requests in PEM", hint="it has to hold exactly one")
    try:
        request = x509.load_pem_x509_csr(found[0])
        sound = request.is_signature_valid
        spki = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        extensions = list(request.extensions)
        common = [str(item.value) for item in request.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
        der = request.public_bytes(Encoding.DER)
    except (*MALFORMED, InvalidSignature) as error:
        raise BadCsr(f"cannot be read as a certificate request ({printable(str(error), 120)})") from error
    if not sound:
        raise BadCsr("its signature is not that of its key", hint="make the request once more")
    identifiers = _names_in(extensions, common)
    others = tuple(_shown(extension) for extension in extensions if extension.oid not in _USUAL)
    return ReceivedCsr(der, identifiers, hashlib.sha256(spki).hexdigest(), others)


_LABELS = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})
_MOST_NAMES = 1000
# What tools put into a request by themselves, and CAs decide about.
_USUAL = frozenset(
    {
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    }
)


def _shown(extension: x509.Extension[x509.ExtensionType]) -> str:
    name = type(extension.value).__name__
    return extension.oid.dotted_string if isinstance(extension.value, x509.UnrecognizedExtension) else name


def _names_in(
    extensions: Sequence[x509.Extension[x509.ExtensionType]], common: Sequence[str]
) -> tuple[Identifier, ...]:
    listed = [
        name
        for extension in extensions
        if isinstance(extension.value, x509.SubjectAlternativeName)
        for name in extension.value
    ]
    if not (listed or common):
        raise BadCsr(
            "names nothing in its subjectAltName",
            hint="openssl req -new -key KEY -subj / -addext subjectAltName=DNS:www.example.org",
        )
    if len(listed) > _MOST_NAMES:
        raise BadCsr(f"holds {len(listed)} names, more than any CA takes")
    identifiers = tuple(dict.fromkeys(_identifier(name) for name in listed))
    values = {identifier.value for identifier in identifiers}
    # CAs take the common name for one more name, and refuse an order without it.
    more = (_common(text) for text in common if text.lower() not in values)
    return tuple(dict.fromkeys((*identifiers, *more)))


def _common(text: str) -> Identifier:
    try:
        return Identifier.parse(text)
    except InvalidName as error:
        raise BadCsr(
            f"its common name {printable(text, 80)!r} is no name that a CA would prove",
            hint="leave it out, or write one of the certificate's names there",
        ) from error


def _identifier(name: x509.GeneralName) -> Identifier:
    try:
        if isinstance(name, x509.DNSName):
            return Identifier.parse(name.value)
        if isinstance(name, x509.IPAddress):
            return Identifier.parse(f"ip:{name.value}")
    except InvalidName as error:
        raise BadCsr(str(error)) from error
    raise BadCsr(f"names a {type(name).__name__}, and CAs take DNS names and addresses only")


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
