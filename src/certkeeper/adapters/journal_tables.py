"""The journal's tables: records to rows and back. A new schema gets a new VERSION and a step that leads to it."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any, TypeGuard

from certkeeper.base.names import Alias, DnsName, Identifier, IdentifierType
from certkeeper.base.times import from_epoch
from certkeeper.base.value import replace
from certkeeper.plan.records import (
    Backoff,
    ChallengeIntent,
    Deployment,
    FileIntent,
    Held,
    HookDebt,
    Limit,
    NameBackoff,
    OrderBudget,
    OrderIntent,
    Record,
    Records,
    Shown,
    TlsaMemory,
    TlsaTurn,
    ToldIntent,
    TurnKind,
)

VERSION = 6
_LIMITS = (
    """CREATE TABLE names (
    ca TEXT NOT NULL, name TEXT NOT NULL, failures INTEGER NOT NULL, retry_at REAL NOT NULL, inputs TEXT NOT NULL,
    message TEXT NOT NULL, PRIMARY KEY (ca, name)
) STRICT""",
    """CREATE TABLE limits (
    ca TEXT PRIMARY KEY, failures INTEGER NOT NULL, retry_at REAL NOT NULL, message TEXT NOT NULL
) STRICT""",
    "CREATE TABLE budgets (ca TEXT PRIMARY KEY, remaining REAL NOT NULL, at REAL NOT NULL) STRICT",
)
_DEPLOYMENTS = (
    """CREATE TABLE deployments (
    target TEXT NOT NULL, alias TEXT NOT NULL, stamp INTEGER NOT NULL, shown TEXT NOT NULL, failures INTEGER NOT NULL,
    retry_at REAL, message TEXT NOT NULL, PRIMARY KEY (target, alias)
) STRICT""",
    "CREATE TABLE held (alias TEXT PRIMARY KEY, stamp INTEGER NOT NULL, until REAL, message TEXT NOT NULL) STRICT",
)
_TLSA = (
    """CREATE TABLE tlsa (
    place TEXT PRIMARY KEY, zone TEXT NOT NULL, age TEXT NOT NULL, known TEXT NOT NULL, behind TEXT NOT NULL
) STRICT""",
    "CREATE TABLE turns (alias TEXT PRIMARY KEY, kind TEXT NOT NULL, key_id TEXT NOT NULL, at REAL NOT NULL) STRICT",
)
_TOLD = """CREATE TABLE told (
    alias TEXT NOT NULL, script TEXT NOT NULL, method TEXT NOT NULL, name TEXT NOT NULL, token TEXT NOT NULL,
    value TEXT NOT NULL, run TEXT NOT NULL, PRIMARY KEY (alias, script, method, name, token, value, run)
) STRICT"""
_FILES = """files (
    folder TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, run TEXT NOT NULL,
    PRIMARY KEY (folder, name, digest, run)
) STRICT"""
_SCHEMA = f"""
CREATE TABLE orders (
    alias TEXT PRIMARY KEY, url TEXT NOT NULL, ca TEXT NOT NULL, identifiers TEXT NOT NULL, profile TEXT NOT NULL,
    must_staple INTEGER NOT NULL, key TEXT NOT NULL, stamp INTEGER NOT NULL
) STRICT;
CREATE TABLE challenges (
    zone TEXT NOT NULL, owner TEXT NOT NULL, rdata TEXT NOT NULL, run TEXT NOT NULL,
    provider TEXT NOT NULL DEFAULT '', token TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (zone, owner, rdata, run)
) STRICT;
CREATE TABLE {_FILES};
CREATE TABLE debts (alias TEXT PRIMARY KEY, hook TEXT NOT NULL, stamp INTEGER NOT NULL) STRICT;
CREATE TABLE backoffs (
    alias TEXT PRIMARY KEY, failures INTEGER NOT NULL, retry_at REAL NOT NULL, inputs TEXT NOT NULL,
    message TEXT NOT NULL, link TEXT NOT NULL DEFAULT ''
) STRICT;
"""
# What leads from each version to the next one.
_STEPS = {
    1: (
        "ALTER TABLE challenges ADD COLUMN provider TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE challenges ADD COLUMN token TEXT NOT NULL DEFAULT ''",
    ),
    2: (f"CREATE TABLE {_FILES}",),
    3: ("ALTER TABLE backoffs ADD COLUMN link TEXT NOT NULL DEFAULT ''", *_LIMITS),
    4: (*_DEPLOYMENTS, _TOLD),
    5: _TLSA,
}
_WITH_FILES = 3
_FIRST_WITH_LIMITS = 4
_FIRST_WITH_DEPLOYMENTS = 5
_FIRST_WITH_TLSA = 6
_EVERYTHING_TOLD = "SELECT * FROM told ORDER BY alias, script, method, name, token, value, run"
_KEYS = {
    "names": "ca=? AND name=?",
    "limits": "ca=?",
    "budgets": "ca=?",
    "deployments": "target=? AND alias=?",
    "tlsa": "place=?",
}
Run = Callable[[], str]
_Row = tuple[str | int | float | None, ...]


def settle(database: sqlite3.Connection) -> None:
    """What every connection does first: FULL asks the disk to keep what was committed."""
    database.execute("PRAGMA synchronous=FULL")
    database.execute("PRAGMA journal_mode=TRUNCATE")


def version(database: sqlite3.Connection) -> int:
    """The schema's version; 0 for a file without tables."""
    (found,) = database.execute("PRAGMA user_version").fetchone()
    return int(found)


