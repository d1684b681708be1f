"""One thread that ends what takes too long; a timer thread for each piece of work would cost more than the work."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from certkeeper.base.value import dataclass


@dataclass(slots=True, eq=False)
class _Watched:
    deadline: float
    end: Callable[[], None]
    over: bool = False


class Watchdog:
    """Work that is allowed the same time each, so that what begins first is late first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._begun: deque[_Watched] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, end: Callable[[], None]) -> Iterator[None]:
        """Call `end`, in another thread, if this lasts too long. It must not block, nor raise."""
        mine = _Watched(time.monotonic() + self._seconds, end)
        with self._changed:
            self._begun.append(mine)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()
            elif len(self._begun) == 1:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                mine.over = True
                while self._begun and self._begun[0].over:
                    self._begun.popleft()

    def _watch(self) -> None:
        with self._changed:
            while True:
                if not self._begun:
                    self._changed.wait()
                    continue
                first = self._begun[0]
                left = first.deadline - time.monotonic()
                if left > 0:
                    # Woken or not, who is first now is looked at anew.
                    self._changed.wait(left)
                    continue
                self._begun.popleft()
                if not first.over:
                    first.end()
