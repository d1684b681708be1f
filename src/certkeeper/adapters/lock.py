"""LOCKFILE, shared with dehydrated: whoever creates the file has the lock.

dehydrated only looks whether the file is there, so a killed run blocks every later one. Ours holds a mark and is
flocked for as long as we run: a file with our mark and no flock is a killed run's, and is taken over.

    the file comes into being with mark and flock: it is made under another name, then linked, which fails where
    LOCKFILE exists; so no other certkeeper ever sees it without them, and dehydrated's own O_EXCL counts too
    whoever takes a stale file over flocks it, then looks whether LOCKFILE still is that file: the one before may
    have removed it in between
"""

import errno
import fcntl
import os
import re
from datetime import datetime
from types import TracebackType
from typing import Self

from certkeeper.adapters.files import FILE_MODE, FileMissing, explained, temporary_name, write_all
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, printable
from certkeeper.base.times import from_epoch, iso

_MARK = re.compile(rb"certkeeper ([0-9]+) (\S+)\n")
# Each round is lost to somebody who let go of the lock meanwhile.
_ROUNDS = 100


class Locked(CertkeeperError):
    """Another run has the lock."""

    fault = Fault.OPERATOR
    exit_code = ExitCode.LOCKED


class LockFile:
    """The lock as a context; entering it never waits.

    Raises on entering:
        Locked: another certkeeper is running, or dehydrated is, or was killed.
        FileTrouble: the file cannot be made.
    """

    def __init__(self, path: str, now: datetime) -> None:
        self._path = path
        self._now = now
        self._fd = -1

    def __enter__(self) -> Self:
        for _ in range(_ROUNDS):
            fd = self._create() or self._take_over()
            if fd is not None:
                self._fd = fd
                return self
        raise Locked(f"{self._path}: other runs take it again and again", hint="try again")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # Unlinked while it is still flocked, and only if nobody put another file there.
            if _is_at(self._fd, self._path):
                with explained(self._path, "remove"):
                    os.unlink(self._path)  # noqa: PTH108 - names and descriptors
        finally:
            os.close(self._fd)
            self._fd = -1

    def _create(self) -> int | None:
        """A descriptor of the new lock file, None where there is one already."""
        folder, name = os.path.split(self._path)
        temporary = os.path.join(folder, temporary_name(name))  # noqa: PTH118 - names and descriptors
        if not os.path.isdir(folder or "."):  # noqa: PTH112 - names and descriptors
            raise FileMissing(f"{self._path}: its folder is missing", hint=f"make it, or set LOCKFILE: mkdir {folder}")
        with explained(self._path, "create the lock file"):
            _unlink_if_there(temporary)
            fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                write_all(fd, self._mark())
                os.link(temporary, self._path, follow_symlinks=False)
            except FileExistsError:
                os.close(fd)
                return None
            except BaseException:
                os.close(fd)
                raise
            finally:
                _unlink_if_there(temporary)
        return fd

    def _take_over(self) -> int | None:
        """A descriptor of a killed run's lock file, None where it went away meanwhile."""
        try:
            with explained(self._path, "open the lock file"):
                fd = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileMissing:
            return None
        try:
            with explained(self._path, "use as the lock file"):
                if not self._is_stale(fd):
                    os.close(fd)
                    return None
                os.ftruncate(fd, 0)
                os.lseek(fd, 0, os.SEEK_SET)
                write_all(fd, self._mark())
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _is_stale(self, fd: int) -> bool:
        """True with the flock held; False where the file is no longer the lock."""
        content = os.pread(fd, 200, 0)
        mark = _MARK.match(content)
        if not _flocked(fd):
            raise self._running(mark)
        if not _is_at(fd, self._path):
            return False
        if mark is None:
            raise self._dehydrated(content, os.fstat(fd).st_mtime)
        return True

    def _running(self, mark: re.Match[bytes] | None) -> Locked:
        if mark is None:
            return Locked(f"{self._path}: locked by another certkeeper", hint=f"see which: fuser -v {self._path}")
        pid, since = mark[1].decode(), printable(mark[2].decode("utf-8", "replace"), 40)
        return Locked(f"{self._path}: locked by certkeeper, process {pid}, since {since}", hint=f"see it: ps -fp {pid}")

    def _dehydrated(self, content: bytes, modified: float) -> Locked:
        said = printable(content.decode("utf-8", "replace"), 60)
        since = f"{iso(from_epoch(modified))} ({said})" if said else iso(from_epoch(modified))
        return Locked(
            f"{self._path}: locked by dehydrated since {since}",
            hint=f"if no dehydrated runs (pgrep -a dehydrated), it was killed: rm {self._path}",
        )

    def _mark(self) -> bytes:
        return f"certkeeper {os.getpid()} {iso(self._now)}\n".encode()


def _flocked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True


def _is_at(fd: int, path: str) -> bool:
    try:
        there = os.stat(path, follow_symlinks=False)  # noqa: PTH116 - names and descriptors
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(fd))


def _unlink_if_there(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108 - names and descriptors
    except FileNotFoundError:
        return
