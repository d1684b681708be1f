"""STATEDIR/last-good-run: when a run over the whole page last ended well. Its time of change says it; it is empty.

A time that is set costs a calm run one call (`adapters/calm.py`), and no program has to be asked to see it: `ls -l`.
"""

import os
from datetime import datetime

from certkeeper.adapters.caches import write_cache
from certkeeper.adapters.calm import GOOD
from certkeeper.adapters.files import explained
from certkeeper.adapters.state import check_state
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.times import from_epoch


class LastGood:
    """When a run over the whole page last ended well."""

    def __init__(self, statedir: str) -> None:
        self._statedir = statedir

    def read(self) -> datetime | None:
        """None where no run ended well yet, or where others than we may have said so. Whole seconds."""
        try:
            check_state(self._statedir)
            with explained(f"{self._statedir}/{GOOD}", "look at"):
                status = os.lstat(f"{self._statedir}/{GOOD}")
        except CertkeeperError:
            return None
        return from_epoch(int(status.st_mtime))

    def mark(self, at: datetime) -> None:
        """A run ended well.

        Raises:
            CertkeeperError: STATEDIR is not ours alone, or cannot be written to.
        """
        path = f"{self._statedir}/{GOOD}"
        if not os.path.lexists(path):
            write_cache(self._statedir, GOOD, b"")
        with explained(path, "set the time of"):
            os.utime(path, (at.timestamp(), at.timestamp()), follow_symlinks=False)
