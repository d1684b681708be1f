"""`certkeeper report`."""

import argparse
import sys
from contextlib import closing

from certkeeper.base.errors import ExitCode
from certkeeper.cli.compose import open_machine
from certkeeper.cli.compose.reporting import write_report
from certkeeper.cli.report.gather import gathered
from certkeeper.cli.report.page import render
from certkeeper.cli.status import look


def report(options: argparse.Namespace) -> int:
    """Write the page.

    Raises:
        CertkeeperError: the configuration cannot be read, or the file cannot be written.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    with closing(machine):
        page = gathered(look(machine, ()))
        text = render(page)
    if options.html == "-":
        sys.stdout.write(text)
        return ExitCode.DONE
    write_report(options.html, text)
    sys.stdout.write(f"{options.html} written\n")
    return ExitCode.DONE
