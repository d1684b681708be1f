"""`certkeeper status`."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from certkeeper.base.errors import CertkeeperError, ExitCode, printable
from certkeeper.base.events import count
from certkeeper.base.names import Alias
from certkeeper.base.times import duration_text, iso
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.plan import error_document, finding_document
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.select import select
from certkeeper.cli.statusdocument import Row, certificate_document, orphan_document
from certkeeper.cli.waiting import limits_document, limits_lines, names_document, waiting_now, waits_lines
from certkeeper.config.findings import Finding
from certkeeper.config.settings import Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.plan.due import decide
from certkeeper.plan.namefailure import settled
from certkeeper.plan.observed import Observed
from certkeeper.plan.orphans import Uses, alias_findings, orphan_findings
from certkeeper.plan.preflight import staplers
from certkeeper.plan.records import Records
from certkeeper.plan.safety import purpose_findings
from certkeeper.plan.standing import standing_findings
from certkeeper.plan.state import PROBLEMS, State, state_of

_DETAILS_FOR = 5
"""Certificates; where more are shown, those that are in order get a line each."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """All that is shown."""

    selected: Configuration
    rows: Sequence[Row]
    orphans: Mapping[Alias, Lineage]
    uses: Uses
    findings: Sequence[Finding]
    records: Records
    trouble: CertkeeperError | None
    now: datetime


def status(options: argparse.Namespace) -> int:
    """Show what is on disk, and what waits. Always 0 where the page could be read: showing is not judging."""
    machine = open_machine(options.config, evaluator=options.evaluator)
    seen = _look(machine, options.names)
    if options.json:
        json.dump(_document(seen, machine), sys.stdout, indent=2)
        sys.stdout.write("\n")
        return ExitCode.DONE
    for line in _lines(seen):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    if seen.trouble is not None:
        print_error(seen.trouble)
    for rejected in seen.selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    return ExitCode.DONE


def _look(machine: Machine, names: Sequence[str]) -> _Seen:
    page = machine.configuration
    orphans = machine.orphans()
    asked = [name for name in names if name not in {alias.text for alias in orphans}]
    selected = select(page, asked) if asked or not names else Configuration(page.settings, ())
    if names:
        orphans = {alias: lineage for alias, lineage in orphans.items() if alias.text in names}
    lineages, now = machine.lineages(), machine.clock.now()
    records, trouble = _records(machine)
    world = Observed(
        now, lineages, registered=frozenset(selected.cas), records=records, advice=machine.advice(lineages)
    )
    rows = _rows(selected, world)
    renewals = [(row.spec, row.decision.renew_at) for row in rows]
    certdir, uses = machine.settings.certdir, machine.uses(orphans)
    findings = (
        *purpose_findings(selected),
        *alias_findings(selected.certificates, lineages, orphans, certdir),
        *standing_findings(renewals, machine.ends.read(), now, machine.settings),
        *orphan_findings(orphans, certdir, uses),
    )
    return _Seen(selected, rows, orphans, uses, findings, records, trouble, now)


def _rows(selected: Configuration, world: Observed) -> list[Row]:
    """Those that need attention first, then those that are renewed first."""
    able = staplers(selected, world.lineages.values(), world.now)
    waits = waiting_now(selected, world)
    rows = []
    for spec in selected.certificates:
        lineage, suggestion = world.lineages[spec.alias], world.suggestion(spec.alias)
        dropped = settled(spec, lineage, selected.settings)
        decision = decide(
            spec,
            lineage,
            world.now,
            suggestion,
            can_staple=spec.ca in able,
            settled=[item.name for item in dropped],
        )
        wait = waits.get(str(spec.alias))
        rows.append(Row(spec, lineage, decision, dropped, wait, state_of(decision, wait, incomplete=bool(dropped))))
    order = list(State)
    return sorted(rows, key=lambda row: (order.index(row.state), _until(row, world.now), row.spec.alias.text))


def _until(row: Row, now: datetime) -> datetime:
    """What sorts those of one state: when something happens next."""
    leaf = row.lineage.leaf
    return row.decision.renew_at or (leaf.not_after if leaf is not None else now)


def _records(machine: Machine) -> tuple[Records, CertkeeperError | None]:
    """What the journal holds, or why it cannot be read: what is on disk is shown in any case."""
    try:
        return machine.journal.records(), None
    except CertkeeperError as error:
        return Records(), error


def _lines(seen: _Seen) -> Iterator[str]:
    if seen.rows:
        columns = [_columns(row, seen.now) for row in seen.rows]
        widths = [max(len(row[at]) for row in columns) for at in range(3)]
        room = _room()
        details = len(seen.rows) <= _DETAILS_FOR
        for row, texts in zip(seen.rows, columns, strict=True):
            left = "  ".join(f"{text:{width}}" for text, width in zip(texts, widths, strict=False))
            yield _cut(f"{left}  {texts[3]}".rstrip(), room)
            yield from _below(row, details=details)
    yield from finding_lines(seen.findings)
    yield from limits_lines(seen.records, seen.now)
    yield _summary(seen)


def _columns(row: Row, now: datetime) -> tuple[str, str, str, str]:
    """State, alias, time left, and what happens next."""
    leaf, decision = row.lineage.leaf, row.decision
    left = ""
    if leaf is not None:
        rest = leaf.not_after - now
        left = f"{duration_text(rest)} left" if rest.total_seconds() > 0 else f"ended {duration_text(-rest)} ago"
    if decision.due:
        told = "" if decision.reason.value == row.state.value else f"{decision.reason.value}: "
        following = f"{told}{decision.detail}"
    else:
        following = f"renewed from {iso(decision.renew_at)}" if decision.renew_at is not None else decision.detail
    return row.state.value, str(row.spec.alias), left, following


def _below(row: Row, *, details: bool) -> Iterator[str]:
    """What there is to say of one that does not run by itself; of few certificates also whose they are."""
    for line in waits_lines(row.wait):
        yield f"    {line}"
    for dropped in row.dropped:
        yield f"    without {dropped.name}: {dropped.why}"
        yield f"    hint: mend that, then: certkeeper run --force {row.spec.alias}"
    leaf = row.lineage.leaf
    if details and leaf is not None:
        yield f"    {' '.join(str(name) for name in sorted(leaf.identifiers))}, issued by {leaf.issuer}"


def _room() -> int:
    """Columns of the terminal; lines are cut for a person, and whole for a program."""
    return shutil.get_terminal_size((0, 0)).columns if sys.stdout.isatty() else 0


def _cut(line: str, room: int) -> str:
    safe = printable(line) if not line.isprintable() else line
    return f"{safe[: room - 2]} …" if room >= 40 and len(safe) > room else safe


def _summary(seen: _Seen) -> str:
    numbers = {state: sum(1 for row in seen.rows if row.state is state) for state in State}
    numbers[State.REJECTED] += len(seen.selected.rejected)
    numbers[State.ORPHANED] += len(seen.orphans)
    total = len(seen.rows) + len(seen.selected.rejected)
    parts = ", ".join(f"{number} {state.value}" for state, number in numbers.items() if number)
    coming = [
        (row.decision.renew_at, row.spec.alias.text)
        for row in seen.rows
        if row.decision.renew_at is not None and row.decision.renew_at > seen.now
    ]
    following = f"; next renewal {iso(min(coming)[0])} ({min(coming)[1]})" if coming else ""
    problems = sum(number for state, number in numbers.items() if state in PROBLEMS)
    wrong = f"{count(problems, 'problem')} in " if problems else ""
    return f"{wrong}{count(total, 'certificate')}" + (f": {parts}" if parts else "") + following


def _document(seen: _Seen, machine: Machine) -> Mapping[str, object]:
    settings = machine.settings
    coming = [row.decision.renew_at for row in seen.rows if row.decision.renew_at and row.decision.renew_at > seen.now]
    states = [row.state for row in seen.rows]
    states += [State.ORPHANED] * len(seen.orphans) + [State.REJECTED] * len(seen.selected.rejected)
    return {
        "version": 1,
        "at": iso(seen.now),
        "certificates": [certificate_document(row, settings) for row in seen.rows],
        "orphaned": [
            orphan_document(alias, lineage, f"{settings.certdir}/{alias}", seen.uses)
            for alias, lineage in seen.orphans.items()
        ],
        "states": {state.value: states.count(state) for state in State if state in states},
        "problems": sum(1 for state in states if state in PROBLEMS),
        "next_renewal": iso(min(coming)) if coming else None,
        "findings": [finding_document(finding) for finding in seen.findings],
        "names": names_document(seen.records, seen.now),
        "limits": limits_document(seen.records, seen.now),
        "journal_error": error_document(seen.trouble) if seen.trouble is not None else None,
        "rejected": [
            {"name": item.label, "state": State.REJECTED.value, "error": error_document(item.error)}
            for item in seen.selected.rejected
        ],
    }
