"""Keys and certificates for tests: a small authority with a root, an intermediate and leaves as wrong as one likes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from certkeeper.adapters.keys import make
from certkeeper.base.keys import KeyAlgorithm, KeyPair, KeySpec
from certkeeper.base.names import Identifier, IdentifierType
from certkeeper.lineage.model import VersionFiles
from certkeeper.lineage.pem import split_fullchain

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NAMES = (Identifier.parse("example.org"), Identifier.parse("*.example.org"))

_CA = x509.BasicConstraints(ca=True, path_length=None)
SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_key(algorithm: KeyAlgorithm = KeyAlgorithm.P256) -> KeyPair:
    return make(KeySpec(algorithm, 2048))


def signing_key(pair: KeyPair) -> SigningKey | ed25519.Ed25519PrivateKey:
    assert isinstance(pair.private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey)
    return pair.private


@dataclass(frozen=True, slots=True)
class Wish:
    """What a leaf says; every field is that of a good one until a test wants it otherwise."""

    identifiers: tuple[Identifier, ...] = NAMES
    not_before: datetime = NOW - timedelta(days=1)
    not_after: datetime = NOW + timedelta(days=89)
    ocsp_url: str | None = None
    issuer_urls: tuple[str, ...] = ()
    must_staple: bool = False
    authority_key_id: bytes | None = None
    extra_names: tuple[x509.GeneralName, ...] = ()
    constraints: x509.BasicConstraints | None = None


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that signs others, with its key."""

    certificate: x509.Certificate
    key: SigningKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def sub(
        self,
        name: str,
        *,
        not_after: datetime = NOW + timedelta(days=1000),
        not_before: datetime = NOW - timedelta(days=1000),
        constraints: x509.BasicConstraints | None = _CA,
    ) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _authority_builder(name, key, not_after, not_before, constraints)
        builder = builder.issuer_name(self.certificate.subject)
        return Authority(builder.sign(self.key, hashes.SHA256()), key)

    def crossed(self, other: "Authority") -> "Authority":
        """That authority, with a certificate of ours in place of its own."""
        name = other.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        builder = _authority_builder(str(name), other.key, NOW + timedelta(days=1000))
        return Authority(builder.issuer_name(self.certificate.subject).sign(self.key, hashes.SHA256()), other.key)

    def leaf(self, key: KeyPair, wish: Wish | None = None) -> bytes:
        """A leaf for that key, in PEM."""
        wish = wish or Wish()
        names = [_general_name(identifier) for identifier in wish.identifiers] + list(wish.extra_names)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.certificate.subject)
            .public_key(signing_key(key).public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(wish.not_before)
            .not_valid_after(wish.not_after)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
        places = [(AuthorityInformationAccessOID.OCSP, wish.ocsp_url)] if wish.ocsp_url else []
        places += [(AuthorityInformationAccessOID.CA_ISSUERS, url) for url in wish.issuer_urls]
        if places:
            access = [x509.AccessDescription(kind, x509.UniformResourceIdentifier(url)) for kind, url in places]
            builder = builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)
        if wish.must_staple:
            builder = builder.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
        if wish.constraints is not None:
            builder = builder.add_extension(wish.constraints, critical=True)
        if wish.authority_key_id is not None:
            builder = builder.add_extension(
                x509.AuthorityKeyIdentifier(wish.authority_key_id, None, None), critical=False
            )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def new_root(name: str = "Test Root", *, constraints: x509.BasicConstraints | None = _CA) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _authority_builder(name, key, NOW + timedelta(days=5000), constraints=constraints)
    return Authority(builder.issuer_name(_name(name)).sign(key, hashes.SHA256()), key)


@cache
def root() -> Authority:
    return new_root()


@cache
def intermediate() -> Authority:
    return root().sub("Test Intermediate")


def fullchain(key: KeyPair, wish: Wish | None = None) -> bytes:
    """Leaf, intermediate and root, as a CA sends them."""
    return intermediate().leaf(key, wish) + intermediate().pem + root().pem


def version_files(key: KeyPair, wish: Wish | None = None) -> VersionFiles:
    """A complete version; the request is only a stand-in."""
    whole = fullchain(key, wish)
    cert, chain = split_fullchain(whole)
    request = f"request for {key.key_id}\n".encode()
    return VersionFiles(privkey=key.pem, csr=request, cert=cert, chain=chain, fullchain=whole)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(identifier: Identifier) -> x509.GeneralName:
    if identifier.type is IdentifierType.IP:
        return x509.IPAddress(ip_address(identifier.value))
    return x509.DNSName(identifier.value)


def _authority_builder(
    name: str,
    key: SigningKey,
    not_after: datetime,
    not_before: datetime = NOW - timedelta(days=1000),
    constraints: x509.BasicConstraints | None = _CA,
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    return builder.add_extension(constraints, critical=True) if constraints is not None else builder
