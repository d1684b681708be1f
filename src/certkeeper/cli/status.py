"""`certkeeper status`."""

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import datetime

from certkeeper.base.errors import ExitCode
from certkeeper.base.times import duration_text, iso
from certkeeper.cli.compose import open_machine
from certkeeper.cli.plan import error_document
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.select import select
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.lineage.model import Lineage
from certkeeper.plan.due import Decision, decide
from certkeeper.plan.preflight import staplers
from certkeeper.plan.safety import purpose_findings


def status(options: argparse.Namespace) -> int:
    """Show what is on disk. Always 0 where the page could be read: showing is not judging."""
    machine = open_machine(options.config)
    selected = select(machine.configuration, options.names)
    lineages, now = machine.lineages(), machine.clock.now()
    advice = machine.advice(lineages)
    able = staplers(selected, lineages.values(), now)
    shown = [
        (
            spec,
            lineages[spec.alias],
            decide(
                spec,
                lineages[spec.alias],
                now,
                advice[spec.alias].suggestion if spec.alias in advice else None,
                can_staple=spec.ca in able,
            ),
        )
        for spec in selected.certificates
    ]
    if options.json:
        document = {
            "certificates": [_document(*item, machine.settings) for item in shown],
            "rejected": [{"name": item.label, "error": error_document(item.error)} for item in selected.rejected],
        }
        json.dump(document, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return ExitCode.DONE
    width = max((len(str(spec.alias)) for spec, *_ in shown), default=0)
    for finding in finding_lines(purpose_findings(selected)):
        sys.stdout.write(f"{finding}\n")
    for spec, lineage, decision in shown:
        sys.stdout.write(f"{spec.alias!s:{width}}  {_line(lineage, decision, now)}\n")
    for rejected in selected.rejected:
        print_error(rejected.error, prefix=f"{rejected.label}: ")
    return ExitCode.DONE


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
