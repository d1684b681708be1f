"""Words on a terminal or in a log. On a terminal long work shows what it waits for; a log gets plain lines."""

import sys
from collections.abc import Iterable
from typing import Protocol, TextIO

from certkeeper.base.errors import CertkeeperError, printable, told_of
from certkeeper.base.events import (
    AccountRegistered,
    CertificateIssued,
    CertificatesAdopted,
    CertificatesSeen,
    CertificateStaged,
    Event,
    LineageFailed,
    Noted,
    VersionActivated,
)
from certkeeper.base.progress import Advanced
from certkeeper.base.traces import Traced
from certkeeper.cli.pageform import in_form
from certkeeper.cli.saying import Saying
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity


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

    def __init__(self, out: TextIO, saying: Saying = Saying.PLAIN) -> None:
        self._out = out
        self._saying = saying
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
        elif self._wanted(event):
            details = "".join(f"    {in_form(printable(line))}\n" for line in event.details)
            self._out.write(f"{in_form(printable(event.text))}\n{details}")
            self._out.flush()

    def close(self) -> None:
        """Nothing is held."""

    def _wanted(self, event: Event) -> bool:
        if self._saying.everything:
            return not isinstance(event, Traced)
        return isinstance(event, Noted) or (self._saying.changes and isinstance(event, _CHANGES))


_CHANGES = (
    AccountRegistered,
    CertificateIssued,
    CertificatesAdopted,
    CertificatesSeen,
    CertificateStaged,
    VersionActivated,
)
"""Events after which something is different for who uses certificates."""


def reporter(saying: Saying, *, first: str = "waiting for the CA") -> Reporter:
    """A live display where a person watches, plain lines elsewhere; `first` is what is waited for at the beginning."""
    if saying.live:
        from certkeeper.cli.live import Terminal  # noqa: PLC0415 - 40 ms that only a terminal pays

        return Terminal(first=first)
    return Lines(sys.stdout, saying)
