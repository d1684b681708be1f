"""The operator's scripts, called as dehydrated calls them: the occasion as first argument, then its own arguments."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import FileIO

from certkeeper.adapters.bash import function_call
from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.adapters.files import FileMissing, explained
from certkeeper.adapters.scripts import open_to_everybody, scripts_of
from certkeeper.apply.ports import HookCall
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.config.providers import is_pdns_script
from certkeeper.config.shell import Shell

_BARE = Shell({})
_UNKNOWN = "this_hookscript_is_broken"
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
    """Implements the port Hooks: what scripts print is collected."""

    def __init__(self, shell: Shell = _BARE) -> None:
        self._shell = shell
        # Scripts of others are not made for running twice at once.
        self._turn = threading.Lock()

    def call(self, call: HookCall) -> str:
        with self._turn:
            return call_each(call, self._shell, _collected)


class ShownHooks:
    """Implements the port Hooks: scripts print where we print, and read what we could read, such as a person's Enter.

    Only what generate_csr prints is for us.
    """

    def __init__(self, shell: Shell = _BARE) -> None:
        self._shell = shell
        self._turn = threading.Lock()

    def call(self, call: HookCall) -> str:
        with self._turn:
            # What was said before stands before it.
            sys.stdout.flush()
            sys.stderr.flush()
            return call_each(call, self._shell, _answered if call.name == "generate_csr" else _shown)


def call_each(call: HookCall, shell: Shell, one: Callable[[HookCall, Shell], str]) -> str:
    """Call the script or function, or each script of the folder that HOOK is. The first failure ends it and counts; at
    the end of things every script is called.
    """
    if call.command:
        return one(call, shell)
    said, failure = [], None
    for script in (call.script,) if call.script in shell.callable else scripts_of(call.script):
        try:
            said.append(one(replace(call, script=script), shell))
        except HookFailed as error:
            if call.name not in _FOR_ALL:
                raise
            failure = failure or error
    if failure is not None:
        raise failure
    return "".join(said)


_FOR_ALL = frozenset({"clean_challenge", "exit_hook"})
"""What is called at an end: nobody may miss it because of somebody else."""


def _collected(call: HookCall, shell: Shell) -> str:
    """What it printed, on either stream."""
    return _read(call, shell, subprocess.DEVNULL, subprocess.STDOUT)


def _answered(call: HookCall, shell: Shell) -> str:
    """What it printed as its answer. The rest is for people."""
    return _read(call, shell, None, None)


def _read(call: HookCall, shell: Shell, stdin: int | None, stderr: int | None) -> str:
    said = _Said()
    with _pipe() as (reading, writing), _standby(reading):
        with writing:
            child = _started(call, shell, stdin, writing, stderr)
        status = _followed(child, reading, said, call.bound.total_seconds())
    _judge(call, status, said.text)
    return said.text


def _shown(call: HookCall, shell: Shell) -> str:
    child = _started(call, shell, None, None, None)
    status: int | None = None
    with suppress(subprocess.TimeoutExpired):
        status = child.wait(call.bound.total_seconds())
    if status is None:
        _kill(child)
    _judge(call, status, "")
    return ""


def _judge(call: HookCall, status: int | None, said: str) -> None:
    if status is None:
        raise HookFailed(
            f"{_called(call)}: did not end within {call.bound.total_seconds():.0f} s and was killed",
            hint=f"HOOK_TIMEOUT is how long a call may take; {_hint(call)}",
        )
    if status != 0:
        how = f"signal {-status}" if status < 0 else f"status {status}"
        last = printable(said.rstrip()[-_TOLD:])
        raise HookFailed(
            f"{_called(call)}: ended with {how}" + (f": {last}" if last else ""),
            hint=_hint(call),
        )


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
    _kill(child)
    return None


def _kill(child: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _called(call: HookCall) -> str:
    return f"hook {call.script} {'for an unknown call' if call.name.startswith(_UNKNOWN) else call.name}"


def _hint(call: HookCall) -> str:
    if call.name.startswith(_UNKNOWN):
        return "a script has to end with status 0 for calls that it does not know: ignore unknown hooks in it"
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


def _started(
    call: HookCall, shell: Shell, stdin: int | None, stdout: FileIO | None, stderr: int | None
) -> "subprocess.Popen[bytes]":
    command, environment = _command(call, shell)
    if call.command or call.script not in shell.callable:
        # Looked at for each call: what counts is who can change it now.
        path = environment.get("PATH", os.defpath)
        if (open_one := open_to_everybody(command[0], path)) is not None:
            raise HookFailed(f"{_called(call)}: {open_one}", hint=open_one.hint)
    try:
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            # An interruption from the terminal is for us: the script ends in its own time.
            start_new_session=True,
        )
    except OSError as error:
        if (starved := out_of_descriptors(f"{_called(call)}", error)) is not None:
            raise starved from error
        reason = (error.strerror or str(error)).lower()
        raise HookFailed(
            f"{_called(call)}: cannot be started: {reason}",
            hint=f"its words are split at blanks, and no shell reads them: type {call.command[0]}"
            if call.command
            else f"HOOK is the path of one executable file: ls -l {call.script}",
        ) from error


def _command(call: HookCall, shell: Shell) -> tuple[list[str], dict[str, str]]:
    """What to execute, and its environment: ours, what the page exports, and what the call has."""
    own = dict(call.environment)
    secrets = _SECRETS - shell.exported
    if call.script in shell.callable and not call.command:
        seen = replace(shell, variables={**shell.variables, **own}, exported=shell.exported | own.keys())
        words, environment = function_call(seen, call.script, (call.name, *call.arguments))
        return words, {name: value for name, value in environment.items() if name not in secrets}
    if is_pdns_script(call.script):
        # It reads its key from here where the page does not set it.
        secrets -= {"PDNS_KEY"}
    ours = {name: value for name, value in os.environ.items() if name not in secrets}
    exported = {name: value for name, value in shell.variables.items() if name in shell.exported}
    run = call.command or (call.script, call.name, *call.arguments)
    return list(run), {**ours, **exported, **own}


_SECRETS = frozenset({"EAB_HMAC_KEY", "PDNS_KEY"})
"""What our own environment may hold for us alone."""


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
