"""STATEDIR/history.jsonl: what happened to certificates, a line each, the oldest first.

Lines are added as things happen, so a kill loses at most the last one. A file that is full becomes history.1.jsonl,
in the place of the one before, so that there are never more than two of them. Nothing is decided by them, and they may
be deleted at any time.
"""

import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

from certkeeper.adapters.caches import USELESS
from certkeeper.adapters.files import FILE_MODE, FileTrouble, explained
from certkeeper.adapters.state import check_state, make_state
from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.times import iso
from certkeeper.plan.history import Happening, Kind

NAME = "history.jsonl"
EARLIER = "history.1.jsonl"
LARGEST = 4 << 20
"""Octets in a file: some twenty thousand lines."""
VERSION = 1
_LONGEST = 600
"""Characters of a text."""
_MOST = 50
"""Certificates that are named in one line; services may be reloaded for thousands at once."""
_APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class HistoryFile:
    """The record, in files of up to `largest` octets. `told` is called once where it cannot be written: nothing that
    happens depends on it.
    """

    def __init__(
        self, statedir: str, told: Callable[[str], None] = lambda _text: None, *, largest: int = LARGEST
    ) -> None:
        self._statedir = statedir
        self._told: Callable[[str], None] | None = told
        self._largest = largest
        self._fd: int | None = None

    def add(self, happening: Happening) -> None:
        """Write it down."""
        if self._told is None:
            return
        try:
            for line in _lines(happening):
                self._append(line)
        except CertkeeperError as error:
            told, self._told = self._told, None
            told(f"certkeeper: what happens is not written down: {error}")

    def newest(self) -> Iterator[Happening]:
        """All that is kept, the newest first; nothing where it cannot be read, or others may have written it."""
        with suppress(CertkeeperError):
            check_state(self._statedir)
            for name in (NAME, EARLIER):
                yield from reversed([item for item in map(parse, self._read(name)) if item is not None])

    def close(self) -> None:
        """What was written lasts."""
        if self._fd is not None:
            with suppress(OSError):
                os.fsync(self._fd)
            os.close(self._fd)
            self._fd = None

    def _read(self, name: str) -> list[bytes]:
        path = f"{self._statedir}/{name}"
        try:
            with explained(path, "read"), open(path, "rb", opener=_opened_to_read) as file:
                return file.read(2 * self._largest).splitlines()
        except FileTrouble:
            return []

    def _append(self, line: bytes) -> None:
        path = f"{self._statedir}/{NAME}"
        with explained(path, "write"):
            fd = self._fd if self._fd is not None else self._open(path)
            if os.fstat(fd).st_size + len(line) > self._largest:
                fd = self._turned(path, fd)
            _write(fd, line)

    def _open(self, path: str) -> int:
        make_state(self._statedir).close()
        fd = os.open(path, _APPEND, FILE_MODE)
        self._fd = fd
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise FileTrouble(f"{path}: not a regular file", hint="move it away")
        return fd

    def _turned(self, path: str, fd: int) -> int:
        """A new file; the full one gets its other name, unless somebody else has just done that."""
        fcntl.flock(fd, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(fd)):  # noqa: PTH116 - text
                os.rename(path, f"{self._statedir}/{EARLIER}")  # noqa: PTH104 - as above
        self.close()
        return self._open(path)


def _opened_to_read(path: str, _flags: int) -> int:
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)


def _write(fd: int, line: bytes) -> None:
    """In one call, so that lines of two processes do not mix. What a full disk or a lost machine cut off is ended."""
    size = os.fstat(fd).st_size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        line = b"\n" + line
    if os.write(fd, line) != len(line):
        raise OSError(None, "the line does not fit on the disk any more")


def _lines(happening: Happening) -> Iterator[bytes]:
    names = happening.certificates
    for start in range(0, max(len(names), 1), _MOST):
        yield render(happening, names[start : start + _MOST])


def render(happening: Happening, certificates: tuple[str, ...] | None = None) -> bytes:
    """One line."""
    entry: dict[str, object] = {
        "v": VERSION,
        "at": iso(happening.at),
        "kind": happening.kind.value,
        "certificates": list(happening.certificates if certificates is None else certificates),
        "text": printable(happening.text, _LONGEST),
    }
    more = {"about": happening.about, "hint": printable(happening.hint, _LONGEST)}
    entry |= {name: text for name, text in more.items() if text}
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def parse(line: bytes) -> Happening | None:
    """What a line says; None where it is cut off, damaged, or of a version to come."""
    try:
        entry = json.loads(line)
        if entry["v"] != VERSION:
            return None
        return Happening(
            datetime.fromisoformat(entry["at"]).astimezone(UTC),
            Kind(entry["kind"]),
            tuple(map(str, entry["certificates"])),
            printable(str(entry["text"])),
            printable(str(entry.get("about", ""))),
            printable(str(entry.get("hint", ""))),
        )
    except USELESS:
        return None
