"""Daemons as child processes: started in the foreground, awaited, stopped by their pid."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from bed.waiting import DeadlinePassedError, wait_until

TAIL_LINES = 40
ADDRESS_IN_USE = ("address already in use", "address in use", "could not bind", "unable to bind", "can't bind")


class DaemonFailedError(RuntimeError):
    """A daemon died or did not become ready; the text ends with the tail of its log."""


class AddressInUseError(DaemonFailedError):
    """It died because somebody else has its port."""


def dies_with_us() -> tuple[str, ...]:
    """A command prefix: the kernel ends the daemon when the thread that started it ends, even by SIGKILL."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


class Process:
    """One daemon. `prefix` is put in front of its command (`ip netns exec NAME`, `faketime`, ...)."""

    running: ClassVar[list["Process"]] = []
    outlives: ClassVar[bool] = False
    """Set by a program that ends before its daemons do (a demo that leaves them running)."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        ready: Callable[[], bool],
        deadline: float = 30.0,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as out:
            self._log_start = out.tell()  # what an earlier one wrote is not ours
            self._child = subprocess.Popen(
                [*(() if self.outlives else dies_with_us()), *prefix, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=cwd or log.parent,
                env={**os.environ, **(env or {})},
                start_new_session=True,  # a Ctrl-C is for the tests; they stop their daemons themselves
            )
        self.running.append(self)
        try:
            wait_until(lambda: self._still_alive() and ready(), f"{name} is ready", deadline=deadline)
        except BaseException as error:
            self.stop()
            if isinstance(error, DeadlinePassedError):
                raise DaemonFailedError(f"{error}\n{self.tail()}") from None
            raise

    def _still_alive(self) -> bool:
        status = self._child.poll()
        if status is None:
            return True
        tail = self.tail()
        kind = AddressInUseError if any(words in tail.lower() for words in ADDRESS_IN_USE) else DaemonFailedError
        raise kind(f"{self.name} ended with status {status}\n{tail}")

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def said(self) -> str:
        """All that it logged so far."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The end of it."""
        return "\n".join(self.said().splitlines()[-lines:])

    def stop(self, *, grace: float = 5.0) -> None:
        """TERM, then KILL. Calling it again does nothing."""
        if self.alive:
            self._child.terminate()
            try:
                self._child.wait(grace)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if self in self.running:
            self.running.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
