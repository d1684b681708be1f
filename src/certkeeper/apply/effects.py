"""Effects: the steps that touch a machine, as values. Each knows which port it goes through."""

from datetime import datetime
from enum import IntEnum
from typing import ClassVar, Generic, TypeVar, cast

from certkeeper.apply.ports import AnsweredChallenge, HookCall, Ports, ServedFile
from certkeeper.base.accounts import StoredAccount
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyPair, KeySpec
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange, Step
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import ServerAddress
from certkeeper.lineage.model import Draft, Lineage, VersionFiles
from certkeeper.plan.backoff import next_backoff
from certkeeper.plan.records import FileIntent, Record
from certkeeper.zone.changes import ChangeSet
from certkeeper.zone.propagation import Answer, Question, Server, ServerSet
from certkeeper.zone.rrset import Zone

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Turn(IntEnum):
    """What goes first of all that waits for a thread; within a turn, who came first."""

    FIRST = 0
    """Others outside have to hear of something, and begin then."""
    LOOK = 1
    """A question to a server that may let us wait. Only so many are under way at a time that others go on, too."""
    ORDINARY = 2


class Effect(Step, Generic[T_co]):
    """One call of one port. Values only, so that it can be printed, ordered and left undone by a test."""

    __slots__ = ()

    turn: ClassVar[Turn] = Turn.ORDINARY

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
class HoldAccount(Effect[None]):
    """Claim the account: of processes that begin together, one registers it."""

    ca: str

    def perform(self, ports: Ports) -> None:
        ports.claims.hold_account(self.ca)


@dataclass(frozen=True, slots=True)
class FreeAccount(Effect[None]):
    ca: str

    def perform(self, ports: Ports) -> None:
        ports.claims.free_account(self.ca)


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
class KeepRegistration(Effect[None]):
    ca: str
    registration: bytes

    def perform(self, ports: Ports) -> None:
        ports.accounts.keep_registration(self.ca, self.registration, int(ports.clock.now().timestamp()))


@dataclass(frozen=True, slots=True)
class SavePendingKey(Effect[None]):
    ca: str
    key: KeyPair

    def perform(self, ports: Ports) -> None:
        ports.accounts.save_pending_key(self.ca, self.key)


@dataclass(frozen=True, slots=True)
class AdoptPendingKey(Effect[None]):
    ca: str

    def perform(self, ports: Ports) -> None:
        ports.accounts.adopt_pending_key(self.ca)


@dataclass(frozen=True, slots=True)
class DropPendingKey(Effect[None]):
    ca: str

    def perform(self, ports: Ports) -> None:
        ports.accounts.drop_pending_key(self.ca)


@dataclass(frozen=True, slots=True)
class RetireAccount(Effect[None]):
    ca: str

    def perform(self, ports: Ports) -> None:
        ports.accounts.retire(self.ca, int(ports.clock.now().timestamp()))


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
class ReadNextKey(Effect[KeyPair]):
    alias: Alias

    def perform(self, ports: Ports) -> KeyPair:
        return ports.store.next_key(self.alias)


@dataclass(frozen=True, slots=True)
class SaveNextKey(Effect[None]):
    alias: Alias
    key: KeyPair

    def perform(self, ports: Ports) -> None:
        ports.store.save_next_key(self.alias, self.key)


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
class ChangeZone(Effect[int | None]):
    zone: Zone
    changes: ChangeSet

    def perform(self, ports: Ports) -> int | None:
        return ports.dns[self.zone.provider].change(self.zone, self.changes)


@dataclass(frozen=True, slots=True)
class NotifyZone(Effect[None]):
    """Secondaries begin to fetch when they have heard of it, and all else of the zone waits for them."""

    turn: ClassVar[Turn] = Turn.FIRST
    zone: Zone

    def perform(self, ports: Ports) -> None:
        ports.dns[self.zone.provider].notify(self.zone)


@dataclass(frozen=True, slots=True)
class FindServers(Effect[ServerSet]):
    zone: DnsName

    def perform(self, ports: Ports) -> ServerSet:
        return ports.nameservers.of(self.zone)


