"""`certkeeper doctor`."""

import argparse
from collections.abc import Iterator
from contextlib import closing

from certkeeper.apply.ports import JournalDamaged
from certkeeper.base.errors import CertkeeperError, told_of
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine, check_page, house_findings, machine_of
from certkeeper.cli.config.check import tell
from certkeeper.cli.dns.doctor import zone_findings
from certkeeper.cli.planning import planned
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.findings import Finding, Severity
from certkeeper.plan.muststaple import NEVER_ORDERED
from certkeeper.plan.preflight import journal_finding, silent_findings


def doctor(options: argparse.Namespace) -> int:
    """What is wrong with a page, and with all that it depends on. Nothing is written, and no record is changed."""
    raise_terminated()
    found = check_page(options.config, options.evaluator)
    findings = list(found.findings)
    if found.configuration is not None:
        findings += found.known(house_findings(found.configuration))
        machine = machine_of(found.configuration)
        with closing(machine):
            for look in (_plan_findings, zone_findings):
                try:
                    findings += look(machine)
                except CertkeeperError as error:
                    findings.append(_failed(str(error), error))
    return tell(findings, schema="doctor" if options.json else "")


def _plan_findings(machine: Machine) -> Iterator[Finding]:
    """What a run would stumble over, as far as it can be seen beforehand."""
    configuration = machine.configuration
    try:
        observed = machine.observe()
    except JournalDamaged as error:
        observed = machine.observe_without_journal()
        yield journal_finding(error, "the next run sets it aside and begins a new one")
    plan = planned(machine, configuration, machine.advised(configuration, observed), frozenset())
    # The house has told of all scripts already.
    yield from (_weighed(finding) for finding in plan.findings if finding.code != "hook-missing")
    yield from silent_findings(plan.silent)
    postponed = {item.alias for item in plan.postponed}
    for item in plan.blocked:
        if item.error is not None and item.alias not in postponed:
            yield _failed(told_of(str(item.alias), item.error), item.error)
    for unreachable in plan.unreachable:
        yield _failed(str(unreachable), unreachable)


def _weighed(finding: Finding) -> Finding:
    """A renewal that will not be ordered stops no run of today, which warns of it; the page is wrong all the same."""
    return replace(finding, severity=Severity.ERROR) if finding.code == NEVER_ORDERED else finding


def _failed(message: str, error: CertkeeperError) -> Finding:
    return Finding("run-would-fail", Severity.ERROR, message, "a run would fail here", error.hint)
