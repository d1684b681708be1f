"""For a Python with this folder on its PYTHONPATH: counts what it is about to do to files, and dies or waits there.

$BED_COUNT is a file that gets one letter for each of them. The process kills itself just before the one whose number is
$BED_DIE_AT, so nothing of the program has a chance to tidy up. Before it gives something the name
$BED_HOLD, it makes the file $BED_HELD and waits until that is gone.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time

_LETTERS = {
    "open": b"o",
    "os.link": b"l",
    "os.mkdir": b"m",
    "os.remove": b"d",
    "os.rename": b"r",
    "os.rmdir": b"d",
    "os.symlink": b"s",
    "os.truncate": b"t",
    "fcntl.flock": b"f",
    "sqlite3.connect": b"q",
    "subprocess.Popen": b"p",
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_PATIENCE = 60.0


def _counts(event: str, arguments: tuple[object, ...]) -> bool:
    if event != "open":
        return event in _LETTERS
    path, _, flags = arguments
    return isinstance(flags, int) and bool(flags & _WRITING) and "__pycache__" not in str(path)


def _count(counted: int, die_at: int) -> None:
    count, mutex = 0, threading.Lock()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if not _counts(event, arguments):
            return
        with mutex:
            count += 1
            os.write(counted, _LETTERS[event])
            if count == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _hold(name: str, held: str) -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in {"os.link", "os.rename"} or arguments[1] != name:
            return
        os.close(os.open(held, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        end = time.monotonic() + _PATIENCE
        with contextlib.suppress(FileNotFoundError):
            while time.monotonic() < end:
                os.stat(held)  # noqa: PTH116 - in a hook, the less is loaded the better
                select.select([], [], [], 0.01)

    sys.addaudithook(hook)


if "BED_COUNT" in os.environ:
    _count(
        os.open(os.environ["BED_COUNT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600),
        int(os.environ.get("BED_DIE_AT") or 0),
    )
if "BED_HOLD" in os.environ:
    _hold(os.environ["BED_HOLD"], os.environ["BED_HELD"])