@dataclass(frozen=True, slots=True)
class AskServer(Effect[Answer]):
    """Before other changes: while a hundred zones are written in turn, the first of them are proven already."""

    turn: ClassVar[Turn] = Turn.LOOK
    server: Server
    question: Question

    def perform(self, ports: Ports) -> Answer:
        return ports.nameservers.ask(self.server, self.question, ports.clock.now())


@dataclass(frozen=True, slots=True)
class AskResolver(Effect[Answer]):
    turn: ClassVar[Turn] = Turn.LOOK
    resolver: Server
    question: Question

    def perform(self, ports: Ports) -> Answer:
        return ports.nameservers.ask_resolver(self.resolver, self.question)


@dataclass(frozen=True, slots=True)
class HoldLineage(Effect[Lineage]):
    """Claim the lineage, then look at it: what was planned from may be what another process has changed since."""

    alias: Alias

    def perform(self, ports: Ports) -> Lineage:
        ports.claims.hold(self.alias)
        try:
            return ports.store.lineage(self.alias)
        except CertkeeperError:
            ports.claims.free(self.alias)
            raise


@dataclass(frozen=True, slots=True)
class ReadLineage(Effect[Lineage]):
    alias: Alias

    def perform(self, ports: Ports) -> Lineage:
        return ports.store.lineage(self.alias)


@dataclass(frozen=True, slots=True)
class FreeLineage(Effect[None]):
    alias: Alias

    def perform(self, ports: Ports) -> None:
        ports.claims.free(self.alias)


@dataclass(frozen=True, slots=True)
class ReadVersion(Effect[tuple[VersionFiles | None, datetime]]):
    """A complete version, and the time at which it was read."""

    alias: Alias
    stamp: int

    def perform(self, ports: Ports) -> tuple[VersionFiles | None, datetime]:
        return ports.store.version(self.alias, self.stamp), ports.clock.now()


@dataclass(frozen=True, slots=True)
class WriteJournal(Effect[None]):
    put: tuple[Record, ...] = ()
    drop: tuple[Record, ...] = ()

    def perform(self, ports: Ports) -> None:
        ports.journal.write(self.put, self.drop)


@dataclass(frozen=True, slots=True)
class RecordFailure(Effect[None]):
    """Write down that a lineage failed, `failures` times in a row with this one, and what else it comes to then."""

    alias: Alias
    failures: int
    error: CertkeeperError
    inputs: str
    put: tuple[Record, ...] = ()
    drop: tuple[Record, ...] = ()

    def perform(self, ports: Ports) -> None:
        backoff = next_backoff(self.alias, self.failures, self.error, self.inputs, ports.clock.now())
        ports.journal.write((*self.put, backoff), self.drop)


@dataclass(frozen=True, slots=True)
class RunHook(Effect[str]):
    call: HookCall

    def perform(self, ports: Ports) -> str:
        return ports.hooks.call(self.call)


@dataclass(frozen=True, slots=True)
class CheckFolder(Effect[None]):
    folder: str

    def perform(self, ports: Ports) -> None:
        ports.files.check(self.folder)


@dataclass(frozen=True, slots=True)
class PutFile(Effect[None]):
    file: ServedFile

    def perform(self, ports: Ports) -> None:
        ports.files.put(self.file)


@dataclass(frozen=True, slots=True)
class RemoveFile(Effect[bool]):
    intent: FileIntent

    def perform(self, ports: Ports) -> bool:
        return ports.files.remove(self.intent)


@dataclass(frozen=True, slots=True)
class Listen(Effect[None]):
    method: ChallengeType
    addresses: tuple[ServerAddress, ...]

    def perform(self, ports: Ports) -> None:
        ports.listeners.listen(self.method, self.addresses)


@dataclass(frozen=True, slots=True)
class AnswerChallenge(Effect[None]):
    challenge: AnsweredChallenge

    def perform(self, ports: Ports) -> None:
        ports.listeners.answer(self.challenge)


@dataclass(frozen=True, slots=True)
class UnanswerChallenge(Effect[None]):
    challenge: AnsweredChallenge

    def perform(self, ports: Ports) -> None:
        ports.listeners.unanswer(self.challenge)
