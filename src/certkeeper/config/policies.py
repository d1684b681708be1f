"""What becomes of a certificate or of its files where things change, in the words of the page."""

from enum import StrEnum


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
