"""Commands of services: argument lists, without a shell, in an environment of their own, bounded in time and output."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from io import FileIO

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.adapters.printed import printed
from certkeeper.adapters.scripts import open_to_others
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.service.target import Command

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LINES = 8
_TOLD = 600
_POSTMAP = re.compile(r"postmap: (?P<level>warning|error|fatal|panic): (?P<text>.*)")


class CommandFailed(CertkeeperError):
    """A service's command could not be started, did not end in its time, or said no."""

    label = "service-failed"
    fault = Fault.OPERATOR
    local = True


class Commands:
    """Runs commands for targets. `path` is the PATH in which their programs are looked for, and which they see."""

    def __init__(self, path: str = PATH) -> None:
        self._path = path

    def has(self, command: Command) -> bool:
        """Its program is there."""
        return shutil.which(command.words[0], path=self._path) is not None

    def run(self, subject: str, command: Command) -> None:
        """Wait for it to end with status 0, or another one with which it says yes.

        Raises:
            CommandFailed: with the subject, the command, how it ended, and the last lines that it printed.
        """
        status, said = self._ended(subject, command)
        if command.table and (wrong := _wrong(command.table, said)):
            raise CommandFailed(
                f"{subject}: {shown(command)} warns: {printable('; '.join(wrong[:_LINES]), _TOLD)}",
                hint=f"mend {command.table}: nobody gets the certificate of a line that Postfix leaves out",
            )
        if status not in command.ends:
            how = f"signal {-status}" if status < 0 else f"status {status}"
            last = printable("\n".join(said.rstrip().splitlines()[-_LINES:])[-_TOLD:])
            raise CommandFailed(
                f"{subject}: {shown(command)} ended with {how}" + (f": {last}" if last else ""),
                hint="call it by hand to see all that it says",
            )

    def status(self, subject: str, command: Command) -> int:
        """Its exit status, negative for a signal.

        Raises:
            CommandFailed: it could not be started, somebody else can change it, or it did not end in its time.
        """
        return self._ended(subject, command)[0]

    def _ended(self, subject: str, command: Command) -> tuple[int, str]:
        if (trouble := open_to_others(command.words[0], self._path)) is not None:
            raise CommandFailed(f"{subject}: {shown(command)} {trouble}", hint=trouble.hint)
        bound = command.bound.total_seconds()
        status, said = printed(
            lambda out: self._started(subject, command, out), bound, f"{subject}: output of {shown(command)}"
        )
        if status is None:
            raise CommandFailed(
                f"{subject}: {shown(command)} did not end within {bound:g} s and was killed",
                hint="call it by hand to see what it waits for",
            )
        return status, said

    def _started(self, subject: str, command: Command, out: FileIO) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                command.words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd="/",
                # Nothing of ours: neither secrets, nor what changes a program's words or its ways.
                env={"PATH": self._path, "LC_ALL": "C"},
                # An interruption from the terminal is for us: a service is not left half told.
                start_new_session=True,
            )
        except OSError as error:
            if (starved := out_of_descriptors(f"{subject}: {shown(command)}", error)) is not None:
                raise starved from error
            reason = (error.strerror or str(error)).lower()
            raise CommandFailed(
                f"{subject}: {shown(command)} cannot be started: {reason}",
                hint=f"its words are split at blanks, and no shell reads them; PATH is {self._path}",
            ) from error


def _wrong(table: str, said: str) -> Sequence[str]:
    """What Postfix' postmap says against a table, each sentence once: it reads one that has just changed several times.

    A second line for a name counts for nothing and harms nobody, and main.cf has its own test.
    """
    found: dict[str, None] = {}
    for line in said.splitlines():
        if (match := _POSTMAP.fullmatch(line)) is not None:
            about = match["text"].startswith(table) and ": duplicate entry: " not in match["text"]
            if about or match["level"] != "warning":
                found[match["text"]] = None
    return tuple(found)


def shown(command: Command) -> str:
    """As one would type it."""
    return shlex.join(command.words)
