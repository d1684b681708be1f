"""Actions, reasons and the plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeySpec
from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.config.findings import Finding
from certkeeper.config.settings import CertSpec
from certkeeper.zone.rrset import Zone


class Reason(StrEnum):
    """Why a lineage is due, or is not."""

    CURRENT = "current"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    TORN = "torn"
    NAMES_CHANGED = "names-changed"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    FORCED = "forced"


class KeySource(StrEnum):
    """Where the key of the next certificate comes from."""

    NEW = "new"
    REUSE = "reuse"
    PLAIN = "plain"
    """The admin's own privkey.pem, which stays as it is."""


@dataclass(frozen=True, slots=True)
class Order:
    """Ask the CA for a certificate. `must_staple` is the effective value, not the wish."""

    identifiers: tuple[Identifier, ...]
    must_staple: bool
    profile: str


@dataclass(frozen=True, slots=True)
class UseKey:
    source: KeySource
    spec: KeySpec


@dataclass(frozen=True, slots=True)
class Prove:
    """Publish TXT values at these owners of this zone; merged over all lineages into one PATCH."""

    zone: Zone
    owners: tuple[DnsName, ...]


@dataclass(frozen=True, slots=True)
class Activate:
    """Stage a complete version and switch the lineage's one link to it."""

    folder: str


Action: TypeAlias = Order | UseKey | Prove | Activate


@dataclass(frozen=True, slots=True)
class LineagePlan:
    """What happens to one lineage. Without actions and without error it is current.

    `wake_at` is when it is worth looking again (None: right after the operator mended `error`).
    `fingerprint` is a hash of everything that decided, except the time: while it stays the same and `wake_at` has not
    come, planning again gives the same result.
    """

    spec: CertSpec
    reason: Reason
    detail: str
    actions: tuple[Action, ...]
    fingerprint: str
    wake_at: datetime | None = None
    error: CertkeeperError | None = None

    @property
    def alias(self) -> Alias:
        return self.spec.alias

    @property
    def order(self) -> Order | None:
        return next((action for action in self.actions if isinstance(action, Order)), None)

    @property
    def key(self) -> UseKey | None:
        return next((action for action in self.actions if isinstance(action, UseKey)), None)

    @property
    def proofs(self) -> tuple[Prove, ...]:
        return tuple(action for action in self.actions if isinstance(action, Prove))


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it starts. `zones` is every change to DNS, merged: one PATCH each."""

    lineages: tuple[LineagePlan, ...]
    register_at: str | None = None
    zones: Mapping[Zone, tuple[DnsName, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    wake_at: datetime | None = None

    @property
    def due(self) -> tuple[LineagePlan, ...]:
        return tuple(item for item in self.lineages if item.actions)

    @property
    def blocked(self) -> tuple[LineagePlan, ...]:
        return tuple(item for item in self.lineages if item.error is not None)
