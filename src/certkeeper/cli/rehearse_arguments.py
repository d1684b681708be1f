"""What can be typed to play days to come."""

import argparse
from typing import Protocol

_REHEARSE = """\
Play the days to come: what runs would renew on each of them, with the planner itself, on this page and from the
certificates that are there. Prints the load, which limits of the CA's it comes near to, and which certificates would
expire. Reads files only: it asks nobody and writes nothing. Certificates that a person holds back are left out.

New certificates are taken to live as long as those that are there, at Let's Encrypt as long as it announced. What
it cannot know is what fails: names that cannot be proven, servers that are down.

  --outage 40+7   from the 40th day on, CAs take no order for 7 days
  --revoked 100   on the 100th day the CAs want all certificates replaced at once (ARI), as before a mass revocation

exit codes: 0 done, 1 a certificate would expire or could not be issued, 2 usage or configuration
"""


class Command(Protocol):
    """Makes a command that takes names of certificates."""

    def __call__(
        self,
        commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
        name: str,
        help_: str,
        description: str,
        /,
    ) -> argparse.ArgumentParser: ...


def add_rehearse(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", command: Command) -> None:
    """`certkeeper rehearse`."""
    rehearse = command(commands, "rehearse", "play the renewals of days to come", _REHEARSE)
    rehearse.add_argument("--days", type=_days, default=365, metavar="N", help="how many days (default: 365)")
    rehearse.add_argument(
        "--every", type=_hours, default=12, metavar="HOURS", help="hours from one run to the next (default: 12)"
    )
    rehearse.add_argument("--outage", type=_absence, metavar="DAY+N", help="the CAs are away for N days from DAY on")
    rehearse.add_argument("--revoked", type=_day, metavar="DAY", help="the CAs want all replaced on that day")
    rehearse.add_argument("--json", action="store_true", help="print JSON instead of text")


def _days(text: str) -> int:
    return _number(text, "days", 1, 3650)


def _hours(text: str) -> int:
    return _number(text, "hours", 1, 168)


def _day(text: str) -> int:
    return _number(text, "days from now", 0, 3650)


def _absence(text: str) -> object:
    from certkeeper.cli.rehearse import Absence  # noqa: PLC0415 - only where it is typed

    day, plus, days = text.partition("+")
    if not plus:
        raise argparse.ArgumentTypeError(f"{text!r} is no outage: write it as 40+7, for 7 days from the 40th day on")
    return Absence(_day(day), _days(days))


def _number(text: str, what: str, lowest: int, highest: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and lowest <= int(text) <= highest):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of {what} from {lowest} to {highest}")
    return int(text)
