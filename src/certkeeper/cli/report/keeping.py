"""REPORT_FILE: runs keep the page fresh. What goes wrong with it is told, and harms no run."""

from collections.abc import Callable

from certkeeper.base.errors import CertkeeperError
from certkeeper.cli.compose import Machine
from certkeeper.cli.compose.reporting import renew_report
from certkeeper.cli.render import print_warning
from certkeeper.cli.report.gather import known
from certkeeper.cli.report.model import Page
from certkeeper.cli.report.page import first_lines, render
from certkeeper.cli.status import Seen


class ReportBroken(CertkeeperError):
    """The page cannot be made, which is a mistake of ours."""

    label = "not-told"


def keep_report(machine: Machine, look: Callable[[], Seen], make: Callable[[Page], str] = render) -> None:
    """Write it anew where it would show something else, or was made on another day. `make` makes the file of a page."""
    path = machine.settings.telling.report
    machine.looked.at_file(path)
    try:
        page = _rendered(machine, look, make)
        renew_report(path, page, first_lines(page))
    except CertkeeperError as error:
        # Every run says so, as long as it is so.
        machine.looked.beyond = True
        print_warning(error, f"REPORT_FILE {path}" if isinstance(error, ReportBroken) else "REPORT_FILE")


def _rendered(machine: Machine, look: Callable[[], Seen], make: Callable[[Page], str]) -> str:
    try:
        return make(known(machine, look()))
    except CertkeeperError:
        raise
    except Exception as error:
        # Whatever it is: a page for people to look at fails no run, which has done its work by now.
        raise ReportBroken(
            f"the page cannot be made: {type(error).__name__}: {error}",
            hint="the run is what it was; please report it, with what certkeeper report --html - prints",
        ) from error
