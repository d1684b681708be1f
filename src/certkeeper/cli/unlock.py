"""`certkeeper unlock`."""

import argparse
import sys

from certkeeper.base.errors import ExitCode
from certkeeper.cli.compose import open_machine


def unlock(options: argparse.Namespace) -> int:
    """Take away the lock of a killed run.

    Raises:
        CertkeeperError: somebody holds it, or it cannot be removed.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    path = machine.settings.lockfile
    if path is None:
        sys.stdout.write("no lock file is used: LOCKFILE is empty\n")
        return ExitCode.DONE
    left = machine.unlock()
    said = "there is no lock" if left is None else f"removed; it was left by {left.text}"
    sys.stdout.write(f"{path}: {said}\n")
    return ExitCode.DONE
