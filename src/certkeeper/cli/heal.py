"""`certkeeper heal`."""

import argparse
import sys
from collections.abc import Mapping
from contextlib import closing
from typing import TextIO

from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.events import count
from certkeeper.base.names import Alias
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.lineage.mending import LeftToRun, Mended
from certkeeper.plan.history import Kind


def heal(options: argparse.Namespace) -> int:
    """Mend what is torn. The exit code is 1 where something still is.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    with machine.lock(), closing(machine):
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
            keep_mended(machine, {alias: found})
        case LeftToRun():
            sys.stdout.write(f"{alias}: left as it is: {found.reason}; certkeeper run {alias} issues a certificate\n")
            return False
        case _:
            pass
    return True


def mended_text(mended: Mended) -> str:
    """What was wrong, and what is live."""
    return f"mended: {_mended(mended)}"


def keep_mended(machine: Machine, mended: Mapping[Alias, Mended], before: str = "", out: TextIO | None = None) -> None:
    """Say it, and write it down."""
    for alias, item in mended.items():
        machine.happened(Kind.MENDED, [alias], _mended(item))
        (out or sys.stdout).write(f"{before}{alias}: {mended_text(item)}\n")


def _mended(mended: Mended) -> str:
    return f"{mended.reason}; version {mended.stamp} is live again"
