"""`certkeeper run`."""

import argparse
import sys
from collections.abc import Sequence

from certkeeper.apply.result import Result
from certkeeper.base.errors import ExitCode
from certkeeper.base.events import count
from certkeeper.base.times import iso
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.render import finding_lines, print_error, reporter
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import Plan


def run(options: argparse.Namespace) -> int:
    """Issue what is due.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = open_machine(options.config)
    selected = select(machine.configuration, options.names)
    with machine.lock():
        observed = machine.observe()
        forced = frozenset(spec.alias for spec in selected.certificates) if options.force else frozenset()
        plan = machine.plan(selected, observed, forced)
        if plan.due or plan.blocked or selected.rejected or not selected.certificates:
            findings = (*machine.configuration.findings, *plan.findings)
            _print_findings([item for item in findings if not options.quiet or item.severity is not Severity.NOTE])
        for rejected in selected.rejected:
            print_error(rejected.error, prefix=f"{rejected.label}: ")
        result = _carry_out(machine, plan, options)
    for leftover in result.leftovers:
        print_error(leftover)
    if result.fatal is not None:
        print_error(result.fatal)
    if not options.quiet:
        sys.stdout.write(_summary(selected, plan, result) + "\n")
    if result.fatal is not None:
        return result.fatal.exit_code
    return ExitCode.FAILED if result.failed or selected.rejected else ExitCode.DONE


def _carry_out(machine: Machine, plan: Plan, options: argparse.Namespace) -> Result:
    if not plan.due and not plan.blocked:
        return Result(wake_at=plan.wake_at)
    report = reporter(quiet=options.quiet)
    try:
        return machine.reconcile(plan, terms_accepted=options.accept_terms, tell=report.tell)
    finally:
        report.close()


def _print_findings(findings: Sequence[Finding]) -> None:
    for line in finding_lines(findings):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _summary(selected: Configuration, plan: Plan, result: Result) -> str:
    issued = sum(1 for outcome in result.outcomes if outcome.issued is not None)
    failed = sum(1 for outcome in result.outcomes if outcome.error is not None) + len(selected.rejected)
    ended = {outcome.alias for outcome in result.outcomes}
    failed += sum(1 for item in plan.due if item.alias not in ended)
    current = sum(1 for item in plan.lineages if not item.actions and item.error is None)
    parts = [f"{issued} issued"] if issued else []
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{current} not due"] if current else []
    said = ", ".join(parts) or "nothing to do"
    if not issued and not failed and current:
        said = f"{count(current, 'certificate')}, nothing due"
    return said + (f"; next due {iso(result.wake_at)}" if result.wake_at is not None else "")
