"""What happened to OCSP responses, as events."""

from typing import ClassVar

from certkeeper.base.events import Event, Noted
from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class StapleKept(Event):
    """A newer response is beside the certificate; `until` is when it ends."""

    label: ClassVar[str] = "staple-kept"
    lineage: str
    until: str

    @property
    def text(self) -> str:
        return f"{self.lineage}: new OCSP response, good until {self.until}"


@dataclass(frozen=True, slots=True)
class CertificateRevoked(Noted):
    """The CA took a certificate back that is live here; nobody asked for that here. Told even where little is."""

    label: ClassVar[str] = "certificate-revoked"

    @property
    def text(self) -> str:
        return f"{self.subject}: REVOKED: {self.message}"
