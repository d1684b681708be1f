"""How far a long run has come, as an event."""

from datetime import timedelta
from typing import ClassVar

from certkeeper.base.events import Event
from certkeeper.base.times import duration_text
from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class Advanced(Event):
    """Told about once a second while many certificates are ordered; `seconds` is how long that has taken so far.

    `rate` is certificates per second of late, those counted that were not issued; `left` is None where nothing can be
    said yet.
    """

    label: ClassVar[str] = "advanced"
    issued: int
    failed: int
    postponed: int
    total: int
    seconds: float
    rate: float
    left: timedelta | None

    @property
    def text(self) -> str:
        ends = [f"{self.issued:,} of {self.total:,} issued"]
        ends += [
            f"{number:,} {how}" for number, how in ((self.failed, "failed"), (self.postponed, "postponed")) if number
        ]
        rate = f"{self.rate:.0f}/s" if self.rate >= 1 else f"{self.rate * 60:.0f}/min"
        left = [f"about {duration_text(self.left)} left"] if self.left is not None else []
        return ", ".join((*ends, rate, *left))
