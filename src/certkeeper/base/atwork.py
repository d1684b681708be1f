"""Who is at work on a page now, as its lock file tells."""

from datetime import datetime

from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class AtWork:
    """Who has the lock, as far as that is known."""

    program: str
    pid: int | None = None
    since: datetime | None = None
