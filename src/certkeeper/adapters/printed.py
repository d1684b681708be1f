"""What a child process prints, read until it ends or its time is over; a part at the end is kept."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO

from certkeeper.adapters.files import FileMissing, explained

_KEPT = 1 << 16
_PIECE = 1 << 16
_PIPE = 1 << 20
"""Octets; more cannot be in a pipe when its writer ends (/proc/sys/fs/pipe-max-size)."""
_PACE = 0.05
_STANDBY = "read -r nothing; exec cat <&2 >/dev/null 2>/dev/null"
"""Waits for the end of its input, then reads the pipe that it got as its stderr to the end."""


def printed(start: "Callable[[FileIO], subprocess.Popen[bytes]]", bound: float, what: str) -> tuple[int | None, str]:
    """Start a child that prints into what it is given, as the leader of a session of its own, and see it end.

    `bound` is in seconds; `what` names its output in an error of the system's.

    Returns:
        Its status, None where it was killed because its time was over, with all of its process group; and the last
        part of what it printed. What it left running in the background is not waited for.
    """
    said = _Said()
    with _pipe(what) as (reading, writing), _standby(reading):
        with writing:
            child = start(writing)
        status = _followed(child, reading, said, bound)
    return status, said.text


def _followed(child: "subprocess.Popen[bytes]", reading: FileIO, said: "_Said", bound: float) -> int | None:
    """Read what it prints until it ended; its status, None where it had to be killed."""
    deadline = time.monotonic() + bound
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    late = 0
    while (left := deadline - time.monotonic()) > 0:
        # In this order: what it printed before its end is in the pipe by then.
        ended = child.poll() is not None
        if poll.poll(0 if ended else min(left, _PACE) * 1000):
            piece = os.read(reading.fileno(), _PIECE)
            said.add(piece)
            late += len(piece) if ended else 0
            if not piece:
                break
        elif ended:
            break
        # What it left running in the background may print for ever.
        if late > _PIPE:
            break
    with suppress(subprocess.TimeoutExpired):
        return child.wait(max(0.0, deadline - time.monotonic()))
    kill(child)
    return None


def kill(child: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


class _Said:
    """The last part of what was printed: there is no end to what a script may print, and what went wrong comes last."""

    def __init__(self) -> None:
        self._last = b""
        self._octets = 0

    def add(self, piece: bytes) -> None:
        self._octets += len(piece)
        self._last = (self._last + piece)[-_KEPT:]

    @property
    def text(self) -> str:
        cut = self._octets - len(self._last)
        text = self._last.decode("utf-8", "replace")
        return f"[the first {cut} octets were cut]\n{text}" if cut else text


@contextmanager
def _pipe(what: str) -> Iterator[tuple[FileIO, FileIO]]:
    """Its reading end and its writing end."""
    with explained(what, "read"):
        reading, writing = os.pipe()
    with FileIO(reading, "rb") as first, FileIO(writing, "wb") as second:
        yield first, second


@contextmanager
def _standby(reading: FileIO) -> Iterator[None]:
    """A process that reads on when we do not any more, because the call is over or because we were killed.

    So neither the program nor what it leaves running in the background is killed by SIGPIPE for printing something.
    """
    with _pipe("/bin/sh") as (theirs, ours):
        with theirs:
            child = _sleeper(theirs, reading)
        try:
            yield
        finally:
            # The end of its input. It ends as soon as nobody holds the pipe, which we do not wait for.
            ours.close()
            if child is not None:
                with suppress(subprocess.TimeoutExpired):
                    child.wait(_PACE)
                # Popen would warn of one that goes on.
                child.returncode = child.returncode or 0


def _sleeper(theirs: FileIO, reading: FileIO) -> "subprocess.Popen[bytes] | None":
    """None where this machine has no shell: then nobody reads on."""
    with suppress(FileMissing), explained("/bin/sh", "start"):
        return subprocess.Popen(
            ["/bin/sh", "-c", _STANDBY],
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=reading,
            start_new_session=True,
        )
    return None
