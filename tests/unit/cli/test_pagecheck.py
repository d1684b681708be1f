"""`certkeeper check` of a page: what is critical, what is a warning, and what monitoring makes of the first line."""

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import configuration, leaf, lineage, spec
from certkeeper.apply.verdict import Grade, Margins
from certkeeper.base.errors import CertkeeperError
from certkeeper.cli.pagecheck import PageVerdict, judge_page, lines
from certkeeper.cli.status import Seen
from certkeeper.cli.statusdocument import Row
from certkeeper.config.findings import Finding, Severity
from certkeeper.plan.actions import Reason
from certkeeper.plan.due import Decision
from certkeeper.plan.inservices import InService, Progress
from certkeeper.plan.orphans import Uses
from certkeeper.plan.records import Records
from certkeeper.plan.state import PROBLEMS, State

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
RUNS = Margins(36 * HOUR, 72 * HOUR)
ENDS = Margins(14 * DAY, 3 * DAY)
FIRST_LINE = re.compile(
    r"CERTKEEPER (OK|WARNING|CRITICAL|UNKNOWN) - [^|]+ \|"
    r"( [a-z_]+=-?[0-9.]+s?(;[0-9.]*:?){0,2}(;0)?)+"
)


def row(
    state: State = State.OK,
    left: timedelta | None = 80 * DAY,
    life: timedelta = 90 * DAY,
    services: tuple[InService, ...] = (),
) -> Row:
    found = leaf("a.test", left=left, life=life) if left is not None else None
    decision = Decision(Reason.CURRENT, "all is | well", NOW)
    return Row(spec("a.test"), lineage("a.test", found), decision, (), None, None, state, services=services)


def judged(
    *rows: Row,
    ago: timedelta | None = HOUR,
    findings: Sequence[Finding] = (),
    trouble: CertkeeperError | None = None,
    by_life: bool = True,
) -> PageVerdict:
    page = configuration(*(each.spec for each in rows))
    seen = Seen(page, rows, {}, Uses({}), findings, Records(), trouble, NOW)
    good = NOW - ago if ago is not None else None
    return judge_page(seen, good=good, bounds=RUNS, ends=ENDS, by_life=by_life)


def test_a_page_that_is_in_order() -> None:
    verdict = judged(row())
    assert verdict.grade is Grade.OK
    (line,) = lines(verdict)
    assert line == (
        "CERTKEEPER OK - 1 certificate, the first ends in 80 days (a.test), last good run 60 min ago | "
        "days_left=80.00;14:;3: certificates=1;;;0 problems=0;;;0 last_good_run=3600s;129600;259200;0"
    )


@pytest.mark.parametrize("state", State)
def test_whatever_needs_a_person_is_no_ok_and_nothing_else_is(state: State) -> None:
    grade = judged(row(state)).grade
    assert (grade is not Grade.OK) == (state in PROBLEMS)


@pytest.mark.parametrize(
    ("ago", "grade"),
    [
        (None, Grade.WARNING),
        (35 * HOUR, Grade.OK),
        (37 * HOUR, Grade.WARNING),
        (73 * HOUR, Grade.CRITICAL),
        (-HOUR, Grade.OK),
    ],
)
def test_a_page_that_no_run_looks_after_is_told(ago: timedelta | None, grade: Grade) -> None:
    verdict = judged(row(), ago=ago)
    assert verdict.grade is grade
    assert FIRST_LINE.fullmatch(next(iter(lines(verdict))))


@pytest.mark.parametrize(
    ("left", "life", "by_life", "grade"),
    [
        (15 * DAY, 90 * DAY, True, Grade.OK),
        (13 * DAY, 90 * DAY, True, Grade.WARNING),
        (2 * DAY, 90 * DAY, True, Grade.CRITICAL),
        (2 * DAY, 6 * DAY, True, Grade.OK),
        (30 * HOUR, 6 * DAY, True, Grade.WARNING),
        (11 * HOUR, 6 * DAY, True, Grade.CRITICAL),
        (2 * DAY, 6 * DAY, False, Grade.CRITICAL),
    ],
)
def test_an_end_that_is_near(left: timedelta, life: timedelta, grade: Grade, *, by_life: bool) -> None:
    assert judged(row(left=left, life=life), by_life=by_life).grade is grade


def test_the_worst_comes_first_and_a_bar_is_only_before_the_numbers() -> None:
    failed = (InService("nginx", Progress.FAILED, message="nginx -t | failed"),)
    verdict = judged(row(State.UNDEPLOYED, services=failed), row(State.TORN, left=None), ago=None)
    first, *rest = lines(verdict)
    assert FIRST_LINE.fullmatch(first)
    assert first.startswith("CERTKEEPER CRITICAL - a.test: torn: all is / well (2 of 2 certificates with problems) | ")
    assert rest == [
        "CRITICAL a.test: torn: all is | well",
        "WARNING  no run over the whole page ended well yet: certkeeper run",
        "WARNING  a.test: undeployed: nginx: nginx -t | failed",
    ]


def test_a_long_list_is_cut() -> None:
    verdict = judged(*(row(State.FAILED) for _ in range(30)))
    told = list(lines(verdict))
    assert len(told) == 22
    assert told[-1] == "and 10 certificates more: certkeeper status"


@pytest.mark.parametrize(
    ("severity", "grade"), list(zip(Severity, (Grade.CRITICAL, Grade.WARNING, Grade.OK), strict=True))
)
def test_what_is_wrong_beside_certificates_counts(severity: Severity, grade: Grade) -> None:
    assert judged(row(), findings=[Finding("code", severity, "odd", "", "")]).grade is grade


def test_a_journal_that_cannot_be_read_is_a_warning() -> None:
    assert judged(row(), trouble=CertkeeperError("journal.db: damaged")).grade is Grade.WARNING
