"""What can be typed behind daemon."""

import argparse

from certkeeper.cli.life_arguments import Command

_MOST = 24
_DAEMON = """\
Stay, and start `certkeeper run` when something is due: at the time that the last run said, when a file of the
configuration or a list of certificates changes (seen within a minute), when the clock was set, and every few hours in
any case. Each run is a process of its own. It takes the place of a timer, and needs none.

SIGTERM and SIGINT end it, and a run under way in order first. SIGHUP reads the configuration anew and starts a run,
SIGUSR1 starts one. systemd is told what it does (Type=notify, WatchdogSec): certkeeper timer --daemon prints a unit.

exit codes: 0 ended by a signal
"""


def add_daemon(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", command: Command) -> None:
    """`daemon`; `command` makes one that takes --config."""
    daemon = command(commands, "daemon", "stay, and start a run whenever one is due", _DAEMON)
    daemon.add_argument(
        "--every", type=_hours, default=6, metavar="HOURS", help="start a run after that many hours at the latest (6)"
    )


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= _MOST):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours from 1 to {_MOST}")
    return int(text)
