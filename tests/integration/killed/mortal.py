"""The installed program in a process group of its own, and the ways to kill it in the middle."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bed.faults import Asked, Fault, HangUp, Rewrite
from bed.process import dies_with_us
from builders.page import DEADLINE, Page, environment

COUNTED = Path(__file__).with_name("counted")


def watched_over() -> dict[str, str]:
    """An environment in which `counted/sitecustomize.py` is loaded."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(COUNTED), os.environ.get("PYTHONPATH"))))}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. `killed`: by us, before its own end."""

    code: int
    text: str
    seconds: float

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def stopped(self) -> bool:
        """By SIGINT or SIGTERM: in an orderly way, or before there was anything to put in order."""
        return self.code in {130, 143, -signal.SIGINT, -signal.SIGTERM}


class Run:
    """`certkeeper run`, started by the constructor."""

    def __init__(
        self,
        page: Page,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        terminal: int | None = None,
    ) -> None:
        """`terminal`: a descriptor that takes the place of all three streams."""
        self._said = tempfile.TemporaryFile(dir=page.folder.parent)  # noqa: SIM115 - closed when it ended
        command = [sys.executable, "-m", "certkeeper", "run", "--accept-terms", "--config", str(page.config)]
        self._began = time.monotonic()
        self.child = subprocess.Popen(
            [*dies_with_us(), *prefix, *command, *arguments],
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=self._said if terminal is None else terminal,
            stderr=subprocess.STDOUT,
            cwd=page.folder,
            env=environment(env),
            start_new_session=not prefix,
        )

    @property
    def pid(self) -> int:
        return self.child.pid

    def send(self, number: signal.Signals) -> None:
        self.child.send_signal(number)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """The whole group at once."""
        if self.child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.child.pid, number)

    def goes_on(self, seconds: float = 0.0) -> bool:
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def said(self) -> str:
        """So far. Read without moving the place where the program writes, which it shares."""
        return os.pread(self._said.fileno(), os.fstat(self._said.fileno()).st_size, 0).decode(errors="replace")

    def end(self, deadline: float = DEADLINE) -> Ended:
        try:
            code = self.child.wait(deadline)
            seconds = time.monotonic() - self._began
            return Ended(code, self.said(), seconds)
        finally:
            self.close()

    def close(self) -> None:
        if self.child.poll() is None:
            self.kill()
            self.child.wait()
        self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Tripwire:
    """The rule of all proxies between a run and its servers: counts requests, and cuts at one of them."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._at = 0
        self._answered = False
        self._cut: Callable[[], None] | None = None
        self.count = 0

    def arm(self, at: int, cut: Callable[[], None] | None, *, answered: bool = False) -> None:
        """Count anew; at that request call `cut`: before it is passed on, or once the server has answered it."""
        with self._mutex:
            self.count, self._at, self._cut, self._answered = 0, at, cut, answered

    def rule(self, _asked: Asked) -> Fault | None:
        with self._mutex:
            self.count += 1
            if self._cut is None or self.count != self._at:
                return None
            cut, answered = self._cut, self._answered
        if answered:
            return Rewrite(lambda content: (cut(), content)[1])
        cut()
        return HangUp()


class Hook:
    """A script that notes the end of each call, and may kill the program that calls it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.path = folder / "hook.sh"
        self._log = folder / "calls"
        self._moment = folder / "moment"
        self._log.touch()
        self.path.write_text(
            "#!/bin/sh\n"
            f"echo begin >>'{self._log}'\n"
            f"moment=$(cat '{self._moment}' 2>/dev/null)\n"
            '[ "$moment" = "$1 begin" ] && kill -9 $PPID\n'
            f"echo \"end $*\" >>'{self._log}'\n"
            '[ "$moment" = "$1 end" ] && kill -9 $PPID\n'
            "exit 0\n",
            encoding="utf-8",
        )
        self.path.chmod(0o755)

    def arm(self, occasion: str, moment: str) -> None:
        self._moment.write_text(f"{occasion} {moment}", encoding="utf-8")

    def disarm(self) -> None:
        self._moment.unlink(missing_ok=True)

    def idle(self) -> bool:
        """No call is under way. One outlives the program that made it."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return lines.count("begin") * 2 == len(lines)

    def calls(self) -> list[list[str]]:
        """The arguments of each call that came to its end."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [line.split()[1:] for line in lines if line != "begin"]


@dataclass(frozen=True, slots=True)
class Means:
    """What a blow works with."""

    page: Page
    tripwire: Tripwire
    hook: Hook
    operations: Path

    def counted(self, die_at: int = 0) -> dict[str, str]:
        """An environment in which file operations are counted, in `operations`."""
        self.operations.unlink(missing_ok=True)
        return {**watched_over(), "BED_COUNT": str(self.operations), "BED_DIE_AT": str(die_at)}


@dataclass(frozen=True, slots=True)
class Figures:
    """What an undisturbed run comes to. `operations` has a letter for each."""

    seconds: float
    requests: int
    operations: str


@dataclass(frozen=True, slots=True)
class AtTime:
    seconds: float
    number: signal.Signals = signal.SIGKILL

    def strike(self, means: Means, *arguments: str) -> Ended:
        run = Run(means.page, *arguments)
        if run.goes_on(self.seconds):
            run.kill(self.number)
        return run.end()


@dataclass(frozen=True, slots=True)
class AtRequest:
    """At that request to the CA or to PowerDNS."""

    number: int
    answered: bool

    def strike(self, means: Means, *arguments: str) -> Ended:
        started = threading.Event()
        runs: list[Run] = []

        def cut() -> None:
            started.wait(DEADLINE)
            runs[0].kill()

        means.tripwire.arm(self.number, cut, answered=self.answered)
        runs.append(Run(means.page, *arguments))
        started.set()
        return runs[0].end()


@dataclass(frozen=True, slots=True)
class AtOperation:
    """Just before that operation on files."""

    number: int

    def strike(self, means: Means, *arguments: str) -> Ended:
        return Run(means.page, *arguments, env=means.counted(self.number)).end()


@dataclass(frozen=True, slots=True)
class AtHook:
    """At the beginning of a hook's call for that occasion, or at its end."""

    occasion: str
    moment: str

    def strike(self, means: Means, *arguments: str) -> Ended:
        means.hook.arm(self.occasion, self.moment)
        try:
            return Run(means.page, *arguments).end()
        finally:
            means.hook.disarm()


Blow = AtTime | AtRequest | AtOperation | AtHook
