"""The child that is DEHYDRATED_USER, as root sees it: whatever it does, root comes to an end.

It is heard within a time and a number of octets, told within a time, and killed where it does not end.
"""

import os
import select
import signal
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from certkeeper.adapters.relay import Relay
from certkeeper.base.errors import CertkeeperError, Fault

LONGEST_DELIVERY = 600.0
"""Seconds in which the page has to be read; bash may evaluate it, and files may be on a server."""
LONGEST_TELLING = 60.0
LONGEST_END = 300.0
"""Its journal is written, and its hooks are called at the end."""
LAST_WORDS = 5.0
_PIECE = 1 << 16
_PACE = 0.02
_MOST_STATUS = 125


class NoDelivery(CertkeeperError):
    """The child said too much, or nothing in its time."""

    label = "handed-over"
    fault = Fault.OPERATOR
    local = True


class Keeper:
    """The child. `hearing` and `telling` are pipes from it and to it; what it prints comes through `printed`."""

    def __init__(
        self, user: str, pid: int, hearing: int, telling: int, printed: Relay, last_words: float = LAST_WORDS
    ) -> None:
        """`last_words` are seconds in which it may put things in order, once nobody listens any more."""
        self.user, self.pid = user, pid
        self._last_words = last_words
        self._hearing, self._telling = hearing, telling
        self._printed = printed
        self._status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # It finds out that nobody listens any more, and gives back what it holds.
        self.end(self._last_words)

    def hear(self, most: int, seconds: float = LONGEST_DELIVERY) -> bytes:
        """All that it says, empty where it says nothing.

        Raises:
            NoDelivery: it is more than that, or does not come to an end in time.
        """
        pieces: list[bytes] = []
        length, until = 0, time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for fd in select.select([self._hearing, *self._printed.open], [], [], left)[0]:
                if fd != self._hearing:
                    self._printed.pass_on(fd)
                elif piece := os.read(fd, _PIECE):
                    pieces.append(piece)
                    length += len(piece)
                else:
                    return b"".join(pieces)
            if length > most:
                raise NoDelivery(f"user {self.user}: hands over more than {most} octets")
        raise NoDelivery(
            f"user {self.user}: did not read the page within {seconds:g} s",
            hint=f"see where it waits: sudo -u {self.user} certkeeper status",
        )

    def tell(self, octets: bytes, seconds: float = LONGEST_TELLING) -> None:
        """Who does not listen is not told."""
        os.set_blocking(self._telling, False)
        until = time.monotonic() + seconds
        with suppress(BrokenPipeError):
            while octets and (left := until - time.monotonic()) > 0:
                if select.select([], [self._telling], [], left)[1]:
                    octets = octets[os.write(self._telling, octets[:_PIECE]) :]
        os.close(self._telling)
        self._telling = -1

    def end(self, seconds: float = LONGEST_END) -> int:
        """Its exit code, once it has ended; 1 where it had to be killed."""
        self._leave()
        until = time.monotonic() + seconds
        while not self._ended() and time.monotonic() < until:
            self._printed.read(_PACE) if self._printed.open else time.sleep(_PACE)
        self._kill()
        self._printed.close()
        code = os.waitstatus_to_exitcode(self._status or 0)
        return code if 0 <= code <= _MOST_STATUS else 1

    def _ended(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def _kill(self) -> None:
        """Its locks end with it, and what it holds on disk is put in order by the next run."""
        if not self._ended():
            os.kill(self.pid, signal.SIGKILL)
            self._status = os.waitpid(self.pid, 0)[1]

    def _leave(self) -> None:
        for fd in (self._hearing, self._telling):
            if fd >= 0:
                os.close(fd)
        self._hearing = self._telling = -1
