"""`certkeeper status`."""

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import datetime

from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.times import duration_text, iso
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.plan import error_document, finding_document
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.select import select
from certkeeper.cli.waiting import (
    limits_document,
    limits_lines,
    names_document,
    waiting_now,
    waits_document,
    waits_lines,
)
from certkeeper.config.settings import CertSpec, Configuration, Settings
from certkeeper.lineage.model import Lineage
from certkeeper.plan.due import Decision, decide
from certkeeper.plan.observed import Observed
from certkeeper.plan.preflight import staplers
from certkeeper.plan.records import Records
from certkeeper.plan.safety import purpose_findings
from certkeeper.plan.standing import standing_findings


def status(options: argparse.Namespace) -> int:
    """Show what is on disk, and what waits. Always 0 where the page could be read: showing is not judging."""
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    lineages, now = machine.lineages(), machine.clock.now()
    advice = machine.advice(lineages)
    records, trouble = _records(machine)
    world = Observed(now, lineages, registered=frozenset(selected.cas), records=records, advice=advice)
    shown = _decisions(selected, world)
    renewals = [(spec, decision.renew_at) for spec, _, decision in shown]
    ending = tuple(standing_findings(renewals, machine.ends.read(), now, machine.settings))
    purposes = tuple(purpose_findings(selected))
    waits = waiting_now(selected, world)
    if options.json:
        certificates = [_document(*item, machine.settings) for item in shown]
        document = {
            "certificates": [
                {**item, "waiting": waits_document(waits.get(str(item["alias"])))} for item in certificates
            ],
            "findings": [finding_document(finding) for finding in (*purposes, *ending)],
            "names": names_document(records, now),
            "limits": limits_document(records, now),
            "journal_error": error_document(trouble) if trouble is not None else None,
            "rejected": [{"name": item.label, "error": error_document(item.error)} for item in selected.rejected],
        }
        json.dump(document, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return ExitCode.DONE
    width = max((len(str(spec.alias)) for spec, *_ in shown), default=0)
    for finding in finding_lines(purposes):
        sys.stdout.write(f"{finding}\n")
    for spec, lineage, decision in shown:
        sys.stdout.write(f"{spec.alias!s:{width}}  {_line(lineage, decision, now)}\n")
        for line in waits_lines(waits.get(str(spec.alias))):
            sys.stdout.write(f"    {line}\n")
    for line in finding_lines(ending):
        sys.stdout.write(f"{line}\n")
    for line in limits_lines(records, now):
        sys.stdout.write(f"{line}\n")
    if trouble is not None:
        print_error(trouble)
    for rejected in selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    return ExitCode.DONE


def _decisions(selected: Configuration, world: Observed) -> list[tuple[CertSpec, Lineage, Decision]]:
    able = staplers(selected, world.lineages.values(), world.now)
    found = []
    for spec in selected.certificates:
        lineage, suggestion = world.lineages[spec.alias], world.suggestion(spec.alias)
        decision = decide(spec, lineage, world.now, suggestion, can_staple=spec.ca in able)
        found.append((spec, lineage, decision))
    return found


def _records(machine: Machine) -> tuple[Records, CertkeeperError | None]:
    """What the journal holds, or why it cannot be read: what is on disk is shown in any case."""
    try:
        return machine.journal.records(), None
    except CertkeeperError as error:
        return Records(), error


def _line(lineage: Lineage, decision: Decision, now: datetime) -> str:
    if lineage.leaf is None:
        return f"{decision.reason.value}: {decision.detail}"
    left = lineage.leaf.not_after - now
    names = " ".join(str(name) for name in sorted(lineage.leaf.identifiers))
    state = "current" if not decision.due else f"due ({decision.reason.value}: {decision.detail})"
    return f"{state}, {duration_text(left)} left, issued by {lineage.leaf.issuer}, {names}"


def _document(spec: CertSpec, lineage: Lineage, decision: Decision, settings: Settings) -> Mapping[str, object]:
    leaf, origin = lineage.leaf, lineage.origin
    return {
        "alias": str(spec.alias),
        "folder": settings.folder(spec),
        "ca": spec.ca,
        "purpose": spec.purpose.value,
        "names": [str(name) for name in spec.identifiers],
        "due": decision.due,
        "reason": decision.reason.value,
        "detail": decision.detail,
        "renew_at": iso(decision.renew_at) if decision.renew_at is not None else None,
        "key_id": lineage.key_id,
        "certificate": None
        if leaf is None
        else {
            "names": [str(name) for name in sorted(leaf.identifiers)],
            "not_before": iso(leaf.not_before),
            "not_after": iso(leaf.not_after),
            "serial": leaf.serial,
            "issuer": leaf.issuer,
            "ca": origin.ca if origin is not None else None,
            "key_id": leaf.key_id,
            "ocsp_url": leaf.ocsp_url,
            "must_staple": leaf.must_staple,
        },
    }
