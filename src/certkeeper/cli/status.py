"""`certkeeper status`."""

import argparse
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from certkeeper.apply.observe import held_versions
from certkeeper.base.errors import CertkeeperError, ExitCode, printable
from certkeeper.base.events import count
from certkeeper.base.names import Alias
from certkeeper.base.times import duration_text, iso
from certkeeper.base.value import dataclass, replace
from certkeeper.cli.compose import Machine, open_machine, stands_file
from certkeeper.cli.documents import write_document
from certkeeper.cli.pageform import in_form
from certkeeper.cli.plan import error_document, finding_document
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.select import select
from certkeeper.cli.staplelines import revocations_known, staple_of, staple_status_lines
from certkeeper.cli.statusdocument import Row, certificate_document, orphan_document
from certkeeper.cli.tlsalines import in_dns, tlsa_lines
from certkeeper.cli.waiting import held_lines, limits_document, limits_lines, names_document, waiting_now, waits_lines
from certkeeper.config.findings import Finding
from certkeeper.config.settings import Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.plan.actions import Kept, Reason
from certkeeper.plan.due import Decision, decide
from certkeeper.plan.inservices import in_each_service
from certkeeper.plan.instaples import InStaple
from certkeeper.plan.lastrun import Failure, still_counts
from certkeeper.plan.muststaple import abilities
from certkeeper.plan.namefailure import settled
from certkeeper.plan.observed import Observed
from certkeeper.plan.orphans import Uses, alias_findings, meant_orphans, orphan_findings
from certkeeper.plan.planner import plan
from certkeeper.plan.records import Records
from certkeeper.plan.safety import purpose_findings
from certkeeper.plan.standing import standing_findings
from certkeeper.plan.state import PROBLEMS, State, state_of

_NARROWEST = 40
"""Columns; a terminal that claims fewer than that has not told its size."""
_LINES_BESIDE = 3
_DETAILS_FOR = 5
"""Certificates; where more are shown, those that are in order get a line each."""


@dataclass(frozen=True, slots=True)
class Seen:
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
    seen = look(machine, options.names)
    if options.json:
        write_document("status", document(seen, machine))
        return ExitCode.DONE
    for line in _lines(seen, _screen(), whole=options.all or bool(options.names)):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    if seen.trouble is not None:
        print_error(seen.trouble)
    for rejected in seen.selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    return ExitCode.DONE


def look(machine: Machine, names: Sequence[str]) -> Seen:
    """All that files say, of these or of all."""
    page = machine.configuration
    orphans = machine.orphans()
    asked = [name for name in names if name not in {alias.text for alias in orphans}]
    selected = select(page, asked) if asked or not names else Configuration(page.settings, ())
    if names:
        orphans = {alias: lineage for alias, lineage in orphans.items() if alias.text in names}
    lineages, now = machine.lineages(), machine.clock.now()
    lineages = revocations_known(machine, selected.certificates, lineages)
    records, trouble = _records(machine)
    world = Observed(
        now,
        lineages,
        registered=frozenset(selected.cas),
        records=records,
        advice=machine.advice(lineages),
        versions=held_versions(selected, machine.looks, records),
    )
    staples = {
        spec.alias: staple
        for spec in selected.certificates
        if (staple := staple_of(machine, spec, lineages[spec.alias])) is not None
    }
    rows = _with_records(_rows(selected, world, machine.last_run.read(), staples), records, machine)
    renewals = [(row.spec, row.decision.renew_at) for row in rows]
    certdir, uses = machine.settings.certdir, machine.uses(orphans)
    findings = (
        *purpose_findings(selected),
        *alias_findings(selected.certificates, lineages, orphans, certdir),
        *standing_findings(renewals, machine.ends.read(), now, machine.settings),
        *orphan_findings(orphans, certdir, uses, meant_orphans(selected.certificates, lineages, orphans)),
    )
    return Seen(selected, rows, orphans, uses, findings, records, trouble, now)


def _rows(
    selected: Configuration, world: Observed, failures: Mapping[Alias, Failure], staples: Mapping[Alias, InStaple]
) -> list[Row]:
    """Those that need attention first, then those that are renewed first."""
    known_cas = abilities(selected, world.lineages.values(), world.now)
    rows = []
    for spec, item in zip(selected.certificates, plan(selected, world).lineages, strict=True):
        lineage, suggestion = world.lineages[spec.alias], world.suggestion(spec.alias)
        dropped = settled(spec, lineage, selected.settings)
        decision = decide(
            spec,
            lineage,
            world.now,
            suggestion,
            can_staple=known_cas.asks(spec),
            settled=[name.name for name in dropped],
        )
        failure = still_counts(failures.get(spec.alias), item, selected.settings)
        wait = waiting_now(item, failure)
        dropped = item.dropped if isinstance(wait, Kept) else dropped
        services = tuple(in_each_service(spec, lineage, world.records))
        state = state_of(
            decision,
            wait,
            incomplete=bool(dropped),
            failed=failure is not None,
            hold=item.hold,
            services=services,
            staple=staples.get(spec.alias),
        )
        if item.hold is not None and item.hold.decides:
            decision = Decision(item.reason, item.detail, item.hold.renew_at)
        staple = staples.get(spec.alias)
        rows.append(Row(spec, lineage, decision, dropped, wait, failure, state, item.hold, services, staple))
    order = list(State)
    return sorted(rows, key=lambda row: (order.index(row.state), _until(row, world.now), row.spec.alias.text))


