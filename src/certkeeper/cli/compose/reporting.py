"""The page for browsers, in its file."""

from certkeeper.adapters import reportfile
from certkeeper.adapters.zonehealth import ZoneHealthFile
from certkeeper.cli.compose.machine import Machine
from certkeeper.cli.report.page import MARK


def zone_health(machine: Machine) -> ZoneHealthFile:
    """How zones were at the last look."""
    return ZoneHealthFile(machine.settings.statedir)


def renew_report(path: str, page: str, head: str) -> None:
    """As `adapters.reportfile.renew_report`."""
    reportfile.renew_report(path, page, head, mark=MARK)


def write_report(path: str, page: str) -> None:
    """As `adapters.reportfile.write_report`."""
    reportfile.write_report(path, page, mark=MARK)
