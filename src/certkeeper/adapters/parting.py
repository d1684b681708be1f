"""Root parts from a page that another user keeps: a child becomes that user and reads on, root hears what it says.

Root stops reading where the page's own files name the user, as every command does; from there on it opens no file that
the user can change. Pipes are all that the two have in common: the child has a session of its own, no terminal, and no
other file that root holds open.
"""

import os
import pwd
import sys
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from certkeeper.adapters.keeper import Keeper
from certkeeper.adapters.relay import Relay
from certkeeper.adapters.users import become, parts
from certkeeper.config.reading import Became, Become, NotBecome

_PIECE = 1 << 16
_OPEN_FILES = "/proc/self/fd"


class Parted(Exception):
    """This process is root still, and reads no further; `keeper` is the child that does."""

    def __init__(self, keeper: Keeper) -> None:
        super().__init__("parted")
        self.keeper = keeper


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
    """Answers the step Become of a page. `root` is there in the child. `needed` are files that it has to read."""

    def __init__(self, needed: Callable[[], Iterable[str]] = parts) -> None:
        self.root: Root | None = None
        self._needed = needed

    def become(self, step: Become) -> Became | NotBecome:
        """Go on as that user, in a child where this is root and the user is not.

        Raises:
            Parted: in root's own process.
        """
        if os.geteuid() != 0 or _is_root(step.user):
            return become(step, self._needed())
        sys.stdout.flush()
        sys.stderr.flush()
        (heard, told), (answered, answering) = os.pipe(), os.pipe()
        (shown, showing), (complained, complaining) = os.pipe(), os.pipe()
        pid = os.fork()
        if pid:
            for fd in (told, answered, showing, complaining):
                os.close(fd)
            raise Parted(Keeper(step.user, pid, heard, answering, Relay({shown: sys.stdout, complained: sys.stderr})))
        os.setsid()
        _stand_in(showing, complaining)
        self.root = Root(told, answered)
        found = become(step, self._needed())
        close_others({0, 1, 2, told, answered})
        return found


def _stand_in(stdout: int, stderr: int) -> None:
    """In the place of the standard files, which may be root's terminal."""
    null = os.open(os.devnull, os.O_RDONLY)
    for fd, number in ((null, 0), (stdout, 1), (stderr, 2)):
        os.dup2(fd, number)


def close_others(kept: Collection[int]) -> None:
    """Close all files but these."""
    for name in os.listdir(_OPEN_FILES):  # noqa: PTH208 - text
        # One of them was that folder, and is closed.
        with suppress(OSError):
            if int(name) not in kept:
                os.close(int(name))


def _is_root(user: str) -> bool:
    try:
        return pwd.getpwnam(user).pw_uid == 0
    except KeyError:
        return False
