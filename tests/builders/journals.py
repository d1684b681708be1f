"""A journal in a folder, opened, written and read as one run would."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from certkeeper.adapters.claims import Claims
from certkeeper.adapters.journal import Journal
from certkeeper.plan.records import Record, Records


@contextmanager
def opened(state: Path, **settings: float) -> Iterator[Journal]:
    claims = Claims(str(state))
    journal = Journal(str(state), claims, **settings)
    yield journal
    journal.close()
    claims.close()


def write(state: Path, *put: Record) -> None:
    with opened(state) as journal:
        journal.write(put, ())


def read(state: Path) -> Records:
    with opened(state) as journal:
        return journal.records()