def _with_records(rows: Sequence[Row], records: Records, machine: Machine) -> Sequence[Row]:
    """The same with where their TLSA records stand, where there are any."""
    if not (records.tlsa or any(row.spec.tlsa is not None for row in rows)):
        return rows
    last = stands_file(machine.settings.statedir).read()
    return [replace(row, records=in_dns(row.spec, last)) for row in rows]


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


def _lines(seen: Seen, screen: os.terminal_size, *, whole: bool) -> Iterator[str]:
    """Rows are cut for a person, and all else goes on in the next line; a program gets all as it is.

    Where there are more rows than a screen has lines those that are in order are counted, unless the `whole` is wanted.
    """
    room = screen.columns
    crowded = 0 < screen.lines < len(seen.rows) + _LINES_BESIDE and not whole
    summed = [row for row in seen.rows if crowded and row.state is State.OK and not row.unsettled]
    shown = [row for row in seen.rows if row not in summed] if len(summed) > 1 else seen.rows
    columns = [_columns(row, seen.now) for row in shown]
    widths = [max((len(row[at]) for row in columns), default=0) for at in range(4)]
    details = len(seen.rows) <= _DETAILS_FOR
    told = list[str]()
    for row, texts in zip(shown, columns, strict=True):
        # Most pages have no TLSA records, and no column for them.
        shown_texts = zip(texts, widths, strict=False)
        left = "  ".join(f"{text:{width}}" for at, (text, width) in enumerate(shown_texts) if at < 3 or width)
        yield _cut(f"{left}  {texts[4]}".rstrip(), room)
        told += _below(row, details=details)
        for line in _below(row, details=details):
            yield from _wrapped(line, room)
    if len(shown) < len(seen.rows):
        yield from _wrapped(f"{State.OK.value}  {count(len(summed), 'certificate')}: certkeeper status --all", room)
    beside = (*finding_lines(seen.findings), *limits_lines(seen.records, seen.now, "\n".join(told)), _summary(seen))
    for line in beside:
        yield from _wrapped(line, room)


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
        renewal = _renewal(row)
        following = f"renewed from {iso(renewal)}" if renewal is not None else decision.detail
    records = row.records.phrase if row.records is not None else ""
    return row.state.value, str(row.spec.alias), left, records, following


def _renewal(row: Row) -> datetime | None:
    """When it is renewed. What a service did not take, and is held until it is tried again, is no renewal."""
    return None if row.decision.reason is Reason.HELD else row.decision.renew_at


def _below(row: Row, *, details: bool) -> Iterator[str]:
    """What there is to say of one that does not run by itself; of few certificates also whose they are."""
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
    leaf = row.lineage.leaf
    if details and leaf is not None:
        yield f"    {' '.join(str(name) for name in sorted(leaf.identifiers))}, issued by {leaf.issuer}"


def _screen() -> os.terminal_size:
    """The terminal's columns and lines; 0 where there is none, or where it does not say."""
    nowhere = os.terminal_size((0, 0))
    return shutil.get_terminal_size(nowhere) if sys.stdout.isatty() else nowhere


def _cut(line: str, room: int) -> str:
    safe = printable(line) if not line.isprintable() else line
    return f"{safe[: room - 2]} …" if room >= _NARROWEST and len(safe) > room else safe


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


def _summary(seen: Seen) -> str:
    numbers = {state: sum(1 for row in seen.rows if row.state is state) for state in State}
    numbers[State.REJECTED] += len(seen.selected.rejected)
    total = len(seen.rows) + len(seen.selected.rejected)
    parts = ", ".join(f"{number} {state.value}" for state, number in numbers.items() if number)
    renewals = [(_renewal(row), row.spec.alias.text) for row in seen.rows]
    coming = [(at, name) for at, name in renewals if at is not None and at > seen.now]
    following = f"; next renewal {iso(min(coming)[0])} ({min(coming)[1]})" if coming else ""
    problems = sum(number for state, number in numbers.items() if state in PROBLEMS)
    wrong = f"{count(problems, 'problem')} in " if problems else ""
    beside = f"; {len(seen.orphans)} orphaned" if seen.orphans else ""
    return f"{wrong}{count(total, 'certificate')}" + (f": {parts}" if parts else "") + beside + following


def document(seen: Seen, machine: Machine) -> Mapping[str, object]:
    """The same as --json shows it."""
    settings = machine.settings
    coming = [at for row in seen.rows if (at := _renewal(row)) is not None and at > seen.now]
    states = [row.state for row in seen.rows]
    states += [State.ORPHANED] * len(seen.orphans) + [State.REJECTED] * len(seen.selected.rejected)
    return {
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
