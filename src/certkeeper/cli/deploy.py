"""`certkeeper deploy`."""

import argparse
import sys

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.events import count
from certkeeper.cli.compose import access_findings, open_machine, unreadable
from certkeeper.cli.permissions import put_right
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated


class NothingAsked(CertkeeperError):
    """The page says nothing of owners, groups and modes."""

    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


def deploy(options: argparse.Namespace) -> int:
    """Put owner, group and mode of files right. The exit code is 1 where a service still cannot read them.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    if not any(spec.access.asked for spec in selected.certificates) and not selected.rejected:
        raise NothingAsked(
            "permissions: neither CERT_OWNER, CERT_GROUP nor KEY_MODE is set for these certificates",
            hint='write CERT_GROUP="ssl-cert" in the configuration',
        )
    with machine.lock():
        ready, changed = put_right(machine, selected, quiet=False)
    troubles = tuple(unreadable(ready, [spec.alias for spec in ready.certificates]))
    for line in finding_lines((*troubles, *access_findings(ready))):
        sys.stdout.write(f"{line}\n")
    for rejected in ready.rejected:
        print_error(rejected.error, subject=rejected.label)
    said = f"{count(len(changed), 'certificate')} put right" if changed else "nothing to put right"
    sys.stdout.write(f"{said}\n")
    return ExitCode.FAILED if troubles or ready.rejected else ExitCode.DONE