def create(database: sqlite3.Connection) -> None:
    """Make the tables where there are none yet, or bring them up to date; two processes may try at once."""
    if version(database) == VERSION:
        return
    database.execute("BEGIN IMMEDIATE")
    if version(database) == 0:
        for statement in (*_SCHEMA.split(";"), *_LIMITS, *_DEPLOYMENTS, _TOLD, *_TLSA):
            database.execute(statement)
    else:
        for step in range(version(database), VERSION):
            for statement in _STEPS[step]:
                database.execute(statement)
    database.execute(f"PRAGMA user_version={VERSION}")
    database.execute("COMMIT")


def read(database: sqlite3.Connection) -> Records:
    """All entries; `left`, `files` and `told` are those of every run.

    Raises:
        ValueError, KeyError, TypeError: a row that makes no sense.
    """
    if version(database) == 0:
        return Records()
    orders = [
        OrderIntent(Alias(alias), url, ca, _identifiers(names), profile, bool(staple), key, stamp)
        for alias, url, ca, names, profile, staple, key, stamp in _rows(database, "SELECT * FROM orders")
    ]
    debts = [HookDebt(Alias(alias), hook, stamp) for alias, hook, stamp in _rows(database, "SELECT * FROM debts")]
    backoffs = [
        Backoff(Alias(alias), failures, from_epoch(retry_at), *rest)
        for alias, failures, retry_at, *rest in _rows(database, "SELECT * FROM backoffs")
    ]
    challenges = _rows(database, "SELECT * FROM challenges ORDER BY zone, owner, rdata, run")
    left = [ChallengeIntent(DnsName(zone), DnsName(owner), *rest) for zone, owner, *rest in challenges]
    found = Records(
        orders={item.alias: item for item in orders},
        debts={item.alias: item for item in debts},
        backoffs={item.alias: item for item in backoffs},
        left=tuple(left),
        files=_files(database),
    )
    if version(database) >= _FIRST_WITH_LIMITS:
        found = _with_limits(database, found)
    if version(database) >= _FIRST_WITH_DEPLOYMENTS:
        found = _with_deployments(database, found)
    return _with_tlsa(database, found) if version(database) >= _FIRST_WITH_TLSA else found


def _rows(database: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    # A cursor that failed half-way would keep the file locked for as long as somebody looks at the error.
    with closing(database.execute(query)) as cursor:
        return cursor.fetchall()


def _with_limits(database: sqlite3.Connection, found: Records) -> Records:
    names = [
        NameBackoff(ca, name, failures, from_epoch(retry_at), *rest)
        for ca, name, failures, retry_at, *rest in _rows(database, "SELECT * FROM names")
    ]
    limits = [
        Limit(ca, failures, from_epoch(retry_at), message)
        for ca, failures, retry_at, message in _rows(database, "SELECT * FROM limits")
    ]
    budgets = [OrderBudget(ca, left, from_epoch(at)) for ca, left, at in _rows(database, "SELECT * FROM budgets")]
    return replace(
        found,
        names={(item.ca, item.name): item for item in names},
        limits={item.ca: item for item in limits},
        budgets={item.ca: item for item in budgets},
    )


def _with_deployments(database: sqlite3.Connection, found: Records) -> Records:
    deployments = [
        Deployment(target, Alias(alias), stamp, Shown(shown), failures, _time(retry_at), message)
        for target, alias, stamp, shown, failures, retry_at, message in _rows(database, "SELECT * FROM deployments")
    ]
    held = [
        Held(Alias(alias), stamp, _time(until), message)
        for alias, stamp, until, message in _rows(database, "SELECT * FROM held")
    ]
    return replace(
        found,
        deployments={(item.target, item.alias): item for item in deployments},
        held={item.alias: item for item in held},
        told=tuple(ToldIntent(Alias(alias), *words) for alias, *words in _rows(database, _EVERYTHING_TOLD)),
    )


def _with_tlsa(database: sqlite3.Connection, found: Records) -> Records:
    turns = [
        TlsaTurn(Alias(alias), TurnKind(kind), key_id, from_epoch(at))
        for alias, kind, key_id, at in _rows(database, "SELECT * FROM turns")
    ]
    rows = _rows(database, "SELECT * FROM tlsa")
    if not rows:
        return replace(found, turns={item.alias: item for item in turns})
    from certkeeper.adapters.tlsamemory import read_memory  # noqa: PLC0415 - most pages publish no TLSA records

    memories = [read_memory(*row) for row in rows]
    return replace(found, tlsa={item.place: item for item in memories}, turns={item.alias: item for item in turns})


def _time(epoch: float | None) -> datetime | None:
    return from_epoch(epoch) if epoch is not None else None


def put(database: sqlite3.Connection, records: Sequence[Record], run: Run) -> None:
    for record in records:
        table, row = _row(record, run)
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)  # noqa: S608 - names of ours


