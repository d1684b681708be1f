"""Keys as values: what the operator wants (KeySpec), and a pair that a port has loaded or made (KeyPair)."""

from enum import StrEnum

from certkeeper.base.value import dataclass, field


class KeyAlgorithm(StrEnum):
    """The words of KEY_ALGO: dehydrated's, and Ed25519 (RFC 8410)."""

    RSA = "rsa"
    P256 = "prime256v1"
    P384 = "secp384r1"
    P521 = "secp521r1"
    ED25519 = "ed25519"


class KeyPolicy(StrEnum):
    """Which key the next certificate gets (the table of PRIVATE_KEY_RENEW and PRIVATE_KEY_ROLLOVER)."""

    NEW = "new"
    REUSE = "reuse"
    ROLLOVER = "rollover"
    """The next key is made one certificate ahead, so that it can be announced before it is used."""


@dataclass(frozen=True, slots=True)
class KeySpec:
    """`size` is in bits and counts for RSA only."""

    algorithm: KeyAlgorithm = KeyAlgorithm.P384
    size: int = 4096
    policy: KeyPolicy = KeyPolicy.NEW

    def __str__(self) -> str:
        return f"rsa-{self.size}" if self.algorithm is KeyAlgorithm.RSA else self.algorithm.value


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key in memory: the PEM that is on disk, the loaded object, and its key_id.

    `key_id` is the lower-case hex SHA-256 of the SubjectPublicKeyInfo: it joins key, certificate and TLSA record.
    Neither the PEM nor the object ever shows up in a repr.
    """

    key_id: str
    description: str
    pem: bytes = field(repr=False)
    private: object = field(repr=False)
