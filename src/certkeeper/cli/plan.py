"""`certkeeper plan`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

from certkeeper.apply.ports import JournalDamaged
from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import access_findings, group_findings, obstacle_findings
from certkeeper.cli.deployments import deployments_due
from certkeeper.cli.documents import write_document
from certkeeper.cli.pageform import in_form
from certkeeper.cli.permissions import foreseen
from certkeeper.cli.planning import opened
from certkeeper.cli.planning import planned as planned_now
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.select import select
from certkeeper.cli.staples import staples_due
from certkeeper.config.findings import Finding
from certkeeper.config.settings import Configuration, Settings
from certkeeper.plan.actions import LineagePlan, Plan
from certkeeper.plan.explain import action_text, explain
from certkeeper.plan.orphans import meant_orphans, orphan_findings
from certkeeper.plan.preflight import journal_finding, silent_findings


@dataclass(frozen=True, slots=True)
class ForeseenRecords:
    """What a run would do to TLSA records, for people and for programs."""

    lines: tuple[str, ...] = ()
    document: tuple[Mapping[str, object], ...] = ()
    wake_at: datetime | None = None


NO_RECORDS = ForeseenRecords()


def plan(options: argparse.Namespace) -> int:
    """Show what a run would do. The exit code is 1 where something could not be done, as `run` would end."""
    machine = opened(options)
    selected = foreseen(machine, select(machine.configuration, options.names))
    forced = frozenset(spec.alias for spec in selected.certificates) if options.force else frozenset()
    noticed: list[Finding] = []
    try:
        observed = machine.observe()
    except JournalDamaged as error:
        observed = machine.observe_without_journal()
        noticed = [journal_finding(error, "the next run sets it aside and begins a new one")]
    observed = machine.with_folders(machine.advised(selected, observed))
    planned = planned_now(machine, selected, observed, forced)
    # A run needs no such warning: it fails there, and says so.
    silent = silent_findings(planned.silent)
    meant = meant_orphans(selected.certificates, observed.lineages, observed.orphans)
    left = orphan_findings(observed.orphans, machine.settings.certdir, machine.uses(observed.orphans), meant)
    outside = (*access_findings(selected), *group_findings(selected), *obstacle_findings(selected))
    findings = (*machine.configuration.findings, *noticed, *planned.findings, *silent, *left, *outside)
    from certkeeper.cli.dueservices import plan_document, plan_lines  # noqa: PLC0415 - others import this module, too

    services = deployments_due(machine, selected)
    watch = machine.dane_watch
    records = NO_RECORDS
    if watch is not None:
        from certkeeper.cli.danephase import foreseen_records  # noqa: PLC0415 - most pages have no TLSA records

        records = foreseen_records(watch)
    staples = staples_due(machine, selected, observed, {item.alias for item in planned.due})
    times = (planned.wake_at, services.wake_at, staples.wake_at, records.wake_at)
    due = min((time for time in times if time is not None), default=None)
    if options.json:
        document = _document(selected, planned, findings, plan_document(services), staples.documents, due)
        write_document("plan", {**document, "tlsa": records.document})
    else:
        lines = (*explain(planned), *plan_lines(services), *staples.lines, *records.lines)
        for line in (*finding_lines(findings), *lines):
            sys.stdout.write(f"{line}\n")
        if due is not None:
            sys.stdout.write(f"next due {iso(due)}\n")
        for unreachable in planned.unreachable:
            print_error(unreachable)
        for rejected in selected.rejected:
            print_error(rejected.error, subject=rejected.label)
    failing = (
        len(planned.blocked) > len(planned.postponed) + len(planned.kept) or planned.unreachable or selected.rejected
    )
    return ExitCode.FAILED if failing else ExitCode.DONE


def _document(
    selected: Configuration,
    planned: Plan,
    findings: tuple[Finding, ...],
    services: Sequence[object],
    staples: Sequence[object],
    due: datetime | None,
) -> Mapping[str, object]:
    return {
        "register_at": list(planned.register_at),
        "certificates": [_lineage(item, selected.settings) for item in planned.lineages],
        "rejected": [{"name": item.label, "error": error_document(item.error)} for item in selected.rejected],
        "zones": {zone.name.text: [owner.text for owner in owners] for zone, owners in planned.zones.items()},
        "withdrawals": {
            zone.name.text: [{"owner": intent.owner.text, "rdata": intent.rdata} for intent in left]
            for zone, left in planned.withdrawals.items()
        },
        "services": services,
        "ocsp": staples,
        "findings": [finding_document(finding) for finding in findings],
        "wake_at": iso(due) if due is not None else None,
    }


def _lineage(item: LineagePlan, settings: Settings) -> Mapping[str, object]:
    return {
        "alias": str(item.alias),
        "names": [str(name) for name in item.spec.identifiers],
        "ca": item.spec.ca,
        "purpose": item.spec.purpose.value,
        "folder": settings.folder(item.spec),
        "methods": {str(name): method.value for name, method in item.methods.items()},
        "reason": item.reason.value,
        "detail": item.detail,
        "without": [str(dropped.name) for dropped in item.dropped],
        "actions": [action_text(action) for action in item.actions],
        "error": error_document(item.error) if item.error is not None else None,
        "wake_at": iso(item.wake_at) if item.wake_at is not None else None,
        "fingerprint": item.fingerprint,
    }


def error_document(error: CertkeeperError) -> Mapping[str, object]:
    """An error for machines."""
    return {
        "id": error.label,
        "message": in_form(str(error)),
        "hint": in_form(error.hint),
        "fault": error.fault.value,
        "retry_at": iso(error.retry_at) if error.retry_at is not None else None,
    }


def finding_document(finding: Finding) -> Mapping[str, object]:
    """A finding for machines."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "where": str(finding.where) if finding.where is not None else None,
        "message": in_form(finding.message),
        "consequence": in_form(finding.consequence),
        "fix": in_form(finding.fix),
    }
