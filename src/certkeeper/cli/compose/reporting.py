"""The page for browsers, in its file."""

from certkeeper.adapters import reportfile
from certkeeper.cli.report.page import MARK


def write_report(path: str, page: str) -> None:
    """As `adapters.reportfile.write_report`."""
    reportfile.write_report(path, page, mark=MARK)
