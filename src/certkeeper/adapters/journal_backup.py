"""STATEDIR/backup: the journal as it was before an upgrade changed its tables, for whoever goes back a version."""

import os
import re
import sqlite3
from contextlib import closing, suppress

from certkeeper.adapters import journal_tables as tables
from certkeeper.adapters.files import FILE_MODE, FileMissing, Folder, explained, temporary_name

FOLDER = "backup"
_NAME = re.compile(r"journal\.db\.schema-([0-9]{1,9})(?:-([0-9]{1,9}))?")


def back_up(database: sqlite3.Connection, state: Folder, schema: int) -> str | None:
    """A copy of the journal, which has that schema; its path. None where another process has changed it meanwhile.

    Raises:
        FileTrouble: it cannot be written. The journal is as it was.
        sqlite3.Error: it cannot be read.
    """
    with state.make_lasting_child(FOLDER) as folder:
        folder.sweep()
        temporary = temporary_name("journal.db")
        path = folder.path_of(temporary)
        with explained(path, "write"):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE))
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as copy:
                database.backup(copy)
                copied = tables.version(copy)
            if copied != schema:
                return None
            with explained(path, "write"):
                fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    os.fsync(fd)
                finally:
                    os.close(fd)
            name = _free(folder, schema)
            folder.rename(temporary, name)
            folder.sync()
            return folder.path_of(name)
        finally:
            with suppress(FileMissing):
                folder.remove(temporary)


def latest(statedir: str, newest_schema: int) -> str | None:
    """The youngest copy that a certkeeper understands which knows schemas up to that one."""
    with suppress(FileMissing), Folder.open(f"{statedir}/{FOLDER}") as folder:
        found = [
            (int(match[1]), int(match[2] or 0), name) for name in folder.names() if (match := _NAME.fullmatch(name))
        ]
        usable = [item for item in found if item[0] <= newest_schema]
        if usable:
            return folder.path_of(max(usable)[2])
    return None


def _free(folder: Folder, schema: int) -> str:
    """Nothing is written over: who went back and forth has several of one schema."""
    name, number = f"journal.db.schema-{schema}", 0
    while folder.status(name) is not None:
        number += 1
        name = f"journal.db.schema-{schema}-{number}"
    return name
