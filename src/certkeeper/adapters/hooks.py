"""The operator's scripts, called as dehydrated calls them: the occasion as first argument, then its own arguments."""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import FileIO

from certkeeper.adapters.bash import function_call
from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.adapters.files import FileMissing, explained
from certkeeper.apply.ports import HookCall
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.config.shell import Shell

DEADLINE = 600.0
"""Seconds. A script that restarts services may take its time; one that hangs must not hold the certificates up."""
_BARE = Shell({})
_KEPT = 1 << 16
_TOLD = 600
_PIECE = 1 << 16
_PIPE = 1 << 20
"""Octets; more cannot be in a pipe when its writer ends (/proc/sys/fs/pipe-max-size)."""
_PACE = 0.05
_STANDBY = "read -r nothing; exec cat <&2 >/dev/null 2>/dev/null"
"""Waits for the end of its input, then reads the pipe that it got as its stderr to the end."""


class HookFailed(CertkeeperError):
    """The script could not be started, did not end, or ended with another status than 0."""

    fault = Fault.OPERATOR
    local = True


class Hooks:
    """Implements the port Hooks."""

    def __init__(self, deadline: float = DEADLINE, shell: Shell = _BARE) -> None:
        self._deadline = deadline
        self._shell = shell
        # Scripts of others are not made for running twice at once.
        self._turn = threading.Lock()

    def call(self, call: HookCall) -> str:
        with self._turn:
            return self._call(call)

    def _call(self, call: HookCall) -> str:
        said = _Said()
        with _pipe() as (reading, writing), _standby(reading):
            with writing:
                child = _started(call, writing, self._shell)
            status = self._followed(child, reading, said)
        if status is None:
            raise HookFailed(
                f"hook {call.script} {call.name}: did not end within {self._deadline:.0f} s and was killed",
                hint=_hint(call),
            )
        if status != 0:
            how = f"signal {-status}" if status < 0 else f"status {status}"
            last = printable(said.text.rstrip()[-_TOLD:])
            raise HookFailed(
                f"hook {call.script} {call.name}: ended with {how}" + (f": {last}" if last else ""),
                hint=_hint(call),
            )
        return said.text

    def _followed(self, child: "subprocess.Popen[bytes]", reading: FileIO, said: "_Said") -> int | None:
        """Read what it prints until it ended; its status, None where it had to be killed."""
        deadline = time.monotonic() + self._deadline
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
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return None


def _hint(call: HookCall) -> str:
    if call.name == "deploy_cert":
        return "the certificate is live; the next run calls the hook again"
    return "the script has the last word on what went wrong: see its own log, or call it by hand with these arguments"


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


def _started(call: HookCall, writing: FileIO, shell: Shell) -> "subprocess.Popen[bytes]":
    command, environment = _command(call, shell)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.STDOUT,
            env=environment,
            # An interruption from the terminal is for us: the script ends in its own time.
            start_new_session=True,
        )
    except OSError as error:
        if (starved := out_of_descriptors(f"hook {call.script} {call.name}", error)) is not None:
            raise starved from error
        reason = (error.strerror or str(error)).lower()
        raise HookFailed(
            f"hook {call.script} {call.name}: cannot be started: {reason}",
            hint=f"HOOK is the path of one executable file: ls -l {call.script}",
        ) from error


def _command(call: HookCall, shell: Shell) -> tuple[list[str], dict[str, str]]:
    """What to execute, and its environment: ours, what the page exports, and what the call has."""
    own = dict(call.environment)
    if call.script in shell.callable:
        seen = replace(shell, variables={**shell.variables, **own}, exported=shell.exported | own.keys())
        return function_call(seen, call.script, (call.name, *call.arguments))
    exported = {name: value for name, value in shell.variables.items() if name in shell.exported}
    return [call.script, call.name, *call.arguments], {**os.environ, **exported, **own}


@contextmanager
def _pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """Its reading end and its writing end."""
    with explained("the hook's output", "read"):
        reading, writing = os.pipe()
    with FileIO(reading, "rb") as first, FileIO(writing, "wb") as second:
        yield first, second


@contextmanager
def _standby(reading: FileIO) -> Iterator[None]:
    """A process that reads on when we do not any more, because the call is over or because we were killed.

    So neither the script nor what it leaves running in the background is killed by SIGPIPE for printing something.
    """
    with _pipe() as (theirs, ours):
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
