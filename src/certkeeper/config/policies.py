"""What a certificate is for, and what becomes of it or of its files where things change, in the words of the page."""

from datetime import timedelta
from enum import StrEnum

from certkeeper.base.value import dataclass

DEFAULT_RENEW_DAYS = 32


class OnNameFailure(StrEnum):
    """What becomes of a certificate while one of its names cannot be proven."""

    BLOCK = "block"
    """It fails."""
    KEEP_OLD = "keep-old"
    """It fails; while the live one is good for long enough, that is a warning."""
    DROP = "drop"
    """It is ordered without that name."""


class Cleanup(StrEnum):
    """What happens after a run to files that no name leads to any more (AUTO_CLEANUP, AUTO_CLEANUP_DELETE)."""

    NO = "no"
    ARCHIVE = "archive"
    DELETE = "delete"


class Purpose(StrEnum):
    """What a certificate is for, which decides where it goes and who is told of it."""

    SERVE = "serve"
    """The CA is one that clients trust: into CERTDIR, and hooks are told."""
    REHEARSE = "rehearse"
    """A test CA's: into TEST_CERTDIR, and nobody is told."""
    STAND_IN = "stand-in"
    """A test CA's that the operator wants where services read, whatever clients say to it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How much earlier than RENEW_DAYS says a certificate of a large list may be renewed, so that they are not all
    renewed at once.
    """

    most: timedelta = timedelta(0)

    @classmethod
    def over(cls, certificates: int) -> "Spread":
        """For a page of that many. It grows with the page, and leaves small pages at the day that they know."""
        return cls(_FOR_EACH * max(certificates - _AT_ONCE, 0))


_AT_ONCE = 100
_FOR_EACH = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RenewPolicy:
    """`days` is RENEW_DAYS: renew when that many days or fewer are left. `wished`: a file of the page says so."""

    days: int = DEFAULT_RENEW_DAYS
    wished: bool = False
    spread: Spread = Spread()
