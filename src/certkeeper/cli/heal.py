"""`certkeeper heal`."""

import argparse
import sys

from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.events import count
from certkeeper.base.names import Alias
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.lineage.mending import LeftToRun, Mended


def heal(options: argparse.Namespace) -> int:
    """Mend what is torn. The exit code is 1 where something still is.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    with machine.lock():
        whole = [_heal(machine, spec.alias) for spec in selected.certificates]
    for rejected in selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    torn = whole.count(False)
    said = f"{torn} of {count(len(whole), 'certificate')} still torn" if torn else "nothing is torn"
    sys.stdout.write(f"{said}\n")
    return ExitCode.FAILED if torn else ExitCode.DONE


def _heal(machine: Machine, alias: Alias) -> bool:
    """Whether the lineage is whole now."""
    try:
        found = machine.store.mend(alias, machine.clock.now())
    except CertkeeperError as error:
        print_error(error, subject=str(alias))
        return False
    match found:
        case Mended():
            sys.stdout.write(f"{alias}: {mended_text(found)}\n")
        case LeftToRun():
            sys.stdout.write(f"{alias}: left as it is: {found.reason}; certkeeper run {alias} issues a certificate\n")
            return False
        case _:
            pass
    return True


def mended_text(mended: Mended) -> str:
    """What was wrong, and what is live."""
    return f"mended: {mended.reason}; version {mended.stamp} is live again"
