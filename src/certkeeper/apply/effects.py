"""Effects: the steps that touch a machine, as values. Each knows which port it goes through."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from certkeeper.apply.ports import Ports
from certkeeper.base.accounts import StoredAccount
from certkeeper.base.keys import KeyPair, KeySpec
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.wire import Exchange, Step
from certkeeper.lineage.model import Draft, VersionFiles
from certkeeper.zone.changes import ChangeSet
from certkeeper.zone.propagation import Server, ServerSet
from certkeeper.zone.rrset import Zone

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Effect(Step, Generic[T_co]):
    """One call of one port. Values only, so that it can be printed, ordered and left undone by a test."""

    __slots__ = ()

    def perform(self, ports: Ports) -> T_co:
        raise NotImplementedError


def do(effect: Effect[T]) -> Exchange[T]:
    """Ask for an effect and get its result."""
    result = yield effect
    return cast("T", result)


@dataclass(frozen=True, slots=True)
class ReadAccount(Effect[StoredAccount | None]):
    ca: str

    def perform(self, ports: Ports) -> StoredAccount | None:
        return ports.accounts.read(self.ca)


@dataclass(frozen=True, slots=True)
class SaveAccountKey(Effect[None]):
    ca: str
    key: KeyPair

    def perform(self, ports: Ports) -> None:
        ports.accounts.save_key(self.ca, self.key)


@dataclass(frozen=True, slots=True)
class SaveAccount(Effect[None]):
    ca: str
    kid: str
    registration: bytes

    def perform(self, ports: Ports) -> None:
        ports.accounts.save(self.ca, self.kid, self.registration)


@dataclass(frozen=True, slots=True)
class ForgetAccountKey(Effect[None]):
    """The CA refused the account: a key without account must not look like a registration to anybody."""

    ca: str

    def perform(self, ports: Ports) -> None:
        ports.accounts.remove_unregistered(self.ca)


@dataclass(frozen=True, slots=True)
class MakeKey(Effect[KeyPair]):
    spec: KeySpec

    def perform(self, ports: Ports) -> KeyPair:
        return ports.keys.make(self.spec)


@dataclass(frozen=True, slots=True)
class BeginVersion(Effect[Draft]):
    alias: Alias

    def perform(self, ports: Ports) -> Draft:
        return ports.store.begin(self.alias, int(ports.clock.now().timestamp()))


@dataclass(frozen=True, slots=True)
class ReadLiveKey(Effect[KeyPair]):
    alias: Alias

    def perform(self, ports: Ports) -> KeyPair:
        return ports.store.live_key(self.alias)


@dataclass(frozen=True, slots=True)
class SaveKey(Effect[None]):
    draft: Draft
    key: KeyPair

    def perform(self, ports: Ports) -> None:
        ports.store.save_key(self.draft, self.key)


@dataclass(frozen=True, slots=True)
class StageVersion(Effect[None]):
    draft: Draft
    files: VersionFiles

    def perform(self, ports: Ports) -> None:
        ports.store.stage(self.draft, self.files)


@dataclass(frozen=True, slots=True)
class ActivateVersion(Effect[None]):
    alias: Alias
    stamp: int

    def perform(self, ports: Ports) -> None:
        ports.store.activate(self.alias, self.stamp)


@dataclass(frozen=True, slots=True)
class DiscardVersion(Effect[None]):
    draft: Draft

    def perform(self, ports: Ports) -> None:
        ports.store.discard(self.draft)


@dataclass(frozen=True, slots=True)
class ChangeZone(Effect[None]):
    zone: Zone
    changes: ChangeSet

    def perform(self, ports: Ports) -> None:
        ports.dns.change(self.zone, self.changes)


@dataclass(frozen=True, slots=True)
class NotifyZone(Effect[None]):
    zone: Zone

    def perform(self, ports: Ports) -> None:
        ports.dns.notify(self.zone)


@dataclass(frozen=True, slots=True)
class FindServers(Effect[ServerSet]):
    zone: DnsName

    def perform(self, ports: Ports) -> ServerSet:
        return ports.nameservers.of(self.zone)


@dataclass(frozen=True, slots=True)
class AskServer(Effect[Mapping[DnsName, frozenset[str]]]):
    server: Server
    owners: Collection[DnsName]

    def perform(self, ports: Ports) -> Mapping[DnsName, frozenset[str]]:
        return ports.nameservers.ask_txt(self.server, self.owners)
