"""Errors that say whose fault it is, when to try again and what to type next.

    CertkeeperError
    ├── InvalidName            base.names: not a name, address or alias
    ├── UsageError             base.errors: not what the command is for
    ├── OutOfDescriptors       base.errors: this process may open no more files
    ├── TransportError         base.wire: no answer came back
    ├── ConfigError            config: a file of the operator's, with file and line
    ├── Problem, OrderFailed   acme: the CA said no
    ├── ZoneError              zone: a zone cannot be found, written or proven
    ├── UnusableKey, BadChain  lineage: files that do not fit together
    └── …

Messages start in lower case, name their object first and have no final period.
"""

from datetime import datetime
from enum import IntEnum, StrEnum

from certkeeper.base.value import dataclass


class Fault(StrEnum):
    """Who has to act."""

    OURS = "ours"
    OPERATOR = "operator"
    REMOTE = "remote"


class ExitCode(IntEnum):
    """Exit codes of `certkeeper run`; monitoring may rely on them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    LOCKED = 3
    INTERRUPTED = 130
    TERMINATED = 143


class CertkeeperError(Exception):
    """Any failure that we can name. Its texts are made safe to print.

    Attributes:
        label: what kind of failure it is, for machines and for docs/runbook.md; it never changes. Families share one.
        hint: what the operator can type or change; empty where there is nothing to do but wait.
        retry_at: the earliest instant (aware, UTC) at which trying again makes sense; None if unknown.
        fault: who has to act.
        exit_code: what a run ends with when this error ends it.
        local: it is about this machine, so trying again costs nobody anything, and no wait is imposed.
    """

    label: str = "error"
    fault: Fault = Fault.OURS
    exit_code: ExitCode = ExitCode.FAILED
    local: bool = False

    def __init__(self, message: str, *, hint: str = "", retry_at: datetime | None = None) -> None:
        # Strangers' texts (a CA's, a server's, a file's) end up in here: none of them may write to the terminal.
        super().__init__(printable(message))
        self.hint = printable(hint)
        self.retry_at = retry_at


class UsageError(CertkeeperError):
    """What was typed, or asked for, is not what the command is for; nothing was done."""

    label = "usage"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


class Interrupted(CertkeeperError):
    """Somebody asked the run to stop (SIGINT, SIGTERM)."""

    label = "interrupted"
    fault = Fault.OPERATOR
    local = True

    def __init__(self, exit_code: ExitCode) -> None:
        super().__init__("interrupted", hint="run it again: it goes on with what is left")
        self.exit_code = exit_code


class OutOfDescriptors(CertkeeperError):
    """The system lets this process open no more files or sockets (EMFILE, ENFILE).

    It says nothing of what was to be opened, so no subject may take it for a file that is broken or a server that is
    silent.

    Attributes:
        transient: asking again can help, since other steps close what they opened.
    """

    label = "too-many-files"
    fault = Fault.OPERATOR
    local = True
    transient = True

    def __init__(self, subject: str) -> None:
        super().__init__(
            f"{subject}: too many open files",
            hint="allow this process more of them: ulimit -n, or LimitNOFILE= in its systemd unit",
        )


def told_of(subject: str, error: CertkeeperError) -> str:
    """The error with its subject before it: many a CA's error is about a name that is called as the certificate is."""
    text = str(error)
    return text if not subject or text.startswith(f"{subject}: ") else f"{subject}: {text}"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file of the operator's; line 0 means the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


def printable(text: str, limit: int = 2000) -> str:
    """Text of a stranger's (a CA, a server, a file), safe to show on a terminal or in a log.

    Control characters become spaces, and what goes beyond the limit (characters) is cut with a mark.
    """
    if len(text) <= limit and text.isprintable():
        return " ".join(text.split())
    safe = "".join(char if char.isprintable() else " " for char in text[: limit + 1])
    collapsed = " ".join(safe.split())
    return collapsed if len(text) <= limit else collapsed[:limit] + " …"
