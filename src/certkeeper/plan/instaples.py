"""How it is with the OCSP response beside a certificate, for people and monitoring."""

from datetime import datetime
from enum import StrEnum

from certkeeper.base.value import dataclass


class Response(StrEnum):
    """What is there."""

    GOOD = "good"
    MISSING = "missing"
    ENDED = "ended"
    USELESS = "useless"
    """It is about another certificate, by somebody else, or says that the certificate is not good."""


@dataclass(frozen=True, slots=True)
class InStaple:
    """`since` (thisUpdate) and `until` are known of a good one. `message` is what is wrong, empty where nothing is.
    `needed`: clients refuse the certificate without a good one.
    """

    response: Response
    until: datetime | None = None
    message: str = ""
    needed: bool = False
    since: datetime | None = None

    @property
    def wrong(self) -> bool:
        """Somebody has to see to it. Without a response a certificate is as good as one that never had any."""
        return self.response is not Response.GOOD and (self.needed or self.response is not Response.MISSING)
