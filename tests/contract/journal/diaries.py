"""A journal across runs, in memory and on disk."""

import os
from pathlib import Path
from typing import Protocol

from builders.fakejournal import FakeJournal
from certkeeper.adapters.claims import Claims
from certkeeper.adapters.journal import Journal
from certkeeper.apply import ports


class Diary(Protocol):
    """A journal across runs."""

    @property
    def journal(self) -> ports.Journal:
        """The present run's."""

    def die(self) -> None:
        """The run that wrote is killed, and another one begins."""


class FakeDiary:
    def __init__(self) -> None:
        self.journal = FakeJournal()

    def die(self) -> None:
        self.journal.die()


class RealDiary:
    def __init__(self, statedir: Path) -> None:
        self._statedir = str(statedir)
        self._begin()

    def _begin(self) -> None:
        self._claims = Claims(self._statedir)
        self.journal = Journal(self._statedir, self._claims)

    def die(self) -> None:
        self.journal.close()
        # The kernel closes what a killed process has open, and nobody tidies up.
        for fd in self._claims._held.values():
            os.close(fd)
        self._begin()

    def close(self) -> None:
        self.journal.close()
        self._claims.close()
