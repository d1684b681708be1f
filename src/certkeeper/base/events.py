"""What happened, as values. Code tells events; only the rim turns them into words on a terminal, in a log, or JSON."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar

from certkeeper.base.errors import CertkeeperError, printable


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `label` names it for machines and never changes; `text` is for people."""

    label: ClassVar[str] = "event"

    @property
    def text(self) -> str:
        """One line: lower case, the object first, no final period."""
        return " ".join(str(getattr(self, item.name)) for item in fields(self))


Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class AccountRegistered(Event):
    label: ClassVar[str] = "account-registered"
    ca: str
    url: str

    @property
    def text(self) -> str:
        return f"{self.ca}: account registered as {self.url}"


@dataclass(frozen=True, slots=True)
class OrderOpened(Event):
    label: ClassVar[str] = "order-opened"
    lineage: str
    status: str
    names: int

    @property
    def text(self) -> str:
        reused = ", nothing left to prove" if self.status == "ready" else ""
        return f"{self.lineage}: order opened for {count(self.names, 'name')}{reused}"


@dataclass(frozen=True, slots=True)
class ZoneChanged(Event):
    """One PATCH went through. `records` counts values that were added or taken away."""

    label: ClassVar[str] = "zone-changed"
    zone: str
    action: str
    records: int
    lineages: int

    @property
    def text(self) -> str:
        whose = f" of {count(self.lineages, 'certificate')}" if self.lineages else ""
        return f"zone {self.zone}: {count(self.records, 'challenge record')}{whose} {self.action}"


@dataclass(frozen=True, slots=True)
class ServersWaited(Event):
    """Still waiting for name servers; told when what is missing changes."""

    label: ClassVar[str] = "servers-waited"
    zone: str
    missing: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"zone {self.zone}: waiting for {', '.join(self.missing)}"


@dataclass(frozen=True, slots=True)
class ServerServes(Event):
    """One name server has what was published; told by trials."""

    label: ClassVar[str] = "server-serves"
    server: str
    seconds: float

    @property
    def text(self) -> str:
        return f"{self.server}: serves it after {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class ZoneProven(Event):
    label: ClassVar[str] = "zone-proven"
    zone: str
    servers: tuple[str, ...]
    seconds: float

    @property
    def text(self) -> str:
        return f"zone {self.zone}: served by {', '.join(self.servers)} after {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """Something the operator should know although the work went on."""

    label: ClassVar[str] = "noted"
    subject: str
    message: str

    @property
    def text(self) -> str:
        return f"{self.subject}: {self.message}"


@dataclass(frozen=True, slots=True)
class NamesProven(Event):
    label: ClassVar[str] = "names-proven"
    lineage: str

    @property
    def text(self) -> str:
        return f"{self.lineage}: the CA accepts every name"


@dataclass(frozen=True, slots=True)
class CertificateIssued(Event):
    label: ClassVar[str] = "certificate-issued"
    lineage: str
    not_after: str
    path: str

    @property
    def text(self) -> str:
        return f"{self.lineage}: certificate valid until {self.not_after} is live in {self.path}"


@dataclass(frozen=True, slots=True)
class HookCalled(Event):
    """The operator's script ended well; `output` is what it printed."""

    label: ClassVar[str] = "hook-called"
    lineage: str
    script: str
    hook: str
    output: str

    @property
    def text(self) -> str:
        said = printable(self.output, 300)
        return f"{self.lineage}: hook {self.script} {self.hook} done" + (f": {said}" if said else "")


@dataclass(frozen=True, slots=True)
class LineageFailed(Event):
    label: ClassVar[str] = "lineage-failed"
    lineage: str
    error: CertkeeperError

    @property
    def text(self) -> str:
        return f"{self.lineage}: {self.error}"


def count(number: int, noun: str) -> str:
    """`1 name`, `2 names`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
