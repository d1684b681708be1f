"""--warning and --critical: how many days before its end a certificate is worth a word."""

import argparse
from datetime import timedelta

from certkeeper.apply.verdict import Margins
from certkeeper.base.errors import CertkeeperError, Fault

_WARNING = 14


class BadMargins(CertkeeperError):
    """Days that contradict each other."""

    label = "usage"
    fault = Fault.OPERATOR


def margins(options: argparse.Namespace) -> Margins:
    """As they were typed.

    Raises:
        BadMargins: what is critical would not have been a warning before.
    """
    warning = _WARNING if options.warning is None else options.warning
    if options.critical is not None and options.critical > warning:
        raise BadMargins(
            f"--critical {options.critical} is more than --warning {warning}",
            hint="a certificate is critical after it was a warning: write a smaller --critical",
        )
    critical = min(3, warning) if options.critical is None else options.critical
    return Margins(timedelta(days=warning), timedelta(days=critical))
