"""Words on a terminal or in a log. On a terminal long work shows what it waits for; a log gets plain lines."""

import sys
from collections.abc import Iterable
from typing import Protocol, TextIO

from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.events import Event, LineageFailed, Noted, ServersWaited, ZoneChanged, ZoneUnproven
from certkeeper.config.findings import Finding, Severity


class Reporter(Protocol):
    """Where a run's events go."""

    def tell(self, event: Event) -> None: ...

    def close(self) -> None: ...


def print_error(error: CertkeeperError, *, out: TextIO | None = None, prefix: str = "") -> None:
    """`error: …`, then a line `hint: …` where there is something to do."""
    stream = out or sys.stderr
    stream.write(f"certkeeper: error: {prefix}{error}\n")
    if error.hint:
        stream.write(f"certkeeper: hint: {error.hint}\n")


def finding_lines(findings: Iterable[Finding]) -> Iterable[str]:
    """Findings, errors first; each with its place, what comes of it, and what to do."""
    order = list(Severity)
    for finding in sorted(findings, key=lambda item: order.index(item.severity)):
        where = f"{finding.where}: " if finding.where else ""
        yield f"{finding.severity.value}: {where}{finding.message}"
        if finding.consequence:
            yield f"    {finding.consequence}"
        if finding.fix:
            yield f"    fix: {finding.fix}"


class Lines:
    """A plain line per event: for logs, mails and pipes."""

    def __init__(self, out: TextIO, *, quiet: bool = False) -> None:
        self._out = out
        self._quiet = quiet
        self._told: CertkeeperError | None = None

    def tell(self, event: Event) -> None:
        if isinstance(event, LineageFailed):
            if event.error is self._told:
                sys.stderr.write(f"certkeeper: error: {event.lineage}: for the same reason\n")
                return
            self._told = event.error
            print_error(event.error, prefix=f"{event.lineage}: ")
        elif not self._quiet or isinstance(event, Noted):
            details = "".join(f"    {printable(line)}\n" for line in event.details)
            self._out.write(f"{printable(event.text)}\n{details}")
            self._out.flush()

    def close(self) -> None:
        """Nothing is held."""


_AWAITED = {
    "account-registered": "waiting for the CA",
    "order-opened": "waiting for the CA to say what it wants proven",
    "zone-changed": "waiting for the name servers to serve the records",
    "zone-proven": "waiting for the CA to validate the names",
    "names-proven": "waiting for the certificates",
}
"""What usually comes after an event, and takes its time."""


class Terminal:
    """Lines with a status below them that says what is being waited for."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - 40 ms that only a terminal pays

        self._console = Console(highlight=False, soft_wrap=True)
        self._status = self._console.status("waiting for the CA", spinner="dots")
        self._status.start()
        self._told: CertkeeperError | None = None

    def tell(self, event: Event) -> None:
        from rich.text import Text  # noqa: PLC0415 - as above

        if isinstance(event, ServersWaited):
            self._status.update(Text(event.text))
            return
        if isinstance(event, LineageFailed):
            self._tell_failure(event)
        else:
            mark, style = ("!", "yellow") if isinstance(event, Noted | ZoneUnproven) else ("✓", "")
            self._console.print(Text(f"{mark} {printable(event.text)}", style=style))
            for line in event.details:
                self._console.print(Text(f"    {printable(line)}", style=style))
        withdrawn = isinstance(event, ZoneChanged) and event.withdraws
        awaited = None if withdrawn else _AWAITED.get(event.label)
        if awaited:
            self._status.update(awaited)

    def close(self) -> None:
        self._status.stop()

    def _tell_failure(self, event: LineageFailed) -> None:
        from rich.text import Text  # noqa: PLC0415 - as above

        if event.error is self._told:
            self._console.print(Text(f"✗ {event.lineage}: for the same reason", style="red"))
            return
        self._told = event.error
        self._console.print(Text(f"✗ {event.text}", style="red"))
        if event.error.hint:
            self._console.print(Text(f"  hint: {event.error.hint}"))


def reporter(*, quiet: bool) -> Reporter:
    """A live display where a person watches, plain lines elsewhere."""
    if not quiet and sys.stdout.isatty():
        return Terminal()
    return Lines(sys.stdout, quiet=quiet)
