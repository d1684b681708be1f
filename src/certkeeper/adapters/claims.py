"""Flocks in STATEDIR: one per lineage, zone and account that is being worked on, and one per run.

They hold whatever LOCKFILE says, and the kernel gives them back when a process ends, however it ends. The files stay:
one that is removed while somebody waits for it would be two locks. Nobody waits for a run's, so those of runs that are
over go.
"""

import errno
import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote

from certkeeper.adapters.files import FILE_MODE, FileMissing, explained
from certkeeper.adapters.state import make_state
from certkeeper.apply.ports import Busy
from certkeeper.base.names import Alias, DnsName

FOLDER = "locks"
_PATIENCE = 60.0
"""Seconds that a zone is waited for: another process holds it for one change only."""
_PACE = 0.02
_LONGEST = 200


class Claims:
    """This process's claims. Implements the port Claims; zones are claimed by the DNS adapter around each change."""

    def __init__(self, statedir: str) -> None:
        self._statedir = statedir
        self._held: dict[str, int] = {}
        self._mutex = threading.Lock()
        self._run = ""
        self._turns: dict[str, threading.Lock] = {}

    def hold(self, alias: Alias) -> None:
        """Raises Busy where another process has it, FileTrouble where STATEDIR cannot be used."""
        self._hold(_name("lineage", alias.text), f"{alias}: another certkeeper is working on it")

    def free(self, alias: Alias) -> None:
        self._free(_name("lineage", alias.text))

    def hold_account(self, ca: str) -> None:
        """As `hold`."""
        self._hold(_name("account", ca), f"{ca}: another certkeeper is setting its account up")

    def free_account(self, ca: str) -> None:
        self._free(_name("account", ca))

    @contextmanager
    def zone(self, zone: DnsName) -> Iterator[None]:
        """While this lasts, no other process of ours changes the zone.

        Raises:
            Busy: another process has it for longer than a minute.
        """
        name = _name("zone", zone.text)
        with self._mutex:
            turn = self._turns.setdefault(name, threading.Lock())
        with turn:
            fd = self._zone_file(name)
            deadline = time.monotonic() + _PATIENCE
            while not _try_flock(fd):
                if time.monotonic() >= deadline:
                    raise Busy(
                        f"zone {zone}: another certkeeper has been changing it for {_PATIENCE:.0f} s",
                        hint=f"see which: fuser -v {self._path(name)}",
                    )
                time.sleep(_PACE)
            try:
                yield
            finally:
                fcntl.flock(fd, fcntl.LOCK_UN)

    def run(self) -> str:
        """This run's mark: others can tell from it whether the run still goes on.

        Raises:
            FileTrouble: STATEDIR cannot be used.
        """
        with self._mutex:
            if not self._run:
                import secrets  # noqa: PLC0415 - random and hmac, for runs that publish something

                mark = f"{os.getpid()}-{secrets.token_hex(8)}"
                self._held[_name("run", mark)] = self._marked(_name("run", mark))
                self._run = mark
                self._sweep()
            return self._run

    def _marked(self, name: str) -> int:
        """The flock of a mark that is there: another run may have taken it for a killed one's before we had it."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            fd = self._flocked(name)
            if fd is None:
                time.sleep(_PACE)
            elif os.fstat(fd).st_nlink:
                return fd
            else:
                os.close(fd)
        raise Busy(f"{name}: somebody else has its lock", hint=f"see who: fuser -v {self._path(name)}")

    def _sweep(self) -> None:
        """Remove the marks of killed runs. One that is gone says the same of a run as one that nobody holds."""
        with suppress(OSError):
            for name in os.listdir(f"{self._statedir}/{FOLDER}"):  # noqa: PTH208 - text
                if name.startswith("run-") and name not in self._held:
                    self._remove_unheld(self._path(name))

    def _remove_unheld(self, path: str) -> None:
        with suppress(OSError):
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if _try_flock(fd):
                    os.unlink(path)  # noqa: PTH108 - as above
            finally:
                os.close(fd)

    def goes_on(self, run: str) -> bool:
        """Does the run with that mark still go on?

        Raises:
            FileTrouble: it cannot be found out.
        """
        if run and run == self._run:
            return True
        path = self._path(_name("run", run))
        with suppress(FileMissing), explained(path, "look at"):
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                return not _try_flock(fd)
            finally:
                os.close(fd)
        return False

    def bury(self, run: str) -> None:
        """Remove the mark of a run that is gone, or of this one when it is over."""
        with self._mutex:
            fd = self._held.pop(_name("run", run), None)
        with explained(self._path(_name("run", run)), "remove"):
            try:
                os.unlink(self._path(_name("run", run)))  # noqa: PTH108 - text, as everywhere in the adapters
            except FileNotFoundError:
                return
            finally:
                if fd is not None:
                    os.close(fd)

    def close(self) -> None:
        """Give back everything."""
        if self._run:
            self.bury(self._run)
        with self._mutex:
            held, self._held = self._held, {}
            self._run = ""
        for fd in held.values():
            os.close(fd)

    def _hold(self, name: str, taken: str) -> None:
        fd = self._flocked(name)
        if fd is None:
            raise Busy(taken, hint=f"see which: fuser -v {self._path(name)}")
        with self._mutex:
            self._held[name] = fd

    def _free(self, name: str) -> None:
        with self._mutex:
            fd = self._held.pop(name, None)
        if fd is not None:
            os.close(fd)

    def _path(self, name: str) -> str:
        return f"{self._statedir}/{FOLDER}/{name}"

    def _zone_file(self, name: str) -> int:
        """Kept open from the first change on: taking records away must not need a folder that can be written to."""
        with self._mutex:
            if name not in self._held:
                self._held[name] = self._opened(name)
            return self._held[name]

    def _opened(self, name: str) -> int:
        with make_state(self._statedir) as state:
            state.make_child(FOLDER).close()
        path = self._path(name)
        with explained(path, "lock"):
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)

    def _flocked(self, name: str) -> int | None:
        """A descriptor with the flock, None where somebody else has it."""
        fd = self._opened(name)
        with explained(self._path(name), "lock"):
            try:
                if _try_flock(fd):
                    return fd
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)
            return None


def _try_flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True


def _name(kind: str, text: str) -> str:
    """A file name that any alias, zone or mark can have."""
    safe = quote(text, safe="*")
    if len(safe) > _LONGEST:
        safe = f"{safe[:100]}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    return f"{kind}-{safe}"
