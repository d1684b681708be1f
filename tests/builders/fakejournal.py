"""The port Journal in memory."""

from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any, TypeVar

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, DnsName
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
    TlsaMemory,
    TlsaTurn,
    ToldIntent,
)

Left = TypeVar("Left", ChallengeIntent, FileIntent, ToldIntent)


class FakeJournal:
    """Entries in memory. `die` ends the run that writes: what it published is then left. `broken` fails writing."""

    def __init__(self) -> None:
        self.orders: dict[Alias, OrderIntent] = {}
        self.debts: dict[Alias, HookDebt] = {}
        self.backoffs: dict[Alias, Backoff] = {}
        self.challenges: set[ChallengeIntent] = set()
        self.names: dict[tuple[str, str], NameBackoff] = {}
        self.limits: dict[str, Limit] = {}
        self.budgets: dict[str, OrderBudget] = {}
        self.deployments: dict[tuple[str, Alias], Deployment] = {}
        self.held: dict[Alias, Held] = {}
        self.tlsa: dict[DnsName, TlsaMemory] = {}
        self.turns: dict[Alias, TlsaTurn] = {}
        self.files: set[FileIntent] = set()
        self.told: set[ToldIntent] = set()
        self.broken: CertkeeperError | None = None
        self._runs = 1

    def die(self) -> None:
        self._runs += 1

    def prepare(self) -> None:
        """Memory needs no file."""

    def records(self) -> Records:
        order = sorted(self.challenges, key=lambda item: (item.zone, item.owner, item.rdata, item.run))
        left = tuple(item for item in order if item.run != str(self._runs))
        files = tuple(
            sorted(
                (item for item in self.files if item.run != str(self._runs)),
                key=lambda item: (item.folder, item.name, item.digest, item.run),
            )
        )
        limits = dict(self.names), dict(self.limits), dict(self.budgets)
        deployed = dict(self.deployments), dict(self.held)
        told = tuple(sorted((item for item in self.told if item.run != str(self._runs)), key=astuple))
        kept = dict(self.orders), dict(self.debts), dict(self.backoffs)
        return Records(*kept, left, files, *limits, *deployed, told, dict(self.tlsa), dict(self.turns))

    def write(self, put: Sequence[Record], drop: Sequence[Record]) -> None:
        if self.broken is not None:
            raise self.broken
        for record in drop:
            if isinstance(record, ChallengeIntent):
                gone = self._key(self._mine(record))
                self.challenges = {item for item in self.challenges if self._key(item) != gone}
            elif isinstance(record, FileIntent):
                self.files.discard(self._mine(record))
            elif isinstance(record, ToldIntent):
                self.told.discard(self._mine(record))
            else:
                table, key = self._place(record)
                table.pop(key, None)
        for record in put:
            if isinstance(record, ChallengeIntent):
                self.challenges.add(self._mine(record))
            elif isinstance(record, FileIntent):
                self.files.add(self._mine(record))
            elif isinstance(record, ToldIntent):
                self.told.add(self._mine(record))
            else:
                table, key = self._place(record)
                table[key] = record

    @property
    def empty(self) -> bool:
        kept = (self.orders, self.debts, self.backoffs, self.challenges, self.files, self.told, self.names)
        return not any((*kept, self.limits))

    def _key(self, record: ChallengeIntent) -> tuple[object, ...]:
        return record.zone, record.owner, record.rdata, record.run

    def _mine(self, record: Left) -> Left:
        return record if record.run else replace(record, run=str(self._runs))

    def _place(self, record: Record) -> tuple[dict[Any, Any], object]:
        tables: dict[type[Record], tuple[dict[Any, Any], tuple[str, ...]]] = {
            OrderIntent: (self.orders, ("alias",)),
            HookDebt: (self.debts, ("alias",)),
            Backoff: (self.backoffs, ("alias",)),
            NameBackoff: (self.names, ("ca", "name")),
            Limit: (self.limits, ("ca",)),
            OrderBudget: (self.budgets, ("ca",)),
            Deployment: (self.deployments, ("target", "alias")),
            Held: (self.held, ("alias",)),
            TlsaMemory: (self.tlsa, ("place",)),
            TlsaTurn: (self.turns, ("alias",)),
        }
        table, names = tables[type(record)]
        key = tuple(getattr(record, name) for name in names)
        return table, key if len(key) > 1 else key[0]
