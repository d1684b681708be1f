"""The operator's scripts, called as dehydrated calls them: the occasion as first argument, then its own arguments."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import FileIO

from certkeeper.adapters.bash import function_call
from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.adapters.printed import kill, printed
from certkeeper.adapters.scripts import open_to_others, scripts_of
from certkeeper.apply.ports import HookCall
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.value import replace
from certkeeper.config.providers import is_pdns_script
from certkeeper.config.shell import Shell

_BARE = Shell({})
_UNKNOWN = "this_hookscript_is_broken"
_OUTPUT = "the hook's output"
_TOLD = 600


class HookFailed(CertkeeperError):
    """The script could not be started, did not end, or ended with another status than 0."""

    label = "hook-failed"
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


STDERR = 2
"""The descriptor."""


class ShownHooks:
    """Implements the port Hooks: scripts print where we print, and read what we could read, such as a person's Enter.

    Only what generate_csr prints is for us. `stdout` is the descriptor that their standard output goes to, None for
    our own.
    """

    def __init__(self, shell: Shell = _BARE, *, stdout: int | None = None) -> None:
        self._shell = shell
        self._shown = partial(_shown, stdout=stdout)
        self._turn = threading.Lock()

    def call(self, call: HookCall) -> str:
        with self._turn:
            # What was said before stands before it.
            sys.stdout.flush()
            sys.stderr.flush()
            return call_each(call, self._shell, _answered if call.name == "generate_csr" else self._shown)


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
    status, said = printed(lambda out: _started(call, shell, stdin, out, stderr), call.bound.total_seconds(), _OUTPUT)
    _judge(call, status, said)
    return said


def _shown(call: HookCall, shell: Shell, stdout: int | None) -> str:
    child = _started(call, shell, None, stdout, None)
    status: int | None = None
    with suppress(subprocess.TimeoutExpired):
        status = child.wait(call.bound.total_seconds())
    if status is None:
        kill(child)
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


def _called(call: HookCall) -> str:
    return f"hook {call.script} {'for an unknown call' if call.name.startswith(_UNKNOWN) else call.name}"


def _hint(call: HookCall) -> str:
    if call.name.startswith(_UNKNOWN):
        return "a script has to end with status 0 for calls that it does not know: ignore unknown hooks in it"
    if call.name == "deploy_cert":
        return "the certificate is live; the next run calls the hook again"
    return "the script has the last word on what went wrong: see its own log, or call it by hand with these arguments"


def _started(
    call: HookCall, shell: Shell, stdin: int | None, stdout: FileIO | int | None, stderr: int | None
) -> "subprocess.Popen[bytes]":
    command, environment = _command(call, shell)
    if call.command or call.script not in shell.callable:
        # Looked at for each call: what counts is who can change it now.
        path = environment.get("PATH", os.defpath)
        if (open_one := open_to_others(command[0], path)) is not None:
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
