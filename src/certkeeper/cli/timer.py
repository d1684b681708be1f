"""`certkeeper timer`."""

import argparse
import os
import pwd
import shutil
import sys
from collections.abc import Iterator

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.cli.compose import open_machine, write_units
from certkeeper.cli.units import DAEMON, MARK, SERVICE, TIMER, cron_text, daemon_text, service_text, timer_text
from certkeeper.config.evaluating import Evaluator
from certkeeper.config.footprint import Footprint, footprint
from certkeeper.config.settings import Configuration

UNITS = "/etc/systemd/system"


class _NotRoots(CertkeeperError):
    """Units are root's, and the page is read by somebody else."""

    label = "usage"
    fault = Fault.OPERATOR
    local = True


def timer(options: argparse.Namespace) -> int:
    """Print units and a line for cron, or write the units.

    Raises:
        CertkeeperError: the page cannot be read, or a unit cannot be written.
    """
    configuration = open_machine(options.config, evaluator=options.evaluator).configuration
    evaluator = Evaluator(options.evaluator)
    command, page, user = _program(), _page(configuration.settings.config_file, evaluator), _user()
    seen = footprint(configuration, evaluator)
    if options.daemon:
        units, started = {DAEMON: daemon_text(command, page, user, seen)}, DAEMON
    else:
        units, started = units_for(configuration, evaluator), TIMER
    if options.write:
        if configuration.settings.left_to_root:
            raise _NotRoots(
                f"{UNITS}: {user} (DEHYDRATED_USER) cannot write there",
                hint="print them, without --write, and put each one into its file as root",
            )
        written = write_units(UNITS, units, MARK)
        for path in written:
            sys.stdout.write(f"{path} written\n")
        for folder in _to_be_made(seen):
            sys.stdout.write(f"make it first, since the unit writes only in folders that are there: {folder}\n")
        sys.stdout.write(f"start it: systemctl daemon-reload && systemctl enable --now {started}\n")
        sys.stdout.write("remove the line for cron, and the timer of dehydrated, if there is one\n")
        return ExitCode.DONE
    for name, text in units.items():
        sys.stdout.write(f"# {UNITS}/{name}\n{text}\n")
    if options.daemon:
        return ExitCode.DONE
    sys.stdout.write(f"# or, in the place of both, /etc/cron.d/certkeeper\n{cron_text(command, page, user)}")
    return ExitCode.DONE


def units_for(configuration: Configuration, evaluator: Evaluator) -> dict[str, str]:
    """The units by their names, as they are written for that page."""
    page = _page(configuration.settings.config_file, evaluator)
    service = service_text(_program(), page, _user(), footprint(configuration, evaluator))
    return {SERVICE: service, TIMER: timer_text()}


def _page(config: str, evaluator: Evaluator) -> list[str]:
    """Where there is no file, whatever is found counts."""
    named = ["--config", os.path.abspath(config)] if config else []  # noqa: PTH100 - text
    return [*named, *(["--source-config"] if evaluator is Evaluator.BASH else [])]


def _to_be_made(seen: Footprint) -> Iterator[str]:
    """Folders that a first run by hand would make, and one inside of the sandbox cannot."""
    if not seen.programs:
        yield from (folder for folder in seen.folders if not os.path.isdir(folder))  # noqa: PTH112 - text


def _program() -> list[str]:
    """This program, by a path that does not depend on where somebody stands."""
    started = sys.argv[0]
    if os.path.basename(started) == "__main__.py":  # noqa: PTH119 - text
        return [sys.executable, "-m", "certkeeper"]
    found = shutil.which(started) or started
    return [os.path.abspath(found)]  # noqa: PTH100 - a link such as /usr/local/bin/certkeeper is meant to stay one


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
