"""`certkeeper deploy`."""

import argparse
import sys
from contextlib import closing

from certkeeper.apply.deploy.result import DeployResult
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.events import count
from certkeeper.cli.compose import Machine, access_findings, open_machine, unreadable
from certkeeper.cli.deployments import NOTHING, deployed, deployment_summary
from certkeeper.cli.permissions import put_right
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import Configuration


class NothingAsked(CertkeeperError):
    """The page says nothing of what the command is about."""

    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


def deploy(options: argparse.Namespace) -> int:
    """Put owner, group and mode of files right, and certificates into services. The exit code is 1 where a service
    cannot read them, or did not take them.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    _check_asked(selected, permissions_only=options.fix_permissions)
    with machine.lock(), closing(machine):
        ready, changed = put_right(machine, selected, quiet=False)
        shown = NOTHING if options.fix_permissions else _deployed(machine, ready)
    troubles = tuple(unreadable(ready, [spec.alias for spec in ready.certificates]))
    for line in finding_lines((*troubles, *access_findings(ready))):
        sys.stdout.write(f"{line}\n")
    for rejected in ready.rejected:
        print_error(rejected.error, subject=rejected.label)
    said = [f"{count(len(changed), 'certificate')} put right"] if changed else []
    said += deployment_summary(shown)
    nothing = "nothing to put right" if options.fix_permissions else "nothing to do"
    sys.stdout.write((", ".join(said) or nothing) + "\n")
    if shown.fatal is not None:
        return shown.fatal.exit_code
    return ExitCode.FAILED if troubles or ready.rejected or shown.failed else ExitCode.DONE


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
