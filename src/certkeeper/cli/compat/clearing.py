"""`--cleanup` and `--cleanup-delete`."""

import sys
from contextlib import closing

from certkeeper.base.errors import ExitCode
from certkeeper.cli.cleaning import archive_of, dehydrated_line
from certkeeper.cli.compat.failing import print_failure
from certkeeper.cli.compat.sitting import Sitting
from certkeeper.cli.compat.words import Command
from certkeeper.cli.compose import Machine
from certkeeper.config.domains import DomainList
from certkeeper.config.settings import Cleanup


def clear(sitting: Sitting) -> int:
    """Move or delete what nothing uses. There is no lock for that, as with dehydrated.

    Raises:
        CertkeeperError: nothing was begun.
    """
    machine = sitting.open(DomainList())
    with closing(machine):
        wanted = Cleanup.DELETE if sitting.typed.command is Command.CLEANUP_DELETE else Cleanup.ARCHIVE
        return clear_as(wanted, machine, sitting, "")


def clear_as(wanted: Cleanup, machine: Machine, sitting: Sitting, before: str) -> int:
    """The same after a run, with `before` at the start of each line."""
    archive = archive_of(machine.settings.basedir) if wanted is Cleanup.ARCHIVE else None
    troubles = machine.clean_up(archive, lambda one: _say(f"{before}{dehydrated_line(one)}\n"))
    for trouble in troubles:
        print_failure(trouble, sys.stderr, sitting.program)
    return ExitCode.FAILED if troubles else ExitCode.DONE


def _say(line: str) -> None:
    sys.stdout.write(line)
