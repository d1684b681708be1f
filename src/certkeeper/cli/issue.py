"""`certkeeper issue`."""

import argparse

from certkeeper.cli.compose import open_machine
from certkeeper.cli.run import run_on
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.domains import parse_domains


def issue(options: argparse.Namespace) -> int:
    """Issue one certificate for the names that were typed.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    names = " ".join(options.identifiers)
    asked = parse_domains([("the command line", f"{names} > {options.alias}" if options.alias else names)])
    for rejected in asked.rejected:
        raise rejected.error
    machine = open_machine(options.config, asked, test_ca_live=options.allow_test_ca_live, evaluator=options.evaluator)
    return run_on(machine, options)
