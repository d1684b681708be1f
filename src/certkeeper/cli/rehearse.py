"""`certkeeper rehearse`."""

import argparse
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from certkeeper.base.errors import ExitCode
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import open_machine
from certkeeper.cli.documents import write_document
from certkeeper.cli.pageform import in_form
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.plan.rehearsal.document import document
from certkeeper.plan.rehearsal.picture import picture
from certkeeper.plan.rehearsal.play import rehearse as play
from certkeeper.plan.rehearsal.result import Outage, Question

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Absence:
    """From which day on, counted from now, and for how many days."""

    day: int
    days: int


def rehearse(options: argparse.Namespace) -> int:
    """Play days to come. The exit code is 1 where a certificate would expire, or could not be issued.

    Raises:
        CertkeeperError: the page or the journal cannot be read.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    observed = machine.observe()
    with _no_circles():
        done = play(selected, observed, question(options, observed.now))
    if options.json:
        write_document("rehearse", document(done))
    else:
        for line in picture(done):
            sys.stdout.write(f"{in_form(line)}\n")
    for rejected in selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    return ExitCode.FAILED if done.lapses or done.stuck or selected.rejected else ExitCode.DONE


@contextmanager
def _no_circles() -> Iterator[None]:
    """A year makes millions of small values, none of them in a circle: to look for circles would double the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def question(options: argparse.Namespace, now: datetime) -> Question:
    """What was asked on the command line."""
    start = now.replace(microsecond=0)
    absence: Absence | None = options.outage
    outage = None
    if absence is not None:
        outage = Outage(start + absence.day * _DAY, start + (absence.day + absence.days) * _DAY)
    revoked_at = start + options.revoked * _DAY if options.revoked is not None else None
    return Question(start, options.days, timedelta(hours=options.every), outage, revoked_at)
