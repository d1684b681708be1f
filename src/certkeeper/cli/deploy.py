"""`certkeeper deploy`."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing

from certkeeper.apply.deploy.result import DeployResult
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, Location, UsageError
from certkeeper.base.events import count
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine, access_findings, group_findings, open_machine, unreadable
from certkeeper.cli.compose.delivering import Parted, Parting
from certkeeper.cli.delivering import deploy_as_root, for_root, hand_over
from certkeeper.cli.deployments import NOTHING, deployed, deployment_summary
from certkeeper.cli.hooking import Hooking
from certkeeper.cli.permissions import put_right
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.rounds import hooked
from certkeeper.cli.saying import Saying
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.cli.switching import carry_out
from certkeeper.config.settings import Configuration
from certkeeper.config.shell import Assignment
from certkeeper.lineage.goingback import newer, unfit
from certkeeper.plan.phases import switch_to
from certkeeper.plan.recovery import in_services


class NothingAsked(UsageError):
    """The page says nothing of what the command is about."""


class OnlyRoot(CertkeeperError):
    """Somebody else asked for what is root's."""

    label = "usage"
    fault = Fault.OPERATOR
    local = True


def deploy(options: argparse.Namespace) -> int:
    """Put owner, group and mode of files right, and certificates into services. The exit code is 1 where a service
    cannot read them, or did not take them. With DEHYDRATED_USER that user's process reads the page, and root's own
    puts into services what it hands over.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    parting = Parting()
    typed = _typed(options.deploy_config)
    try:
        machine = open_machine(options.config, typed=typed, evaluator=options.evaluator, becoming=parting.become)
    except Parted as parted:
        # From here on there are two processes. This one is root still, and takes nothing from the page.
        return deploy_as_root(parted.keeper, options)
    selected = select(machine.configuration, options.names)
    _check_asked(selected, permissions_only=options.fix_permissions)
    with hooked(machine, selected, saying=Saying.ALL) as hooking, machine.lock(), closing(machine):
        ready, changed = put_right(machine, selected, saying=Saying.ALL)
        forward, trouble = Result(), None
        if not options.fix_permissions:
            forward, trouble = _forward(machine, ready, hooking)
        if parting.root is not None and forward.fatal is None:
            failed = _told(ready, (trouble,)) or forward.failed
            hand_over(machine, ready, parting.root, put_right=len(changed), failed=failed)
            return ExitCode.DONE
        shown = NOTHING if options.fix_permissions or forward.fatal is not None else _deployed(machine, ready)
    failed = _told(ready, (forward.fatal, trouble)) or forward.failed
    said = [f"{count(len(changed), 'certificate')} put right"] if changed else []
    said += deployment_summary(shown)
    nothing = "nothing to put right" if options.fix_permissions else "nothing to do"
    sys.stdout.write((", ".join(said) or nothing) + "\n")
    fatal = forward.fatal or shown.fatal
    if fatal is not None:
        return fatal.exit_code
    if for_root(shown):
        print_error(OnlyRoot("deploy: with DEHYDRATED_USER only root gives services anything", hint="run it as root"))
    return ExitCode.FAILED if failed or shown.failed or for_root(shown) else ExitCode.DONE


def _told(ready: Configuration, errors: Sequence[CertkeeperError | None]) -> bool:
    """What is wrong with permissions, and what went wrong so far; whether anything did."""
    troubles = tuple(unreadable(ready, [spec.alias for spec in ready.certificates]))
    for line in finding_lines((*troubles, *access_findings(ready), *group_findings(ready))):
        sys.stdout.write(f"{line}\n")
    for rejected in ready.rejected:
        print_error(rejected.error, subject=rejected.label)
    for error in errors:
        if error is not None:
            print_error(error)
    return bool(troubles or ready.rejected)


def _typed(file: str | None) -> tuple[Assignment, ...]:
    return (Assignment("DEPLOY_CONFIG", file, Location("--deploy-config")),) if file is not None else ()


def _check_asked(selected: Configuration, *, permissions_only: bool) -> None:
    permissions = any(spec.access.asked for spec in selected.certificates)
    if permissions or selected.rejected:
        return
    if permissions_only:
        raise NothingAsked(
            "permissions: neither CERT_OWNER, CERT_GROUP nor KEY_MODE is set for these certificates",
            hint='write CERT_GROUP="ssl-cert" in the configuration',
        )
    if not any(spec.targets for spec in selected.certificates):
        raise NothingAsked(
            "deploy: no service takes these certificates, and nothing is said of their permissions",
            hint='write DEPLOY="nginx" in the configuration, or for one certificate; CERT_GROUP="ssl-cert" for groups',
        )


def _forward(machine: Machine, ready: Configuration, hooking: Hooking | None) -> tuple[Result, CertkeeperError | None]:
    """Versions that a service did not take, and that wait for their time, go live now: a person asks."""
    records = machine.journal.records()
    plans = []
    for spec in ready.certificates:
        held = records.held.get(spec.entry)
        if held is None or held.until is None:
            continue
        lineage, versions = machine.store.lineage(spec.alias), machine.store.versions(spec.alias)
        coming = newer(lineage, versions)
        waiting = next((item for item in coming if item.stamp == held.stamp), None)
        if waiting is not None and not unfit(waiting, machine.clock.now()):
            known = in_services(spec, records)
            plans.append(replace(switch_to(spec, machine.settings, lineage, waiting, held), deployments=known))
    if not plans:
        return Result(), None
    if hooking is not None:
        hooking.begin()
    result = carry_out(machine, tuple(plans))
    return result, hooking.end(result.fatal) if hooking is not None else None


def _deployed(machine: Machine, ready: Configuration) -> DeployResult:
    """A person asks, so no wait counts."""
    return deployed(machine, ready, saying=Saying.ALL, asked=[spec.alias for spec in ready.certificates])
