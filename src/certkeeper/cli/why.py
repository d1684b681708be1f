"""`certkeeper why`."""

import argparse
import sys
from contextlib import closing

from certkeeper.base.errors import ExitCode
from certkeeper.base.times import iso
from certkeeper.cli.compose import open_machine
from certkeeper.cli.planning import planned
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.tlsa.turns import ways
from certkeeper.dane.wording import sentence


def why(options: argparse.Namespace) -> int:
    """Say of each certificate why it is due or is not, which key it would get, and what its TLSA records wait for.

    Raises:
        CertkeeperError: the page cannot be read.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    with closing(machine):
        observed = machine.advised(selected, machine.observe())
        found = planned(machine, selected, observed, ())
        watch = machine.dane_watch
        view = watch.view() if watch is not None else None
        gates = watch.gates() if watch is not None else {}
        for item in found.lineages:
            sys.stdout.write(f"{item.alias}: {item.reason.value}{f' ({item.detail})' if item.detail else ''}\n")
            if item.error is not None:
                sys.stdout.write(f"    waits: {item.error}\n")
            if item.wake_at is not None:
                sys.stdout.write(f"    next due {iso(item.wake_at)}\n")
            gate = gates.get(item.alias)
            said = f": {gate.reason}" if gate is not None and gate.reason else ""
            if gate is not None:
                sys.stdout.write(f"    a renewal now gets {gate.allowed.value}{said}\n")
            for seat in view.of(item.alias) if view is not None else ():
                sys.stdout.write(f"    TLSA {sentence(seat.decision)}\n")
            for turn in ways(machine, [item.spec]) if watch is not None else ():
                sys.stdout.write(f"    {turn.sentence}\n")
    for rejected in selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    return ExitCode.FAILED if selected.rejected else ExitCode.DONE
