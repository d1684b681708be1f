"""`certkeeper check` without endpoints: the whole page, by what files on this machine say. Nobody is asked."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from certkeeper.apply.verdict import Grade, Margins, Remark, worst
from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.events import count
from certkeeper.base.times import duration_text, iso
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import open_machine
from certkeeper.cli.documents import write_document
from certkeeper.cli.margins import margins
from certkeeper.cli.pageform import in_form
from certkeeper.cli.status import Seen, look
from certkeeper.cli.statusdocument import Row
from certkeeper.config.findings import Severity
from certkeeper.lineage.model import Leaf
from certkeeper.plan.inservices import Progress
from certkeeper.plan.state import State

_CRITICAL = frozenset(
    {State.EXPIRED, State.TORN, State.UNREADABLE, State.REVOKED, State.REJECTED, State.OVERDUE, State.UNSTAPLED}
)
"""Clients refuse it, or will."""
_WARNING = frozenset({State.FAILED, State.MISSING, State.UNDEPLOYED, State.INCOMPLETE})
"""A person has to see to it, and what is served is good."""
_LISTED = 20
"""Certificates; more are counted."""
_FINDINGS = {Severity.ERROR: Grade.CRITICAL, Severity.WARNING: Grade.WARNING}


@dataclass(frozen=True, slots=True)
class Judged:
    """One certificate, or line of the page. `leaf` is what is live; `remarks` are what is wrong."""

    name: str
    state: State
    leaf: Leaf | None
    remarks: tuple[Remark, ...]

    @property
    def grade(self) -> Grade:
        return worst([remark.grade for remark in self.remarks])


@dataclass(frozen=True, slots=True)
class PageVerdict:
    """The page at `at`. `good` is when a run over all of it last ended well, None where none did yet; `bounds` are how
    long ago that may be before it is a warning, and before it is critical.
    """

    at: datetime
    certificates: tuple[Judged, ...]
    beside: tuple[Remark, ...]
    good: datetime | None
    bounds: Margins
    ends: Margins

    @property
    def grade(self) -> Grade:
        return worst([*(item.grade for item in self.certificates), *(remark.grade for remark in self.beside)])

    @property
    def next_end(self) -> Judged | None:
        """The certificate that ends first."""
        live = [item for item in self.certificates if item.leaf is not None]
        return min(live, key=lambda item: item.leaf.not_after if item.leaf is not None else self.at, default=None)


def check_page(options: argparse.Namespace) -> Grade:
    """Judge it, and say so as monitoring plugins do.

    Raises:
        CertkeeperError: the page cannot be read.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    critical = timedelta(hours=options.max_age)
    verdict = judge_page(
        look(machine, ()),
        good=machine.last_good.read(),
        bounds=Margins(critical / 2, critical),
        ends=margins(options),
        by_life=options.warning is None,
    )
    if options.json:
        write_document("check", document(verdict))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines(verdict)))
    return verdict.grade


def judge_page(seen: Seen, *, good: datetime | None, bounds: Margins, ends: Margins, by_life: bool) -> PageVerdict:
    """`by_life`: of a certificate that lives a few days only, the margins are parts of its life."""
    judged = [_judged(row, seen.now, _within(row.lineage.leaf, ends) if by_life else ends) for row in seen.rows]
    judged += [
        Judged(item.label, State.REJECTED, None, (Remark(Grade.CRITICAL, f"rejected: {in_form(str(item.error))}"),))
        for item in seen.selected.rejected
    ]
    beside = [*_about_runs(good, bounds, seen.now)]
    if seen.trouble is not None:
        beside.append(Remark(Grade.WARNING, str(seen.trouble)))
    beside += [
        Remark(_FINDINGS[finding.severity], in_form(finding.message))
        for finding in seen.findings
        if finding.severity in _FINDINGS
    ]
    return PageVerdict(seen.now, tuple(judged), tuple(beside), good, bounds, ends)


def _within(leaf: Leaf | None, ends: Margins) -> Margins:
    life = leaf.not_after - leaf.not_before if leaf is not None else ends.warning * 4
    return Margins(min(ends.warning, life / 4), min(ends.critical, life / 12))


def _about_runs(good: datetime | None, bounds: Margins, now: datetime) -> Iterator[Remark]:
    if good is None:
        yield Remark(Grade.WARNING, "no run over the whole page ended well yet: certkeeper run")
    elif now - good > bounds.warning:
        grade = Grade.CRITICAL if now - good > bounds.critical else Grade.WARNING
        yield Remark(grade, f"no run over the whole page ended well for {duration_text(now - good)}, since {iso(good)}")


def _judged(row: Row, now: datetime, ends: Margins) -> Judged:
    leaf, remarks = row.lineage.leaf, list[Remark]()
    if row.state in _CRITICAL | _WARNING:
        remarks.append(Remark(Grade.CRITICAL if row.state in _CRITICAL else Grade.WARNING, _reason(row)))
    if row.records is not None and row.records.held:
        stand = next(stand for stand in row.records.stands if stand.trouble)
        remarks.append(Remark(Grade.WARNING, f"TLSA {stand.owner}: {stand.trouble}"))
    left = leaf.not_after - now if leaf is not None else None
    if left is not None and timedelta() < left <= ends.warning and leaf is not None:
        grade = Grade.CRITICAL if left <= ends.critical else Grade.WARNING
        remarks.append(Remark(grade, f"ends in {duration_text(left)}, at {iso(leaf.not_after)}"))
    return Judged(row.spec.alias.text, row.state, leaf, tuple(remarks))


