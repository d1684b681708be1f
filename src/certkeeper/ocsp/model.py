"""The nouns: which certificate is meant, what was said of it, and why an answer is of no use."""

from datetime import datetime, timedelta
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.value import dataclass, field

TOLERANCE = timedelta(minutes=5)
"""How far a responder's clock may be ahead of ours."""
LARGEST = 64 << 10
"""Octets. Real responses have 300 to 5,000, and every handshake carries one."""


class Flaw(StrEnum):
    """Why there is no staple."""

    NO_RESPONDER = "no-responder"
    """The certificate names nobody who could be asked."""
    NO_ISSUER = "no-issuer"
    """What follows the certificate did not sign it, or nothing follows."""
    HTTP = "http"
    """What came is no OCSP response by its status or its content type."""
    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    DECLINED = "declined"
    """The responder says that it will not answer: tryLater, unauthorized and their like (RFC 6960 §2.3)."""
    OTHER_CERTIFICATE = "other-certificate"
    SIGNER = "signer"
    """Signed by somebody who may not speak for the issuer (§4.2.2.2)."""
    SIGNATURE = "signature"
    NONCE = "nonce"
    NOT_YET = "not-yet"
    EXPIRED = "expired"
    NO_END = "no-end"
    """It says not when it ends, so nobody could tell when it is to be replaced."""
    OLDER = "older"
    """Older than what is in hand."""
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class NoStaple(CertkeeperError):
    """An answer that is not kept, or none at all.

    Attributes:
        flaw: what is wrong.
        revoked_at: when the certificate was taken back, where it was.
    """

    label = "ocsp-response"
    fault = Fault.REMOTE

    def __init__(
        self,
        flaw: Flaw,
        message: str,
        *,
        hint: str = "",
        retry_at: datetime | None = None,
        revoked_at: datetime | None = None,
    ) -> None:
        super().__init__(f"OCSP response: {message}", hint=hint, retry_at=retry_at)
        self.flaw = flaw
        self.revoked_at = revoked_at


class CertStatus(StrEnum):
    """What a responder says of a certificate (§2.2)."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CertId:
    """How a request and its response name a certificate (§4.1.1). Both hashes are SHA-1, as RFC 5019 §2.1.1 has it."""

    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int

    def __str__(self) -> str:
        return f"{self.issuer_key_hash.hex()}.{self.serial:x}"


@dataclass(frozen=True, slots=True)
class Subject:
    """A certificate, as far as it matters for when it is asked about. `name` is any text that no other one has."""

    name: str
    not_after: datetime
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Staple:
    """A response that was proven to be about the certificate and by its issuer. Instants are aware UTC.

    `until` is nextUpdate, or the end of the certificate of whoever signed it, whichever is first.
    `revocation_reason` is RFC 5280's word for it.
    """

    der: bytes = field(repr=False)
    status: CertStatus
    this_update: datetime
    next_update: datetime
    until: datetime
    signer: str
    revoked_at: datetime | None = None
    revocation_reason: str = ""

    @property
    def life(self) -> timedelta:
        return self.until - self.this_update
