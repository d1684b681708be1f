"""Words on a terminal or in a log. On a terminal long work shows what it waits for; a log gets plain lines."""

import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TextIO

from certkeeper.base.errors import CertkeeperError, printable, told_of
from certkeeper.base.events import Event, LineageFailed, Noted, ServersWaited, ZoneChanged, ZoneUnproven
from certkeeper.base.progress import Advanced
from certkeeper.base.traces import Traced
from certkeeper.cli.pageform import in_form
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Reporter(Protocol):
    """Where a run's events go."""

    def tell(self, event: Event) -> None: ...

    def close(self) -> None: ...


def print_error(error: CertkeeperError, *, out: TextIO | None = None, subject: str = "") -> None:
    """`error: …`, then a line `hint: …` where there is something to do. `subject` is what it is about."""
    stream = out or sys.stderr
    file = error.where.file if isinstance(error, ConfigError) else ""
    stream.write(f"certkeeper: error: {in_form(told_of(subject, error), file)}\n")
    if error.hint:
        stream.write(f"certkeeper: hint: {in_form(error.hint, file)}\n")


def print_warning(error: CertkeeperError, subject: str) -> None:
    """The same of what changes nothing about how the run ends."""
    sys.stderr.write(f"certkeeper: warning: {subject}: {in_form(str(error))}\n")
    if error.hint:
        sys.stderr.write(f"certkeeper: hint: {in_form(error.hint)}\n")


def finding_lines(findings: Iterable[Finding]) -> Iterable[str]:
    """Findings, errors first; each with its place, what comes of it, and what to do."""
    order = list(Severity)
    for finding in sorted(findings, key=lambda item: order.index(item.severity)):
        where = f"{finding.where}: " if finding.where else ""
        yield f"{finding.severity.value}: {where}{in_form(finding.message)}"
        if finding.consequence:
            yield f"    {in_form(finding.consequence)}"
        if finding.fix:
            yield f"    fix: {in_form(finding.fix)}"


PROGRESS_EVERY = 10.0
"""Seconds between two lines about how far a long run has come."""


class Lines:
    """A plain line per event: for logs, mails and pipes."""

    def __init__(self, out: TextIO, *, quiet: bool = False) -> None:
        self._out = out
        self._quiet = quiet
        self._told: CertkeeperError | None = None
        self._advanced = 0.0

    def tell(self, event: Event) -> None:
        if isinstance(event, Advanced):
            if event.seconds - self._advanced < PROGRESS_EVERY:
                return
            self._advanced = event.seconds
        if isinstance(event, LineageFailed):
            if event.error is self._told:
                sys.stderr.write(f"certkeeper: error: {event.lineage}: for the same reason\n")
                return
            self._told = event.error
            print_error(event.error, subject=event.lineage)
        elif not isinstance(event, Traced) and (not self._quiet or isinstance(event, Noted)):
            details = "".join(f"    {in_form(printable(line))}\n" for line in event.details)
            self._out.write(f"{in_form(printable(event.text))}\n{details}")
            self._out.flush()

    def close(self) -> None:
        """Nothing is held."""


_SERVERS = "waiting for the name servers to serve the records"
_AWAITED = {
    "account-registered": "waiting for the CA",
    "order-opened": "waiting for the CA to say what it wants proven",
    "zone-changed": _SERVERS,
    "zone-proven": "waiting for the CA to validate the names",
    "names-proven": "waiting for the certificates",
}
"""What usually comes after an event, and takes its time."""


_NARROWEST = 20
"""Columns; a terminal that claims fewer than that has not told its size."""


class Wait:
    """What is waited for, in words, with the seconds since that began; rich asks again whenever it draws."""

    def __init__(self, step: str, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._step = self._words = step
        self._advanced = ""
        self._since = monotonic()

    def turn_to(self, step: str, words: str = "") -> None:
        """The seconds go on while the step is the same, whatever the words."""
        if step != self._step:
            self._step, self._since = step, self._monotonic()
        self._words = words or step

    def advance(self, words: str) -> None:
        """How far a long run has come goes before what is waited for."""
        self._advanced = f"{words}; "

    def __str__(self) -> str:
        seconds = int(self._monotonic() - self._since)
        return self._advanced + (f"{self._words} ({seconds} s)" if seconds else self._words)

    def __rich__(self) -> "Text":
        from rich.text import Text  # noqa: PLC0415 - 40 ms that only a terminal pays

        return Text(str(self))


class Terminal:
    """Lines with a status below them that says what is being waited for, and since when.

    Lines end between words. A word that is wider than the terminal stays whole, so that it can be copied.
    """

    def __init__(
        self,
        console: "Console | None" = None,
        monotonic: Callable[[], float] = time.monotonic,
        first: str = "waiting for the CA",
    ) -> None:
        from rich.console import Console  # noqa: PLC0415 - as above

        self._console = console or Console(highlight=False, soft_wrap=True)
        self._wait = Wait(first, monotonic)
        self._status = self._console.status(self._wait, spinner="dots")
        self._status.start()
        self._told: CertkeeperError | None = None

    def tell(self, event: Event) -> None:
        if isinstance(event, Traced):
            return
        if isinstance(event, ServersWaited):
            self._wait.turn_to(_SERVERS, printable(event.text))
            return
        if isinstance(event, Advanced):
            self._wait.advance(event.text)
            return
        if isinstance(event, LineageFailed):
            self._tell_failure(event)
        else:
            mark, style = ("!", "yellow") if isinstance(event, Noted | ZoneUnproven) else ("✓", "")
            self._print(f"{mark} ", event.text, style)
            for line in event.details:
                self._print("    ", line, style)
        withdrawn = isinstance(event, ZoneChanged) and event.withdraws
        awaited = None if withdrawn else _AWAITED.get(event.label)
        if awaited:
            self._wait.turn_to(awaited)

    def close(self) -> None:
        self._status.stop()

    def _tell_failure(self, event: LineageFailed) -> None:
        if event.error is self._told:
            self._print("✗ ", f"{event.lineage}: for the same reason", "red")
            return
        self._told = event.error
        self._print("✗ ", event.text, "red")
        if event.error.hint:
            self._print("  ", f"hint: {event.error.hint}")

    def _print(self, before: str, text: str, style: str = "") -> None:
        import textwrap  # noqa: PLC0415 - most runs have nothing to show

        from rich.text import Text  # noqa: PLC0415 - as above

        lines = textwrap.wrap(
            in_form(printable(text)),
            max(self._console.width, _NARROWEST),
            initial_indent=before,
            subsequent_indent=" " * (len(before) + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
        self._console.print(Text("\n".join(lines), style=style))


def reporter(*, quiet: bool, first: str = "waiting for the CA") -> Reporter:
    """A live display where a person watches, plain lines elsewhere; `first` is what is waited for at the beginning."""
    if not quiet and sys.stdout.isatty():
        return Terminal(first=first)
    return Lines(sys.stdout, quiet=quiet)
