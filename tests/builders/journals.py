"""A journal in a folder, opened, written and read as one run would."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from certkeeper.adapters.claims import Claims
from certkeeper.adapters.journal import Journal
from certkeeper.plan.records import Record, Records

FIRST_SCHEMA = """
CREATE TABLE orders (
    alias TEXT PRIMARY KEY, url TEXT NOT NULL, ca TEXT NOT NULL, identifiers TEXT NOT NULL, profile TEXT NOT NULL,
    must_staple INTEGER NOT NULL, key TEXT NOT NULL, stamp INTEGER NOT NULL
) STRICT;
CREATE TABLE challenges (
    zone TEXT NOT NULL, owner TEXT NOT NULL, rdata TEXT NOT NULL, run TEXT NOT NULL,
    PRIMARY KEY (zone, owner, rdata, run)
) STRICT;
CREATE TABLE debts (alias TEXT PRIMARY KEY, hook TEXT NOT NULL, stamp INTEGER NOT NULL) STRICT;
CREATE TABLE backoffs (
    alias TEXT PRIMARY KEY, failures INTEGER NOT NULL, retry_at REAL NOT NULL, inputs TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;
PRAGMA user_version=1;
"""
"""The tables of the first journals that there were."""


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
