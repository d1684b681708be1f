"""`certkeeper deploy`."""

import argparse
import sys
from contextlib import closing

from certkeeper.apply.deploy.result import DeployResult
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, Location
from certkeeper.base.events import count
from certkeeper.cli.compose import Machine, access_findings, group_findings, open_machine, unreadable
from certkeeper.cli.compose.delivering import Parted, Parting
from certkeeper.cli.delivering import deploy_as_root, for_root, hand_over
from certkeeper.cli.deployments import NOTHING, deployed, deployment_summary
from certkeeper.cli.permissions import put_right
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import Configuration
from certkeeper.config.shell import Assignment


class NothingAsked(CertkeeperError):
    """The page says nothing of what the command is about."""

    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


class OnlyRoot(CertkeeperError):
    """Somebody else asked for what is root's."""

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
    with machine.lock(), closing(machine):
        ready, changed = put_right(machine, selected, quiet=False)
        if parting.root is not None:
            failed = _told(ready)
            hand_over(machine, ready, parting.root, put_right=len(changed), failed=failed)
            return ExitCode.DONE
        shown = NOTHING if options.fix_permissions else _deployed(machine, ready)
    failed = _told(ready)
    said = [f"{count(len(changed), 'certificate')} put right"] if changed else []
    said += deployment_summary(shown)
    nothing = "nothing to put right" if options.fix_permissions else "nothing to do"
    sys.stdout.write((", ".join(said) or nothing) + "\n")
    if shown.fatal is not None:
        return shown.fatal.exit_code
    if for_root(shown):
        print_error(OnlyRoot("deploy: with DEHYDRATED_USER only root gives services anything", hint="run it as root"))
    return ExitCode.FAILED if failed or shown.failed or for_root(shown) else ExitCode.DONE


def _told(ready: Configuration) -> bool:
    """What is wrong with permissions, and whether anything is."""
    troubles = tuple(unreadable(ready, [spec.alias for spec in ready.certificates]))
    for line in finding_lines((*troubles, *access_findings(ready), *group_findings(ready))):
        sys.stdout.write(f"{line}\n")
    for rejected in ready.rejected:
        print_error(rejected.error, subject=rejected.label)
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


def _deployed(machine: Machine, ready: Configuration) -> DeployResult:
    """A person asks, so no wait counts."""
    return deployed(machine, ready, quiet=False, asked=[spec.alias for spec in ready.certificates])
