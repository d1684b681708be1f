"""What `certkeeper status` says to people: rows, what there is to say of each, and a line about all."""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime

from certkeeper.base.errors import printable
from certkeeper.base.events import count
from certkeeper.base.times import duration_text, iso
from certkeeper.cli.pageform import in_form
from certkeeper.cli.render import finding_lines
from certkeeper.cli.staplelines import staple_status_lines
from certkeeper.cli.statusdocument import Row
from certkeeper.cli.statustable import Line, table
from certkeeper.cli.tlsalines import tlsa_lines
from certkeeper.cli.waiting import held_lines, limits_lines, waits_lines
from certkeeper.plan.state import PROBLEMS, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.status import Seen

_NARROWEST = 40
"""Columns; a terminal that claims fewer than that has not told its size."""
_LINES_BESIDE = 4
_DETAILS_FOR = 5
"""Certificates; where more are shown, those that are in order get a line each."""


def lines(seen: "Seen", size: os.terminal_size, *, whole: bool) -> Iterator[str]:
    """A table for a person, in which nothing is wider than the terminal, and all else goes on in the next line; a
    program gets a line for each as it is.

    Where there are more rows than a screen has lines those that are in order are counted, unless the `whole` is wanted.
    """
    room = size.columns
    if seen.running is not None:
        yield from _wrapped(_at_work(seen), room)
    crowded = 0 < size.lines < len(seen.rows) + _LINES_BESIDE and not whole
    summed = [row for row in seen.rows if crowded and row.state is State.OK and not row.unsettled]
    shown = [row for row in seen.rows if row not in summed] if len(summed) > 1 else seen.rows
    head, rows = table(shown, seen.now, room) if room >= _NARROWEST else ("", _plain(shown, seen.now))
    if head and shown:
        yield head
    told = list[str]()
    for row, line in zip(shown, rows, strict=True):
        yield line.text
        below = [*line.below, *_below(row, seen, details=len(seen.rows) <= _DETAILS_FOR)]
        told += below
        for more in below:
            yield from _wrapped(more, room)
    if len(shown) < len(seen.rows):
        yield from _wrapped(f"{State.OK.value}  {count(len(summed), 'certificate')}: certkeeper status --all", room)
    beside = (*finding_lines(seen.findings), *limits_lines(seen.records, seen.now, "\n".join(told)), _summary(seen))
    for each in beside:
        yield from _wrapped(each, room)


def _at_work(seen: "Seen") -> str:
    running = seen.running
    if running is None:
        return ""
    since = f" since {iso(running.since)} ({duration_text(seen.now - running.since)})" if running.since else ""
    who = f"{running.program}, process {running.pid}," if running.pid is not None else running.program
    killed = ", or was killed (certkeeper unlock)" if running.program != "certkeeper" else ""
    return f"at work now: {who}{since}{killed}; what follows may change"


def _plain(rows: Sequence[Row], now: datetime) -> list[Line]:
    columns = [_columns(row, now) for row in rows]
    widths = [max((len(row[at]) for row in columns), default=0) for at in range(4)]
    found = []
    for texts in columns:
        # Most pages have no TLSA records, and no column for them.
        shown = zip(texts, widths, strict=False)
        left = "  ".join(f"{text:{width}}" for at, (text, width) in enumerate(shown) if at < 3 or width)
        line = f"{left}  {texts[4]}".rstrip()
        found.append(Line(line if line.isprintable() else printable(line)))
    return found


def _columns(row: Row, now: datetime) -> tuple[str, str, str, str, str]:
    """State, alias, time left, where its TLSA records stand, and what happens next."""
    leaf, decision = row.lineage.leaf, row.decision
    left = ""
    if leaf is not None:
        rest = leaf.not_after - now
        left = f"{duration_text(rest)} left" if rest.total_seconds() > 0 else f"ended {duration_text(-rest)} ago"
    if decision.due:
        told = "" if decision.reason.value == row.state.value else f"{decision.reason.value}: "
        following = f"{told}{decision.detail}"
    else:
        following = f"renewed from {iso(row.renewal)}" if row.renewal is not None else decision.detail
    records = row.records.phrase if row.records is not None else ""
    return row.state.value, str(row.spec.alias), left, records, following


def _below(row: Row, seen: "Seen", *, details: bool) -> Iterator[str]:
    """What there is to say of one that does not run by itself; of few certificates also whose they are."""
    if seen.running is not None and row.spec.entry in seen.records.orders:
        yield "    under way: its order is open"
    yield from held_lines(row.spec.alias, row.hold)
    if row.services:
        from certkeeper.cli.servicelines import service_lines  # noqa: PLC0415 - most pages deploy nothing

        yield from service_lines(row.spec.alias, row.services, details=details)
    yield from staple_status_lines(row.spec.alias, row.staple)
    yield from tlsa_lines(row.records, details=details)
    for line in waits_lines(row.wait):
        yield f"    {line}"
    for dropped in row.dropped:
        yield f"    without {dropped.name}: {dropped.why}"
        yield f"    hint: mend that, then: certkeeper run --force {row.spec.alias}"
    if row.failure is not None and row.wait is None:
        yield f"    last run, {iso(row.failure.at)}: {in_form(row.failure.message)}"
        if row.failure.hint:
            yield f"    hint: {in_form(row.failure.hint)}"
        yield f"    what it means: certkeeper explain {row.failure.label}"
    leaf = row.lineage.leaf
    if details and leaf is not None:
        yield f"    {' '.join(str(name) for name in sorted(leaf.identifiers))}, issued by {leaf.issuer}"
    last = seen.last.get(row.spec.alias.text)
    if details and last is not None and row.failure is None:
        about = f"{last.about}: " if last.about else ""
        yield f"    last: {last.at:%Y-%m-%d %H:%M} {last.kind}: {about}{in_form(last.text)}"


def screen() -> os.terminal_size:
    """The terminal's columns and lines; 0 where there is none, or where it does not say."""
    nowhere = os.terminal_size((0, 0))
    return shutil.get_terminal_size(nowhere) if sys.stdout.isatty() else nowhere


def _wrapped(line: str, room: int) -> list[str]:
    """A word that is wider than the terminal stays whole, so that it can be copied."""
    safe = printable(line.lstrip())
    before = line[: len(line) - len(line.lstrip())]
    if room < _NARROWEST or len(before) + len(safe) <= room:
        return [line]
    return textwrap.wrap(
        safe,
        room,
        initial_indent=before,
        subsequent_indent=f"{before}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(seen: "Seen") -> str:
    numbers = {state: sum(1 for row in seen.rows if row.state is state) for state in State}
    numbers[State.REJECTED] += len(seen.selected.rejected)
    total = len(seen.rows) + len(seen.selected.rejected)
    parts = ", ".join(f"{number} {state.value}" for state, number in numbers.items() if number)
    renewals = [(row.renewal, row.spec.alias.text) for row in seen.rows]
    coming = [(at, name) for at, name in renewals if at is not None and at > seen.now]
    following = f"; next renewal {iso(min(coming)[0])} ({min(coming)[1]})" if coming else ""
    problems = sum(number for state, number in numbers.items() if state in PROBLEMS)
    wrong = f"{count(problems, 'problem')} in " if problems else ""
    beside = f"; {len(seen.orphans)} orphaned" if seen.orphans else ""
    return f"{wrong}{count(total, 'certificate')}" + (f": {parts}" if parts else "") + beside + following
