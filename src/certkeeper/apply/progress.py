"""How far a run with many orders has come: a rate of late, and from it the time that is left."""

from collections import deque
from datetime import timedelta

from certkeeper.base.progress import Advanced
from certkeeper.plan.actions import Postponed

MANY = 20
"""Orders; a run with fewer is told by its single lines."""
EVERY = 1.0
"""Seconds between two looks."""
OF_LATE = 60
"""Looks that the rate is from: a CA or a server that slows down shows, and a wave that ends does not."""


class Progress:
    """Counts how orders end. Seconds are a monotonic clock's, and come from whoever calls."""

    def __init__(self, total: int, began: float) -> None:
        self._total = total
        self._began = began
        self._issued = self._failed = self._postponed = 0
        self._looks = deque([(began, 0)], maxlen=OF_LATE)

    def ended(self, error: Exception | None) -> None:
        if error is None:
            self._issued += 1
        elif isinstance(error, Postponed):
            self._postponed += 1
        else:
            self._failed += 1

    def look(self, now: float) -> Advanced | None:
        """What is to be told now; None where the last time was a moment ago, or there is little to tell."""
        done = self._issued + self._failed + self._postponed
        if self._total < MANY or done >= self._total or now - self._looks[-1][0] < EVERY:
            return None
        since, before = self._looks[0]
        rate = (done - before) / (now - since)
        self._looks.append((now, done))
        left = timedelta(seconds=(self._total - done) / rate) if rate else None
        return Advanced(self._issued, self._failed, self._postponed, self._total, now - self._began, rate, left)
