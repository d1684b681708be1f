"""LOCKFILE, shared with dehydrated: whoever creates the file has the lock.

dehydrated only looks whether the file is there, so a killed run blocks every later one. Ours holds a mark and is
flocked for as long as we run: a file with our mark and no flock is a killed run's, and is taken over.

    the file comes into being with mark and flock: it is made under another name, then linked, which fails where
    LOCKFILE exists; so no other certkeeper ever sees it without them, and dehydrated's own O_EXCL counts too
    whoever takes a stale file over flocks it, then looks whether LOCKFILE still is that file: the one before may
    have removed it in between
"""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from certkeeper.adapters.files import FILE_MODE, FileMissing, FileTrouble, explained, temporary_name, write_all
from certkeeper.base.atwork import AtWork
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, printable
from certkeeper.base.patterns import pattern
from certkeeper.base.times import from_epoch, iso
from certkeeper.base.value import dataclass

_MARK = pattern(rb"certkeeper ([0-9]+) (\S+)\n")
_DEHYDRATED = pattern(rb"[\w.-]*dehydrated[\w.-]*")
# Each round is lost to somebody who let go of the lock meanwhile.
_ROUNDS = 100
# Seconds between two attempts of one who waits.
_BETWEEN = 0.2
_UNLOCK = "certkeeper unlock"


class Locked(CertkeeperError):
    """Another run has the lock."""

    label = "locked"
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
            fd = _opened(self._path)
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
        left = _left(self._path, fd)
        if left is None:
            return False
        if not left.ours:
            raise Locked(
                f"{self._path}: locked by {left.text}",
                hint=f"if no dehydrated runs (pgrep -a dehydrated), it was killed: {_UNLOCK}, or rm {self._path}",
            )
        return True

    def _mark(self) -> bytes:
        return f"certkeeper {os.getpid()} {iso(self._now)}\n".encode()


@contextlib.contextmanager
def wait_for(make: Callable[[], LockFile], seconds: float, told: Callable[[Locked], None]) -> Iterator[LockFile]:
    """The lock, as soon as nobody else has it, within that many seconds.

    `make` makes it anew for each attempt, so that it says since when we really have it. `told` is called once, when the
    waiting begins. A signal whose handler raises ends it.

    Raises:
        Locked: somebody still has it.
        FileTrouble: the file cannot be made.
    """
    bound = time.monotonic() + seconds
    with contextlib.ExitStack() as held:
        waits = 0
        while True:
            try:
                lock = held.enter_context(make())
                break
            except Locked as error:
                left = bound - time.monotonic()
                if left <= 0:
                    raise
                if not waits:
                    told(error)
                waits += 1
                time.sleep(min(_BETWEEN, left))
        yield lock


def holder(path: str) -> AtWork | None:
    """Who has the lock, without taking it; None where nobody does, or where that cannot be seen. dehydrated's file may
    be of a killed run.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        content = os.pread(fd, 200, 0)
        mark = _MARK.match(content)
        if mark is None:
            ours = not _flocked(fd, fcntl.LOCK_SH)
            return AtWork("certkeeper" if ours else "dehydrated", None, None if ours else _changed(fd))
        # A file of a process that is gone is nobody's; it is not touched, since somebody may be taking it over.
        if not _alive(int(mark[1])) or _flocked(fd, fcntl.LOCK_SH):
            return None
        return AtWork("certkeeper", int(mark[1]), _instant(mark[2].decode("utf-8", "replace")))
    except OSError:
        return None
    finally:
        os.close(fd)


def _changed(fd: int) -> datetime:
    return from_epoch(int(os.fstat(fd).st_mtime))


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


@dataclass(frozen=True, slots=True)
class Left:
    """A lock file that nobody holds any more: whose it was, since when, for messages."""

    text: str
    ours: bool


def unlock(path: str, processes: str = "/proc") -> Left | None:
    """Take away a lock file that a killed run left; None where there is none.

    Raises:
        Locked: a certkeeper holds it, or it is dehydrated's and a dehydrated is running.
        FileTrouble: it is no lock file, or it cannot be seen which processes there are.
    """
    try:
        fd = _opened(path)
    except FileMissing:
        return None
    try:
        with explained(path, "use as the lock file"):
            left = _left(path, fd)
        if left is None:
            return None
        if not left.ours and (running := _dehydrated_running(processes)) is not None:
            raise Locked(
                f"{path}: locked by {left.text}; process {running} is running", hint=f"see it: ps -fp {running}"
            )
        # dehydrated does not know our flock: it may have ended meanwhile, and another one may have begun.
        if not _is_at(fd, path):
            return None
        with explained(path, "remove"):
            os.unlink(path)  # noqa: PTH108 - names and descriptors
        return left
    finally:
        os.close(fd)


def _opened(path: str) -> int:
    with explained(path, "open the lock file"):
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _left(path: str, fd: int) -> Left | None:
    """Whose the file was, with the flock held from now on; None where it is no longer the lock.

    Raises:
        Locked: a certkeeper holds it.
    """
    content = os.pread(fd, 200, 0)
    mark = _MARK.match(content)
    pid, since = (mark[1].decode(), printable(mark[2].decode("utf-8", "replace"), 40)) if mark else ("", "")
    if not _flocked(fd):
        if mark is None:
            raise Locked(f"{path}: locked by another certkeeper", hint=f"see which: fuser -v {path}")
        raise Locked(f"{path}: locked by certkeeper, process {pid}, since {since}", hint=f"see it: ps -fp {pid}")
    if not _is_at(fd, path):
        return None
    if mark is not None:
        return Left(f"certkeeper, process {pid}, since {since}", ours=True)
    said = printable(content.decode("utf-8", "replace"), 60)
    modified = iso(from_epoch(os.fstat(fd).st_mtime))
    return Left(f"dehydrated since {modified}" + (f" ({said})" if said else ""), ours=False)


def _dehydrated_running(processes: str) -> int | None:
    """A process, not this one, that has dehydrated among its words.

    Not as a folder on the way to something: `sudo certkeeper unlock --config /etc/dehydrated/config` is none.
    """
    with explained(processes, "see which processes there are"):
        pids = [int(name) for name in os.listdir(processes) if name.isascii() and name.isdigit()]  # noqa: PTH208
    if os.getpid() not in pids:
        raise FileTrouble(f"{processes}: does not show which processes there are", hint="mount -t proc proc /proc")
    for pid in sorted(set(pids) - {os.getpid()}):
        # One that ended meanwhile has no words any more.
        with contextlib.suppress(FileTrouble), explained(f"{processes}/{pid}/cmdline", "read"):
            fd = os.open(f"{processes}/{pid}/cmdline", os.O_RDONLY | os.O_CLOEXEC)
            try:
                words = os.read(fd, 4096).split(b"\0")
            finally:
                os.close(fd)
            if any(_DEHYDRATED.fullmatch(word.rpartition(b"/")[2]) for word in words):
                return pid
    return None


def _flocked(fd: int, how: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
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


def held_by(path: str) -> Left | None:
    """The lock file of a run that was killed, or of a dehydrated; None where there is none. It is only looked at.

    Raises:
        Locked: a certkeeper holds it.
        FileTrouble: it cannot be looked at.
    """
    try:
        with explained(path, "open the lock file"):
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileMissing:
        return None
    try:
        with explained(path, "use as the lock file"):
            return _left(path, fd)
    finally:
        os.close(fd)
