"""`certkeeper report`."""

import argparse
import sys
from contextlib import closing

from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.compose.reporting import write_report
from certkeeper.cli.report.gather import known
from certkeeper.cli.report.page import render
from certkeeper.cli.signals import raise_terminated
from certkeeper.cli.status import look
from certkeeper.plan.zonehealth import Health

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.apply.tlsa.view import View


def report(options: argparse.Namespace) -> int:
    """Write the page.

    Raises:
        CertkeeperError: the configuration cannot be read, the file cannot be written, or nobody can be asked.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    with closing(machine):
        view, health = _looked(machine) if options.look else (None, None)
        text = render(known(machine, look(machine, ()), view=view, health=health))
    if options.html == "-":
        sys.stdout.write(text)
        return ExitCode.DONE
    write_report(options.html, text)
    sys.stdout.write(f"{options.html} written\n")
    return ExitCode.DONE


def _looked(machine: Machine) -> "tuple[View | None, Health | None]":
    """What is there now. Where nobody can be asked about zones, what was seen before is shown, with its date."""
    from certkeeper.cli.dns.health import looked_now  # noqa: PLC0415 - only where it is asked for
    from certkeeper.cli.render import print_error  # noqa: PLC0415 - as above

    watch = machine.dane_watch
    view = watch.view() if watch is not None else None
    try:
        return view, looked_now(machine)
    except CertkeeperError as error:
        print_error(error)
        return view, None
