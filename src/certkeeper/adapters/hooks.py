"""The operator's scripts, called as dehydrated calls them: the occasion as first argument, then its own arguments."""

import os
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from typing import IO

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.adapters.files import explained
from certkeeper.apply.ports import HookCall
from certkeeper.base.errors import CertkeeperError, Fault, printable

DEADLINE = 600.0
"""Seconds. A script that restarts services may take its time; one that hangs must not hold the certificates up."""
_KEPT = 1 << 16
_TOLD = 600


class HookFailed(CertkeeperError):
    """The script could not be started, did not end, or ended with another status than 0."""

    fault = Fault.OPERATOR
    local = True


class Hooks:
    """Implements the port Hooks."""

    def __init__(self, deadline: float = DEADLINE) -> None:
        self._deadline = deadline
        # Scripts of others are not made for running twice at once.
        self._turn = threading.Lock()

    def call(self, call: HookCall) -> str:
        with self._turn:
            return self._call(call)

    def _call(self, call: HookCall) -> str:
        # A file rather than a pipe: what the script leaves running in the background may keep it open.
        with explained("the hook's output", "keep"), tempfile.TemporaryFile() as output:
            status = self._status(call, output)
            output.seek(max(0, output.seek(0, os.SEEK_END) - _KEPT))
            said = output.read().decode("utf-8", "replace")
        if status != 0:
            how = f"signal {-status}" if status < 0 else f"status {status}"
            last = printable(said.rstrip()[-_TOLD:])
            raise HookFailed(
                f"hook {call.script} {call.name}: ended with {how}" + (f": {last}" if last else ""),
                hint="the certificate is live; the next run calls the hook again",
            )
        return said

    def _status(self, call: HookCall, output: IO[bytes]) -> int:
        try:
            child = subprocess.Popen(
                [call.script, call.name, *call.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **dict(call.environment)},
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
        try:
            return child.wait(self._deadline)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise HookFailed(
                f"hook {call.script} {call.name}: did not end within {self._deadline:.0f} s and was killed",
                hint="the next run calls it again",
            ) from None
