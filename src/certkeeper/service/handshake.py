"""What one connection to one address of an endpoint showed."""

from datetime import datetime
from enum import StrEnum

from certkeeper.base.value import dataclass
from certkeeper.service.endpoint import Endpoint


class KeyFamily(StrEnum):
    """Which certificate a server with two of them is asked for."""

    ANY = "any"
    RSA = "rsa"
    ECDSA = "ecdsa"


class Trouble(StrEnum):
    """Why there was no handshake."""

    UNRESOLVED = "unresolved"
    """The host has no address, or the resolver does not say."""
    UNREACHABLE = "unreachable"
    """Nobody listens there, or the way there is blocked."""
    TIMEOUT = "timeout"
    NO_TLS = "no-tls"
    """The server speaks, and offers no TLS."""
    REFUSED = "refused"
    """The server does not complete a handshake."""
    NO_SUCH_KEY = "no-such-key"
    """It completes one, but not with a certificate of the family asked for."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One handshake to make."""

    endpoint: Endpoint
    family: KeyFamily = KeyFamily.ANY


@dataclass(frozen=True, slots=True)
class Staple:
    """The OCSP response of a handshake (RFC 6066 §8). `status` is good, revoked or unknown, or why there is none."""

    status: str
    this_update: datetime | None = None
    next_update: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handshake:
    """A handshake that went through, whatever is to be said of its certificates.

    `chain` is what the server sent, the leaf first, in DER. `untrusted` is why the chain does not lead to a root that
    is trusted here, empty where it does; `unknown_issuer`: because nobody knows who issued its last certificate.
    `seconds` is how long it took from the first packet on.
    """

    target: Contact
    address: str
    chain: tuple[bytes, ...]
    version: str
    untrusted: str = ""
    staple: Staple | None = None
    seconds: float = 0.0
    unknown_issuer: bool = False


@dataclass(frozen=True, slots=True)
class Unseen:
    """No handshake. `address` is empty where none was found out."""

    target: Contact
    address: str
    trouble: Trouble
    message: str


Look = Handshake | Unseen
