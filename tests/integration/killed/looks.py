"""What is there between two runs: the journal, the zones, the reader's report."""

import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bed.process import Process
from bed.waiting import wait_until

READER = Path(__file__).with_name("reader.py")


@dataclass(frozen=True, slots=True)
class Journal:
    """Orders and debts: aliases to stamps. Challenges: zone, owner and rdata of each."""

    orders: Mapping[str, int] = field(default_factory=dict)
    challenges: frozenset[tuple[str, str, str]] = frozenset()
    debts: Mapping[str, int] = field(default_factory=dict)
    backoffs: tuple[str, ...] = ()

    @classmethod
    def read(cls, state: Path) -> "Journal":
        """As the next run will find it. A copy is read, since reading ends a transaction that a kill left open."""
        if not (state / "journal.db").exists():
            return cls()
        with tempfile.TemporaryDirectory() as folder:
            for path in state.glob("journal.db*"):
                shutil.copy(path, folder)
            with closing(sqlite3.connect(Path(folder) / "journal.db")) as database:
                tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")}
                if not tables:
                    return cls()
                return cls(
                    orders=dict(database.execute("SELECT alias, stamp FROM orders")),
                    challenges=frozenset(database.execute("SELECT zone, owner, rdata FROM challenges")),
                    debts=dict(database.execute("SELECT alias, stamp FROM debts")),
                    backoffs=tuple(alias for (alias,) in database.execute("SELECT alias FROM backoffs")),
                )


def txt_values(records: Mapping[tuple[str, str], Iterable[str]]) -> set[tuple[str, str]]:
    """Owner, without the final dot, and content of each TXT record."""
    return {
        (owner.removesuffix("."), content)
        for (owner, kind), contents in records.items()
        if kind == "TXT"
        for content in contents
    }


@dataclass(frozen=True, slots=True)
class Report:
    """What the reader met. `rate` is looks per second and lineage; `keys` and `changes` go by alias."""

    looks: int
    rate: float
    unstable: int
    sets: int
    mixed: int
    missing: int
    keys: Mapping[str, int]
    changes: Mapping[str, int]
    troubles: tuple[str, ...]


class Reader:
    """The reading program, started by the constructor."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._watched = folder / "watched"
        self._report = folder / "report.json"
        self._generation = 0
        self._write(())
        command: list[str | Path] = [sys.executable, READER, self._watched, self._report]
        self._process = Process("reader", command, folder / "reader.log", ready=self._report.exists)

    def watch(self, folders: Iterable[Path]) -> None:
        """From now on these, and no other ones; returns when they are being read."""
        self._generation += 1
        self._write(folders)
        wait_until(
            lambda: self._raw()["generation"] == str(self._generation) or not self._process.alive,
            "the reader takes up the new lineages",
        )
        assert self._process.alive, self._process.tail()

    def end(self) -> Report:
        """Stops reading; the report."""
        assert self._process.alive, self._process.tail()
        self._process.stop(grace=30)
        raw = self._raw()
        return Report(
            looks=raw["looks"],
            rate=raw["looks"] / max(raw["watched"], 0.001),
            unstable=raw["unstable"],
            sets=raw["sets"],
            mixed=raw["mixed"],
            missing=raw["missing"],
            keys={Path(folder).name: number for folder, number in raw["keys"].items()},
            changes={Path(folder).name: number for folder, number in raw["changes"].items()},
            troubles=tuple(raw["troubles"]),
        )

    def stop(self) -> None:
        self._process.stop()

    def _raw(self) -> dict[str, Any]:
        raw: dict[str, Any] = json.loads(self._report.read_text(encoding="utf-8"))
        return raw

    def _write(self, folders: Iterable[Path]) -> None:
        new = self._watched.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in (self._generation, *folders)), encoding="utf-8")
        new.replace(self._watched)