def _reason(row: Row) -> str:
    """The state, and what is known of why."""
    why = row.decision.detail
    refused = [item for item in row.services if item.progress is Progress.FAILED]
    if row.state is State.UNDEPLOYED and refused:
        why = f"{refused[0].service}: {refused[0].message}"
    elif row.state is State.UNSTAPLED and row.staple is not None:
        why = f"OCSP response: {row.staple.message}"
    elif row.state is State.INCOMPLETE and row.dropped:
        why = f"without {row.dropped[0].name}: {row.dropped[0].why}"
    elif row.state is State.OVERDUE and row.hold is not None:
        why = str(row.hold.alarm)
    elif row.failure is not None:
        why = row.failure.message
    elif isinstance(row.wait, CertkeeperError):
        why = str(row.wait)
    if not why:
        return row.state.value
    return in_form(why) if why.startswith(row.state.value) else f"{row.state.value}: {in_form(why)}"


def lines(verdict: PageVerdict) -> Iterator[str]:
    """The first one is what monitoring shows, with numbers behind a bar for its graphs."""
    wrong = [item for item in verdict.certificates if item.remarks]
    yield f"CERTKEEPER {verdict.grade.name} - {_headline(verdict, wrong)} | {' '.join(_numbers(verdict))}"
    order = (Grade.CRITICAL, Grade.UNKNOWN, Grade.WARNING, Grade.OK)
    told = [(remark.grade, printable(remark.text, 300)) for remark in verdict.beside]
    for item in sorted(wrong, key=lambda each: order.index(each.grade))[:_LISTED]:
        told += [(remark.grade, f"{item.name}: {printable(remark.text, 300)}") for remark in item.remarks]
    for grade, text in sorted(told, key=lambda each: order.index(each[0])):
        yield f"{grade.name:8} {text}"
    if wrong[_LISTED:]:
        yield f"and {count(len(wrong) - _LISTED, 'certificate')} more: certkeeper status"


def _headline(verdict: PageVerdict, wrong: Sequence[Judged]) -> str:
    worst_of_all = [remark for remark in verdict.beside if remark.grade is verdict.grade]
    first = next((item for item in wrong if item.grade is verdict.grade), None)
    total = count(len(verdict.certificates), "certificate")
    if verdict.grade is not Grade.OK and first is not None:
        remark = next(remark for remark in first.remarks if remark.grade is verdict.grade)
        more = f"{len(wrong)} of {total} with problems" if len(wrong) > 1 else f"1 of {total} with a problem"
        return _bare(f"{first.name}: {printable(remark.text, 160)} ({more})")
    if verdict.grade is not Grade.OK and worst_of_all:
        return _bare(f"{printable(worst_of_all[0].text, 160)} ({total})")
    said = [total]
    ending = verdict.next_end
    if ending is not None and ending.leaf is not None:
        said.append(f"the first ends in {duration_text(ending.leaf.not_after - verdict.at)} ({ending.name})")
    if verdict.good is not None:
        said.append(f"last good run {duration_text(verdict.at - verdict.good)} ago")
    return ", ".join(said)


def _bare(text: str) -> str:
    """A bar begins the numbers."""
    return text.replace("|", "/")


def _numbers(verdict: PageVerdict) -> Iterator[str]:
    """'label'=value[unit];warning;critical;least, as the Monitoring Plugins' guidelines have it."""
    ending = verdict.next_end
    if ending is not None and ending.leaf is not None:
        days = (ending.leaf.not_after - verdict.at) / timedelta(days=1)
        yield f"days_left={days:.2f};{_days(verdict.ends.warning)}:;{_days(verdict.ends.critical)}:"
    yield f"certificates={len(verdict.certificates)};;;0"
    yield f"problems={sum(1 for item in verdict.certificates if item.remarks)};;;0"
    if verdict.good is not None:
        bounds = verdict.bounds
        age = max(0, int((verdict.at - verdict.good).total_seconds()))
        yield f"last_good_run={age}s;{bounds.warning.total_seconds():.0f};{bounds.critical.total_seconds():.0f};0"


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):g}"


def document(verdict: PageVerdict) -> Mapping[str, object]:
    """The same for programs; nothing is shortened."""
    return {
        "grade": verdict.grade.name.lower(),
        "page": {
            "last_good_run": iso(verdict.good) if verdict.good is not None else None,
            "remarks": [_remark(remark) for remark in verdict.beside],
            "certificates": [
                {
                    "alias": item.name,
                    "grade": item.grade.name.lower(),
                    "state": item.state.value,
                    "not_after": iso(item.leaf.not_after) if item.leaf is not None else None,
                    "days_left": round((item.leaf.not_after - verdict.at) / timedelta(days=1), 2)
                    if item.leaf is not None
                    else None,
                    "remarks": [_remark(remark) for remark in item.remarks],
                }
                for item in verdict.certificates
            ],
        },
        "endpoints": [],
    }


def _remark(remark: Remark) -> Mapping[str, object]:
    return {"grade": remark.grade.name.lower(), "text": remark.text}
