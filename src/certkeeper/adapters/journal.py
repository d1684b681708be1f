"""STATEDIR/journal.db: what has to be remembered from run to run, in SQLite.

The file comes into being with the first entry. Every write is one transaction that lasts when it returns; writes that
come while another one is on its way to the disk go together with the next. Deleting the file breaks nothing that is
served: challenge records of a killed run may stay in DNS, and a hook may remain uncalled.
"""

import os
import sqlite3
import stat
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import closing

from certkeeper.adapters import journal_backup as backup
from certkeeper.adapters import journal_tables as tables
from certkeeper.adapters.claims import Claims
from certkeeper.adapters.descriptors import perhaps_out_of_descriptors
from certkeeper.adapters.files import FILE_MODE, FileMissing, FileTrouble, explained
from certkeeper.adapters.state import check_state, make_state
from certkeeper.apply.ports import JournalDamaged
from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.value import dataclass, replace
from certkeeper.plan.records import ChallengeIntent, FileIntent, Record, Records, ToldIntent

NAME = "journal.db"
_BUSY_SECONDS = 30.0


class JournalTrouble(FileTrouble):
    """The journal cannot be read or written."""

    label = "journal"


class JournalOfTheFuture(JournalTrouble):
    """A newer certkeeper wrote it."""

    exit_code = ExitCode.USAGE


@dataclass(slots=True, eq=False)
class _Pending:
    put: Sequence[Record]
    drop: Sequence[Record]
    done: bool = False
    error: Exception | None = None


