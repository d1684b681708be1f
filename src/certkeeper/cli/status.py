"""`certkeeper status`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

from certkeeper.apply.observe import held_versions
from certkeeper.base.atwork import AtWork
from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass, field, replace
from certkeeper.cli.compose import Machine, open_machine, stands_file
from certkeeper.cli.documents import write_document
from certkeeper.cli.plan import error_document, finding_document
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.staplelines import revocations_known, staple_of
from certkeeper.cli.statusdocument import Row, certificate_document, orphan_document
from certkeeper.cli.tlsalines import in_dns
from certkeeper.cli.waiting import limits_document, names_document, waiting_now
from certkeeper.config.findings import Finding
from certkeeper.config.settings import Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.plan.actions import Kept
from certkeeper.plan.due import Decision, decide
from certkeeper.plan.history import Happening
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

DETAILS_FOR = 5
"""Certificates; where more are shown, those that are in order get a line each."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that is shown. `running` is who is at work on the page now; `last` is what happened last, by alias."""

    selected: Configuration
    rows: Sequence[Row]
    orphans: Mapping[Alias, Lineage]
    uses: Uses
    findings: Sequence[Finding]
    records: Records
    trouble: CertkeeperError | None
    now: datetime
    running: AtWork | None = None
    last: Mapping[str, Happening] = field(default_factory=dict)


def status(options: argparse.Namespace) -> int:
    """Show what is on disk, and what waits. Always 0 where the page could be read: showing is not judging."""
    machine = open_machine(options.config, evaluator=options.evaluator)
    seen = look(machine, options.names)
    if options.json:
        write_document("status", document(seen, machine))
        return ExitCode.DONE
    from certkeeper.cli.statustext import lines, screen  # noqa: PLC0415 - a program wants no words

    for line in lines(seen, screen(), whole=options.all or bool(options.names)):
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
    last = machine.last_happenings([row.spec.alias for row in rows]) if len(rows) <= DETAILS_FOR else {}
    return Seen(selected, rows, orphans, uses, findings, records, trouble, now, machine.running, last)


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


def document(seen: Seen, machine: Machine) -> Mapping[str, object]:
    """The same as --json shows it."""
    settings = machine.settings
    coming = [at for row in seen.rows if (at := row.renewal) is not None and at > seen.now]
    states = [row.state for row in seen.rows]
    states += [State.ORPHANED] * len(seen.orphans) + [State.REJECTED] * len(seen.selected.rejected)
    return {
        "at": iso(seen.now),
        "run": _run(seen.running),
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


def _run(running: AtWork | None) -> Mapping[str, object] | None:
    if running is None:
        return None
    since = iso(running.since) if running.since is not None else None
    return {"program": running.program, "pid": running.pid, "since": since}
