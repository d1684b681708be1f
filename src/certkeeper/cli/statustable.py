"""The table of `certkeeper status` on a terminal: as many columns as fit, the name cut before anything else."""

from collections.abc import Sequence
from datetime import datetime

from certkeeper.base.errors import printable
from certkeeper.base.times import duration_text
from certkeeper.base.value import dataclass
from certkeeper.cli.saying import painted
from certkeeper.cli.statusdocument import Row
from certkeeper.plan.actions import Reason
from certkeeper.plan.inservices import Progress
from certkeeper.plan.state import PROBLEMS, State

_NAME = 1
_HEADS = ("STATE", "CERTIFICATE", "EXPIRES", "RENEWS", "TLSA", "OCSP", "SERVICES")
_DISPENSABLE = (5, 6, 4, 3)
"""Columns, the first to go where they do not fit."""
_LEAST_NAME = 20
_LEAST_WHY = 12
_SAID = frozenset({Reason.EXPIRED, Reason.MISSING})
"""Of these the row says all."""
_RED, _YELLOW, _GREEN = "31", "33", "32"


@dataclass(frozen=True, slots=True)
class Line:
    """A row, and what found no place in it."""

    text: str
    below: tuple[str, ...] = ()


def table(rows: Sequence[Row], now: datetime, room: int) -> tuple[str, list[Line]]:
    """The line above it, and a line for each row, none of which is wider than `room`."""
    cells = [_cells(row, now) for row in rows]
    whys = [_why(row) for row in rows]
    widths = [
        max(len(head), *(len(each[at]) for each in cells)) if any(each[at] for each in cells) else 0
        for at, head in enumerate(_HEADS)
    ]
    gap = 2 if room >= 60 else 1
    for at in _DISPENSABLE:
        if _taken(widths, gap, but=_NAME) + min(widths[_NAME], _LEAST_NAME) > room:
            widths[at] = 0
    widths[_NAME] = min(widths[_NAME], max(room - _taken(widths, gap, but=_NAME), 1))
    left = room - _taken(widths, gap) - gap
    with_why = left >= _LEAST_WHY and any(len(why) <= left for why in whys)
    head = _joined(_HEADS, widths, gap) + (" " * gap + "WHY" if with_why else "")
    return head.rstrip(), [
        _line(row, texts, why, widths, gap, left if with_why else 0)
        for row, texts, why in zip(rows, cells, whys, strict=True)
    ]


def _line(row: Row, texts: Sequence[str], why: str, widths: Sequence[int], gap: int, left: int) -> Line:
    text = _joined(texts, widths, gap)
    fits = bool(why) and len(why) <= left
    if fits:
        text += " " * gap + why
    # What is as usual needs no reason beside the day.
    below = () if fits or not why or not row.decision.due else (f"    {why}",)
    state = row.state.value
    return Line(painted(state, _colour(row.state)) + text.rstrip().removeprefix(state), below)


def _cells(row: Row, now: datetime) -> tuple[str, ...]:
    leaf = row.lineage.leaf
    rest = leaf.not_after - now if leaf is not None else None
    expires = (
        "-" if rest is None else duration_text(rest) if rest.total_seconds() > 0 else f"{duration_text(-rest)} ago"
    )
    records = (row.records.phrase.removeprefix("TLSA ") if row.records.stands else "unknown") if row.records else ""
    ocsp = row.staple.response.value if row.staple is not None else ""
    return row.state.value, printable(str(row.spec.alias)), expires, _renews(row), records, ocsp, _services(row)


def _renews(row: Row) -> str:
    if row.wait is not None:
        at = row.wait.retry_at
        return f"{at:%Y-%m-%d}" if at is not None else "waits"
    if row.decision.due:
        return "now"
    if row.decision.reason is Reason.HELD:
        return "held"
    return f"{row.renewal:%Y-%m-%d}" if row.renewal is not None else "-"


def _services(row: Row) -> str:
    if not row.services:
        return ""
    if any(item.progress is Progress.FAILED for item in row.services):
        return "failed"
    seen = sum(1 for item in row.services if item.progress is Progress.SEEN)
    return f"{seen} of {len(row.services)}"


def _why(row: Row) -> str:
    """Why it is renewed then."""
    decision, leaf = row.decision, row.lineage.leaf
    if decision.due:
        if decision.reason in _SAID:
            return ""
        told = "" if decision.reason.value == row.state.value else f"{decision.reason.value}: "
        return printable(f"{told}{decision.detail}")
    if leaf is None or row.renewal is None:
        return ""
    if "the CA suggests" in decision.detail:
        return "the CA's choice"
    return f"{duration_text(leaf.not_after - row.renewal)} before"


def _taken(widths: Sequence[int], gap: int, but: int = -1) -> int:
    used = [at for at, width in enumerate(widths) if width]
    return sum(widths[at] for at in used if at != but) + gap * (len(used) - 1)


def _joined(texts: Sequence[str], widths: Sequence[int], gap: int) -> str:
    shown = [_cut(text, width).ljust(width) for text, width in zip(texts, widths, strict=True) if width]
    return (" " * gap).join(shown)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _colour(state: State) -> str:
    if state in PROBLEMS:
        return _RED
    return _GREEN if state is State.OK else _YELLOW