def drop(database: sqlite3.Connection, records: Sequence[Record], run: Run) -> None:
    for record in records:
        if isinstance(record, ChallengeIntent):
            _, row = _row(record, run)
            database.execute("DELETE FROM challenges WHERE zone=? AND owner=? AND rdata=? AND run=?", row[:4])
        elif isinstance(record, FileIntent):
            _, row = _row(record, run)
            database.execute("DELETE FROM files WHERE folder=? AND name=? AND digest=? AND run=?", row)
        elif isinstance(record, ToldIntent):
            _, row = _row(record, run)
            every = "alias=? AND script=? AND method=? AND name=? AND token=? AND value=? AND run=?"
            database.execute(f"DELETE FROM told WHERE {every}", row)  # noqa: S608 - names of ours
        else:
            table, row = _row(record, run)
            key = _KEYS.get(table, "alias=?")
            database.execute(f"DELETE FROM {table} WHERE {key}", row[: key.count("?")])  # noqa: S608 - as above


def is_foreign(record: Record) -> TypeGuard[ChallengeIntent | FileIntent | ToldIntent]:
    """A challenge's entry that came out of the journal, and so may be another run's."""
    return isinstance(record, ChallengeIntent | FileIntent | ToldIntent) and bool(record.run)


def mentions(database: sqlite3.Connection, run: str) -> bool:
    tables = ("challenges", "files", "told")
    any_of = " UNION ".join(f"SELECT 1 FROM {table} WHERE run=?" for table in tables)  # noqa: S608 - names of ours
    return database.execute(f"{any_of} LIMIT 1", (run,) * len(tables)).fetchone() is not None


def _files(database: sqlite3.Connection) -> tuple[FileIntent, ...]:
    # An older journal that is only read keeps its schema.
    if version(database) < _WITH_FILES:
        return ()
    return tuple(FileIntent(*row) for row in _rows(database, "SELECT * FROM files ORDER BY folder, name, digest, run"))


def _row(record: Record, run: Run) -> tuple[str, _Row]:
    match record:
        case OrderIntent():
            names = json.dumps([[item.type.value, item.value] for item in record.identifiers])
            staple = int(record.must_staple)
            row = (record.alias.text, record.url, record.ca, names, record.profile, staple, record.key, record.stamp)
            return "orders", row
        case ChallengeIntent():
            named = (record.zone.text, record.owner.text, record.rdata, record.run or run())
            return "challenges", (*named, record.provider, record.token)
        case FileIntent():
            return "files", (record.folder, record.name, record.digest, record.run or run())
        case ToldIntent():
            words = (record.script, record.method, record.name, record.token, record.value)
            return "told", (record.alias.text, *words, record.run or run())
        case HookDebt():
            return "debts", (record.alias.text, record.hook, record.stamp)
        case Backoff():
            retry_at = record.retry_at.timestamp()
            said = (record.message, record.link)
            return "backoffs", (record.alias.text, record.failures, retry_at, record.inputs, *said)
        case NameBackoff() | Limit() | OrderBudget():
            return _row_of_limit(record)
        case Deployment() | Held():
            return _row_of_deployment(record)
        case TlsaMemory() | TlsaTurn():
            return _row_of_tlsa(record)


def _row_of_limit(record: NameBackoff | Limit | OrderBudget) -> tuple[str, _Row]:
    match record:
        case NameBackoff():
            counted = (record.failures, record.retry_at.timestamp(), record.inputs, record.message)
            return "names", (record.ca, record.name, *counted)
        case Limit():
            return "limits", (record.ca, record.failures, record.retry_at.timestamp(), record.message)
        case OrderBudget():
            return "budgets", (record.ca, record.left, record.at.timestamp())


def _row_of_deployment(record: Deployment | Held) -> tuple[str, _Row]:
    match record:
        case Deployment():
            tried = (record.failures, _epoch(record.retry_at), record.message)
            return "deployments", (record.target, record.alias.text, record.stamp, record.shown.value, *tried)
        case Held():
            return "held", (record.alias.text, record.stamp, _epoch(record.until), record.message)


def _row_of_tlsa(record: TlsaMemory | TlsaTurn) -> tuple[str, _Row]:
    match record:
        case TlsaMemory():
            from certkeeper.adapters.tlsamemory import written  # noqa: PLC0415 - most pages publish no TLSA records

            return "tlsa", written(record)
        case TlsaTurn():
            return "turns", (record.alias.text, record.kind.value, record.key_id, record.at.timestamp())


def _epoch(time: datetime | None) -> float | None:
    return time.timestamp() if time is not None else None


def _identifiers(text: str) -> tuple[Identifier, ...]:
    return tuple(Identifier(IdentifierType(type_), value) for type_, value in json.loads(text))
