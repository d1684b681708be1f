"""Root parts from a page that another user keeps: a child becomes that user and reads on, root hears what it says.

Root stops reading where the page's own files name the user, as every command does; from there on it opens no file that
the user can change. Two pipes are all that the two have in common. The child has a session of its own, so that it has
no terminal to type at.
"""

import os
import pwd
import select
import signal
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from certkeeper.adapters.users import become, parts
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.config.reading import Became, Become, NotBecome

LONGEST_DELIVERY = 600.0
"""Seconds in which the page has to be read; bash may evaluate it, and files may be on a server."""
LONGEST_END = 60.0
LAST_WORDS = 5.0
_PIECE = 1 << 16
_PACE = 0.02
_MOST_STATUS = 125


class NoDelivery(CertkeeperError):
    """The child said too much, or nothing in its time."""

    fault = Fault.OPERATOR
    local = True


class Parted(Exception):
    """This process is root still, and reads no further; `keeper` is the child that does."""

    def __init__(self, keeper: "Keeper") -> None:
        super().__init__("parted")
        self.keeper = keeper


class Keeper:
    """The child, as root sees it."""

    def __init__(self, user: str, pid: int, hearing: int, telling: int, last_words: float = LAST_WORDS) -> None:
        """`last_words` are seconds in which it may put things in order, once nobody listens any more."""
        self.user, self.pid = user, pid
        self._last_words = last_words
        self._hearing, self._telling = hearing, telling
        self._status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # It finds out that nobody listens any more, and gives back what it holds.
        self._leave()
        self._wait(self._last_words)
        self._kill()

    def hear(self, most: int, seconds: float = LONGEST_DELIVERY) -> bytes:
        """All that it says, empty where it says nothing.

        Raises:
            NoDelivery: it is more than that, or does not come to an end in time.
        """
        pieces: list[bytes] = []
        length, until = 0, time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and select.select([self._hearing], [], [], left)[0]:
            if not (piece := os.read(self._hearing, _PIECE)):
                return b"".join(pieces)
            pieces.append(piece)
            length += len(piece)
            if length > most:
                raise NoDelivery(f"user {self.user}: hands over more than {most} octets")
        raise NoDelivery(
            f"user {self.user}: did not read the page within {seconds:g} s",
            hint=f"see where it waits: sudo -u {self.user} certkeeper status",
        )

    def tell(self, octets: bytes, seconds: float = LONGEST_END) -> None:
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
        self._wait(seconds)
        self._kill()
        code = os.waitstatus_to_exitcode(self._status or 0)
        return code if 0 <= code <= _MOST_STATUS else 1

    def _look(self) -> None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None

    def _kill(self) -> None:
        """Its locks end with it, and what it holds on disk is put in order by the next run."""
        self._look()
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._status = os.waitpid(self.pid, 0)[1]

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._look()
        while self._status is None and time.monotonic() < until:
            time.sleep(_PACE)
            self._look()

    def _leave(self) -> None:
        for fd in (self._hearing, self._telling):
            if fd >= 0:
                os.close(fd)
        self._hearing = self._telling = -1


class Root:
    """Root, as the child sees it."""

    def __init__(self, telling: int, hearing: int) -> None:
        self._telling, self._hearing = telling, hearing

    def deliver(self, octets: bytes) -> None:
        """Say it, and say no more. Raises BrokenPipeError: nobody listens any more."""
        while octets:
            octets = octets[os.write(self._telling, octets) :]
        os.close(self._telling)

    def answer(self, most: int) -> bytes:
        """What comes back; empty where root ended early."""
        pieces: list[bytes] = []
        while (piece := os.read(self._hearing, _PIECE)) and sum(map(len, pieces)) <= most:
            pieces.append(piece)
        return b"".join(pieces)


class Parting:
    """Answers the step Become of a page. `root` is there in the child."""

    def __init__(self) -> None:
        self.root: Root | None = None

    def become(self, step: Become) -> Became | NotBecome:
        """Go on as that user, in a child where this is root and the user is not.

        Raises:
            Parted: in root's own process.
        """
        if os.geteuid() != 0 or _is_root(step.user):
            return become(step, parts())
        sys.stdout.flush()
        sys.stderr.flush()
        (heard, told), (answered, answering) = os.pipe(), os.pipe()
        pid = os.fork()
        if pid:
            os.close(told)
            os.close(answered)
            raise Parted(Keeper(step.user, pid, heard, answering))
        os.close(heard)
        os.close(answering)
        os.setsid()
        self.root = Root(told, answered)
        return become(step, parts())


def _is_root(user: str) -> bool:
    try:
        return pwd.getpwnam(user).pw_uid == 0
    except KeyError:
        return False
