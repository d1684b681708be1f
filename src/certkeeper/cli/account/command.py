"""`certkeeper account`: which part, at which CA, under which lock."""

import argparse
import sys
from contextlib import closing, nullcontext

from certkeeper.apply.accountcare import Care
from certkeeper.base.events import Event
from certkeeper.base.traces import Traced
from certkeeper.cli.account import change
from certkeeper.cli.account.show import show
from certkeeper.cli.authority import at
from certkeeper.cli.compose import USER_AGENT, open_machine
from certkeeper.cli.signals import raise_terminated

_PARTS = {
    "show": show,
    "register": change.register,
    "update": change.update,
    "roll-key": change.roll_key,
    "deactivate": change.deactivate,
    "recover": change.recover,
    "import": change.take_over,
}


def account(options: argparse.Namespace) -> int:
    """Run the part that was typed.

    Raises:
        CertkeeperError: it could not be done.
    """
    raise_terminated()
    machine = at(open_machine(options.config, evaluator=options.evaluator), options.ca)
    part = _PARTS[options.account_command]
    # What changes an account must not do so under a run that is using it.
    with nullcontext() if part is show else machine.lock(), closing(machine):
        return part(machine, Care(machine.settings, USER_AGENT, _tell), options)


def _tell(event: Event) -> None:
    """Beside the answer, which a program may be reading."""
    if isinstance(event, Traced):
        return
    sys.stderr.write(f"certkeeper: {event.text}\n")
    sys.stderr.flush()