class Journal:
    """Implements the port Journal. Threads may share it. Another process that writes is waited for, at most so long."""

    def __init__(self, statedir: str, claims: Claims, busy_seconds: float = _BUSY_SECONDS) -> None:
        self._statedir = statedir
        self._path = f"{statedir}/{NAME}"
        self._claims = claims
        self._busy_seconds = busy_seconds
        self._pending: deque[_Pending] = deque()
        self._disk = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def records(self) -> Records:
        """All entries; none where there is no journal.

        Raises:
            JournalDamaged, JournalOfTheFuture, JournalTrouble: the file is there and cannot be used.
            StateRefused: the folder is not ours alone.
        """
        try:
            check_state(self._statedir)
            with explained(self._path, "look at"):
                status = os.stat(self._path, follow_symlinks=False)  # noqa: PTH116 - text, as in all adapters
        except FileMissing:
            return Records()
        if not stat.S_ISREG(status.st_mode):
            raise JournalTrouble(f"{self._path}: not a regular file", hint=f"move it away: ls -ld {self._path}")
        database = self._database
        if database is not None:
            return self._read(database)
        with closing(self._connect("rw")) as passing:
            return self._read(passing)

    def schema(self) -> tuple[int, int]:
        """The schema of the file, 0 where there is none, and the one that the next entry brings it to.

        Raises:
            JournalDamaged, JournalOfTheFuture, JournalTrouble: the file is there and cannot be used.
        """
        if not os.path.lexists(self._path):
            return 0, tables.VERSION
        with closing(self._connect("ro")) as passing:
            return tables.version(passing), tables.VERSION

    def write(self, put: Sequence[Record], drop: Sequence[Record]) -> None:
        """Put and drop in one transaction.

        Raises:
            JournalTrouble, FileTrouble: nothing of it was written.
        """
        mine = _Pending(put, drop)
        self._pending.append(mine)
        with self._disk:
            if not mine.done:
                self._commit_pending()
        if mine.error is not None:
            raise mine.error

    def prepare(self) -> None:
        """Open the journal for writing, making it where it is missing.

        Raises:
            JournalTrouble, FileTrouble: it cannot be written to.
        """
        with self._disk:
            self._open()

    def set_aside(self, stamp: int) -> str:
        """Give a damaged journal another name, which is returned; the next entry begins a new one."""
        self.close()
        aside = f"{self._path}.damaged-{stamp}"
        with explained(aside, "rename to"):
            os.rename(self._path, aside)  # noqa: PTH104 - text, as everywhere in the adapters
            for left in ("-journal", "-wal", "-shm"):
                if os.path.lexists(self._path + left):
                    os.rename(self._path + left, aside + left)  # noqa: PTH104 - as above
        return aside

    def close(self) -> None:
        with self._disk:
            database, self._database = self._database, None
            if database is not None:
                database.close()

    def _read(self, database: sqlite3.Connection) -> Records:
        try:
            if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise self._damaged("its pages do not fit together")
            found = tables.read(database)
        except sqlite3.Error as error:
            raise self._explained(error) from error
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, OSError) as error:
            raise self._damaged(f"an entry makes no sense: {error}") from error
        marked: tuple[ChallengeIntent | FileIntent | ToldIntent, ...] = (*found.left, *found.files, *found.told)
        runs = {intent.run for intent in marked}
        gone = {run for run in runs if not self._claims.goes_on(run)}
        return replace(
            found,
            left=tuple(intent for intent in found.left if intent.run in gone),
            files=tuple(intent for intent in found.files if intent.run in gone),
            told=tuple(intent for intent in found.told if intent.run in gone),
        )

    def _commit_pending(self) -> None:
        batch = []
        while self._pending:
            batch.append(self._pending.popleft())
        failure: Exception | None = None
        try:
            self._commit(batch)
        except Exception as error:  # noqa: BLE001 - handed to everybody who waits for this transaction
            failure = error
        for item in batch:
            item.error, item.done = failure, True

    def _commit(self, batch: Sequence[_Pending]) -> None:
        database = self._open()
        try:
            database.execute("BEGIN IMMEDIATE")
            for item in batch:
                tables.drop(database, item.drop, self._claims.run)
                tables.put(database, item.put, self._claims.run)
            database.execute("COMMIT")
        except sqlite3.Error as error:
            self._forget(database)
            raise self._explained(error) from error
        except BaseException:
            self._forget(database)
            raise
        for run in {record.run for item in batch for record in item.drop if tables.is_foreign(record)}:
            if run != self._claims.run() and not tables.mentions(database, run):
                self._claims.bury(run)

    def _forget(self, database: sqlite3.Connection) -> None:
        """After a failure the connection is made anew: its transaction ends with it, whatever state it is in."""
        self._database = None
        database.close()

    def _open(self) -> sqlite3.Connection:
        if self._database is not None:
            return self._database
        with make_state(self._statedir) as state, explained(self._path, "open"):
            # SQLite would make it readable for others, and would follow a link.
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(self._path, flags, FILE_MODE))
            state.sync()
        database = self._connect("rw")
        try:
            self._keep_before(database)
            tables.create(database)
        except sqlite3.Error as error:
            database.close()
            raise self._explained(error) from error
        except BaseException:
            database.close()
            raise
        self._database = database
        return database

    def _keep_before(self, database: sqlite3.Connection) -> None:
        """Tables are about to be changed: the file as it is stays for whoever goes back a version."""
        schema = tables.version(database)
        if 0 < schema < tables.VERSION:
            with make_state(self._statedir) as state:
                backup.back_up(database, state, schema)

    def _connect(self, mode: str) -> sqlite3.Connection:
        try:
            database = sqlite3.connect(
                f"file:{_uri(self._path)}?mode={mode}",
                uri=True,
                timeout=self._busy_seconds,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise self._explained(error) from error
        try:
            tables.settle(database)
            version = tables.version(database)
        except sqlite3.Error as error:
            database.close()
            raise self._explained(error) from error
        except UnicodeDecodeError as error:
            # What SQLite says of a damaged page may be no text itself.
            database.close()
            raise self._damaged(str(error)) from error
        if version < 0:
            database.close()
            raise self._damaged(f"it says that its schema is {version}")
        if version > tables.VERSION:
            database.close()
            raise self._of_the_future(version)
        return database

    def _of_the_future(self, version: int) -> JournalOfTheFuture:
        before = backup.latest(self._statedir, tables.VERSION)
        away = f"mv {self._path} {self._path}.schema-{version}"
        go_back = f"move the file away: {away}"
        if before is not None:
            go_back = f"go back to the journal from before the upgrade: {away} && cp -p {before} {self._path}"
        return JournalOfTheFuture(
            f"{self._path}: schema {version}, and this certkeeper knows {tables.VERSION}: a newer one wrote it",
            hint=f"use the newer certkeeper, or {go_back}",
        )

    def _damaged(self, why: str) -> JournalDamaged:
        return JournalDamaged(f"{self._path}: damaged: {why}", hint="run again: the next run sets it aside")

    def _explained(self, error: sqlite3.Error) -> CertkeeperError:
        kind = getattr(error, "sqlite_errorname", "").partition("_")[2]
        said = str(error)
        # SQLite does not hand on why; a folder that cannot be written to would be another reason.
        if kind.startswith("CANTOPEN") and os.access(self._statedir, os.W_OK | os.X_OK):
            starved = perhaps_out_of_descriptors(f"{self._path}: {said}", error)
            if starved is not None:
                return starved
        if kind.startswith(("CORRUPT", "NOTADB")) or any(mark in said for mark in _NO_JOURNAL):
            return self._damaged(said)
        hint = next((hint for start, hint in _HINTS.items() if kind.startswith(start)), "")
        return JournalTrouble(f"{self._path}: {said}", hint=hint.format(folder=self._statedir, path=self._path))


_NO_JOURNAL = ("no such table", "no such column", "Could not decode", "unsupported file format", "malformed")
"""What SQLite says with a general code of a file that is not ours, or not any more."""
_HINTS = {
    "FULL": "make room: df -h {folder}; df -i {folder}",
    "READONLY": "the file system is mounted read-only, or the file is: findmnt -T {folder}; ls -l {path}",
    "IOERR": "the disk reports errors, or is full: dmesg; df -h {folder}",
    "CANTOPEN": "see who may open it: namei -l {path}",
    "BUSY": "another certkeeper holds it: fuser -v {path}",
}


def _uri(path: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - only where there is a journal

    return quote(path)
