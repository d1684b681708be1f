"""dehydrated itself, on a configuration of its own kind, as people run it."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bed import binaries
from bed.process import dies_with_us
from bed.waiting import wait_until

LEAST = "0.7.2"
DEADLINE = 120.0

_HOOK = """#!/bin/sh
# Notes each call, and fails those named in $HOOK_FAILS.
echo "$*" >>{log}
case " $HOOK_FAILS " in *" $1 "*) exit 1 ;; esac
exit 0
"""

# It looks again after one or two seconds, at each challenge and each order; here the CA is ready long before.
_SHORT_SLEEP = """#!/bin/sh
exec {sleep} 0.1
"""


class DehydratedFailedError(AssertionError):
    """It ended with something else than what was expected; the text is what it said."""


def program() -> str:
    """Its path: $CERTKEEPER_DEHYDRATED, that of scripts/lib/dehydrated.sh, or outside CI an older installed one."""
    own = os.environ.get("CERTKEEPER_DEHYDRATED")
    found = shutil.which(own or binaries.cache_folder() / "dehydrated/usr/bin/dehydrated")
    if found:
        return found
    installed = None if own or os.environ.get("CI") else shutil.which("dehydrated")
    if installed:
        print(f"note: comparing with {installed}, which may be older than {LEAST}", file=sys.stderr)  # noqa: T201
        return installed
    return binaries.missing(
        f"{own or f'dehydrated {LEAST}'} is not here", "scripts/test downloads it; CERTKEEPER_DEHYDRATED names your own"
    )


def program_of_debian_12() -> str:
    """That of scripts/lib/dehydrated.sh: 0.7.0, which many still run."""
    found = shutil.which(binaries.cache_folder() / "dehydrated-bookworm/usr/bin/dehydrated")
    return found or binaries.missing("dehydrated 0.7.0 is not here", "scripts/test downloads it")


def shorten_sleep(folder: Path) -> None:
    """Put a `sleep` there that never takes long; for the front of a PATH."""
    _script(folder / "sleep", _SHORT_SLEEP.format(sleep=shutil.which("sleep") or "/bin/sleep"))


class Hook:
    """A hook that does nothing but note its calls; for a CA that finds every challenge valid."""

    def __init__(self, folder: Path, name: str = "hook.sh") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / name
        self.log = folder / f"{name}.log"
        self.log.touch()
        _script(self.path, _HOOK.format(log=shlex.quote(str(self.log))))

    def calls(self) -> list[str]:
        """One line a call: the hook's name and its arguments."""
        return self.log.read_text(encoding="utf-8").splitlines()

    def names(self) -> list[str]:
        """Which hooks were called, without the made-up one that tells a broken script."""
        named = [call.partition(" ")[0] for call in self.calls()]
        return [name for name in named if not name.startswith("this_hookscript_is_broken")]

    def forget(self) -> None:
        self.log.write_bytes(b"")


class Dehydrated:
    """The program with one configuration file. Its temporary files stay beside that file's folder."""

    def __init__(self, config: Path, program_: str | None = None) -> None:
        self.config = config
        self._program = program_ or program()
        self._tmp = config.parent.with_name(f"{config.parent.name}.tmp")
        self._bin = self._tmp / "bin"
        self._bin.mkdir(parents=True, exist_ok=True)
        shorten_sleep(self._bin)

    def register(self) -> str:
        return self.run("--register", "--accept-terms")

    def cron(self, *arguments: str, fails: bool = False, env: Mapping[str, str] | None = None) -> str:
        return self.run("--cron", *arguments, fails=fails, env=env)

    def cron_side_by_side(self, lines: Sequence[str], *arguments: str, instances: int, deadline: float) -> None:
        """The lines in equal parts, one instance for each; no certificate is in two of them."""
        self.config.with_name("chains").mkdir(exist_ok=True)  # else all of them make it
        with ExitStack() as stack:
            started = []
            for number in range(instances):
                part = self._tmp / f"domains{number}.txt"
                part.write_text("".join(f"{line}\n" for line in lines[number::instances]), encoding="utf-8")
                options = ("--cron", "--no-lock", "--domains-txt", str(part), *arguments)
                started.append(stack.enter_context(self._started(*options)))
            for run in started:
                run.end(fails=False, deadline=deadline)

    def cleanup(self, *, delete: bool = False) -> str:
        return self.run("--cleanup-delete" if delete else "--cleanup")

    def run(self, *arguments: str, fails: bool = False, env: Mapping[str, str] | None = None) -> str:
        """What it says, on either stream."""
        with self._started(*arguments, env=env) as run:
            return run.end(fails=fails, deadline=DEADLINE)

    def _started(self, *arguments: str, env: Mapping[str, str] | None = None) -> "_Run":
        self._await_a_new_stamp()
        # not the test's environment: what the script does not set by itself, it takes from there
        path = os.pathsep.join([str(self._bin), os.environ.get("PATH", os.defpath)])
        clean = {"PATH": path, "HOME": str(self._tmp), "TMPDIR": str(self._tmp), "LC_ALL": "C", "NO_PROXY": "*"}
        return _Run([self._program, "--config", str(self.config), *arguments], self._tmp, {**clean, **(env or {})})

    def _await_a_new_stamp(self) -> None:
        """It names files by the second, and takes a CSR that is there already for one that its hook made."""
        made = self.config.parent.glob("certs/*/cert-*.csr")
        newest = max((int(path.stem.rpartition("-")[2]) for path in made), default=0)
        wait_until(lambda: time.time() >= newest + 1, "the second of the last version is over")


class _Run:
    """One child process; what it says goes into a file, so that it never waits for a reader."""

    def __init__(self, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._said = tempfile.TemporaryFile(dir=cwd)  # noqa: SIM115 (closed at this object's own end)
        self._child = subprocess.Popen(
            [*dies_with_us(), *command],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )

    def end(self, *, fails: bool, deadline: float) -> str:
        code = self._child.wait(deadline)
        self._said.seek(0)
        out = self._said.read().decode(errors="replace")
        if (code != 0) != fails:
            raise DehydratedFailedError(f"dehydrated ended with {code}\n{out}")
        return out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGTERM)  # with its curl or openssl; it takes its lock away
            self._child.wait()
        self._said.close()


def _script(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
