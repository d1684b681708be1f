"""What can be typed behind report."""

import argparse

from certkeeper.cli.life_arguments import Command

_REPORT = """\
Write a page for browsers that shows what status shows, as one file for any web server: when certificates end and are
renewed, what services have of them, TLSA records, the health of DNS zones. Nothing in it is loaded from elsewhere, no
script runs, and no path of this machine is on it. Reads files only, unless --look is given. With REPORT_FILE in the
configuration, runs keep such a page fresh by themselves.

exit codes: 0 written, 1 it could not be written, 2 usage or configuration
"""


def add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", command: Command) -> None:
    """`report`; `command` makes one that takes --config."""
    report = command(commands, "report", "write a page for browsers", _REPORT)
    report.add_argument(
        "--html", required=True, metavar="FILE", help="the page; a file that certkeeper did not make stays; - prints it"
    )
    report.add_argument(
        "--look", action="store_true", help="look at DNS zones and TLSA records now, as dns doctor and tlsa status do"
    )
