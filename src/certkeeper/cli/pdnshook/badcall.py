"""Calls that are none."""

from certkeeper.base.errors import CertkeeperError, Fault

USAGE = "see certkeeper pdns-hook --help"


class BadCall(CertkeeperError):
    """Not how dehydrated calls a hook."""

    label = "hook-failed"
    fault = Fault.OPERATOR
