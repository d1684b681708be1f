"""What a run needs from the world, as ports. Adapters implement them; tests put simulated worlds behind them."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from certkeeper.base.accounts import AccountLook, StoredAccount
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.keys import KeyPair, KeySpec
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import Request, Response, Step
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import DEFAULT_HOOK_TIMEOUT, ServerAddress
from certkeeper.lineage.model import Draft, Lineage, Version, VersionFiles
from certkeeper.plan.observed import Place, StandingLook
from certkeeper.plan.records import FileIntent, Record, Records
from certkeeper.zone.apex import Cut
from certkeeper.zone.caa import CaaAnswers
from certkeeper.zone.changes import ChangeSet
from certkeeper.zone.propagation import Answer, Question, Server, ServerSet
from certkeeper.zone.rrset import Zone

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Most runs deploy nothing.
    from certkeeper.apply.daneports import TlsaLookup, VersionGate
    from certkeeper.apply.deployports import DeployPorts


class Clock(Protocol):
    """Two clocks: the calendar, which people may step, and one that only runs forward."""

    def now(self) -> datetime:
        """Aware, UTC."""

    def monotonic(self) -> float:
        """Seconds from some fixed point."""


class Http(Protocol):
    """HTTP to the CA."""

    def send(self, request: Request) -> Response:
        """Send once, without retry; every status is a response. Raises TransportError."""


class Dns(Protocol):
    """A provider that holds zones of the operator's."""

    def describe(self) -> str:
        """Where it is, for messages."""

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        """The zone of each owner; owners without one are left out. Raises CertkeeperError if it cannot be asked."""

    def aliases(self, names: Mapping[Zone, Collection[DnsName]]) -> Mapping[DnsName, DnsName | Cut]:
        """Where a CNAME at these names of its zones leads, or where the zone is cut above them, as far as it can tell;
        other names are left out. Raises CertkeeperError.
        """

    def change(self, zone: Zone, changes: ChangeSet) -> int | None:
        """Apply all changes in one request, keeping other people's records; done already is no error.

        How many records were there to be taken away; None where it does not see that.

        Raises:
            CertkeeperError: it may have been applied all the same, unless the provider said no.
        """

    def notify(self, zone: Zone) -> None:
        """Ask the server to tell its secondaries now. May block for seconds. Raises CertkeeperError."""


class Nameservers(Protocol):
    """The servers that a CA would ask."""

    def of(self, zone: DnsName) -> ServerSet:
        """Every address of every NS name. Raises CertkeeperError where not even the names can be found."""

    def aliases(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        """Where a CNAME at these names leads, as their zones' servers say; none where nobody can be asked."""

    def alias_or_none(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName | None]:
        """The same, with None for names that certainly have none; those that nobody can be asked about are left out."""

    def ask(self, server: Server, question: Question, now: datetime) -> Answer:
        """The TXT values (joined character-strings) that this server serves for every owner asked for, and its serial.

        Signatures count as of `now`. Raises CertkeeperError if the server is silent.
        """

    def ask_resolver(self, resolver: Server, question: Question) -> Answer:
        """What a recursive resolver answers with. Raises CertkeeperError if it is silent."""


class StandingLookup(Protocol):
    """The name servers of zones, asked for records that stand there."""

    def look(self, owners: Mapping[DnsName, Place | None]) -> Mapping[DnsName, StandingLook]:
        """What is served at each owner name, or where its CNAME leads.

        A place is what a provider said of it; where there is none, DNS is asked for the zone. Raises nothing.
        """


class CaaLookup(Protocol):
    """A resolver, as a CA has one."""

    def caa(self, names: Collection[DnsName]) -> CaaAnswers:
        """The CAA records at each name; names that nobody could be asked about are left out. Raises nothing."""


class Looks(Protocol):
    """What the folders of lineages show, for those who only look. Nothing is changed through this."""

    def lineage(self, alias: Alias) -> Lineage:
        """As `Store.lineage`."""

    def versions(self, alias: Alias) -> tuple[Version, ...]:
        """As `Store.versions`."""


class Store(Protocol):
    """Lineages on disk."""

    def begin(self, alias: Alias, now_epoch: int) -> Draft:
        """A version in the making, with a stamp that is the lineage's own; takes up what was interrupted."""

    def save_key(self, draft: Draft, key: KeyPair) -> None:
        """On disk, 0600, before anybody outside hears of the key."""

    def live_key(self, alias: Alias) -> KeyPair:
        """The present key. Raises CertkeeperError naming the file."""

    def next_key(self, alias: Alias) -> KeyPair:
        """The key that was made for the next certificate. Raises CertkeeperError naming the file."""

    def save_next_key(self, alias: Alias, key: KeyPair) -> None:
        """Put it in the place of the one that is live now. Raises CertkeeperError where that one is not in use."""

    def remove_next_key(self, alias: Alias) -> None:
        """Remove the key that was made for the next certificate, and nothing that is no key."""

    def stage(self, draft: Draft, files: VersionFiles) -> None:
        """Complete the version; it is not live yet."""

    def show(self, alias: Alias, stamp: int) -> Mapping[str, str]:
        """Give a staged version dehydrated's names, beside the live ones; where in the folder each file is then."""

    def activate(self, alias: Alias, stamp: int) -> None:
        """Make the version live by one rename."""

    def discard(self, draft: Draft) -> None:
        """Take away a version that was begun and will not be completed."""

    def lineage(self, alias: Alias) -> Lineage:
        """What is there, whatever its state. Raises OutOfDescriptors where it cannot be looked at."""

    def version(self, alias: Alias, stamp: int) -> VersionFiles | None:
        """The complete version of that stamp, live or not; None where there is none."""

    def versions(self, alias: Alias) -> tuple[Version, ...]:
        """Every version, newest first; what is wrong with one is part of it. Raises CertkeeperError."""


@dataclass(frozen=True, slots=True)
class StapledFiles:
    """A certificate and what follows it, in PEM, and the OCSP response beside it, in DER, where there is one.

    Nothing of it was proven.
    """

    cert: bytes
    chain: bytes
    staple: bytes | None = None


class Staples(Protocol):
    """OCSP responses beside the certificates that they are about."""

    def read(self, alias: Alias) -> StapledFiles | None:
        """What is live; None where there is no certificate. Raises CertkeeperError."""

    def save(self, alias: Alias, cert: bytes, der: bytes, now_epoch: int) -> int:
        """Put a proven response beside that certificate, live or staged; its stamp. Raises CertkeeperError where the
        lineage has no such certificate.
        """


class JournalDamaged(CertkeeperError):
    """The journal is there and cannot be understood: it was cut, overwritten, or never was one."""

    label = "journal"
    fault = Fault.OPERATOR
    local = True


class Rejected(Protocol):
    """What CAs sent in place of what was ordered, for people to look at."""

    def keep(self, alias: Alias, answer: bytes, now_epoch: int) -> str:
        """Keep the beginning of an answer, with a few earlier ones of the lineage's; where it is. Raises
        CertkeeperError.
        """


class Journal(Protocol):
    """What has to be remembered from run to run. Deleting it breaks nothing that is served."""

    def records(self) -> Records:
        """All entries. Raises JournalDamaged, and CertkeeperError where they cannot be read."""

    def write(self, put: Sequence[Record], drop: Sequence[Record]) -> None:
        """Put and drop entries in one transaction, which lasts when this returns. Raises CertkeeperError."""


class Busy(CertkeeperError):
    """Another process works on it."""

    label = "locked"
    fault = Fault.OPERATOR
    exit_code = ExitCode.LOCKED
    local = True


class Claims(Protocol):
    """Who works on what, among the processes of this machine. A process that ends gives back all that it has."""

    def hold(self, alias: Alias) -> None:
        """Claim a lineage for this process. Raises Busy where another one has it."""

    def free(self, alias: Alias) -> None: ...

    def hold_account(self, ca: str) -> None:
        """Claim the account at the CA with that directory URL. Raises Busy where another process has it."""

    def free_account(self, ca: str) -> None: ...


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call of the operator's script: its name for the occasion, its arguments, and what its environment gets.

    `script` may be a folder of scripts, which are called one after the other. `bound` is how long each may take.
    `command` are words that are run as they are in the place of all that; `script` is how people read them then.
    """

    script: str
    name: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    bound: timedelta = DEFAULT_HOOK_TIMEOUT
    command: tuple[str, ...] = ()


class Hooks(Protocol):
    """The operator's scripts."""

    def call(self, call: HookCall) -> str:
        """Run it to its end and return what it printed; one at a time. Raises CertkeeperError where it failed."""


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file that somebody else's server shows to the CA. `mode` is its permissions, whatever the umask says."""

    folder: str
    name: str
    content: bytes = field(repr=False)
    mode: int

    @property
    def intent(self) -> FileIntent:
        return FileIntent(self.folder, self.name, hashlib.sha256(self.content).hexdigest())


class ChallengeFiles(Protocol):
    """Folders that web and TLS servers read from."""

    def check(self, folder: str) -> None:
        """Raises CertkeeperError where files cannot be put there."""

    def put(self, file: ServedFile) -> None:
        """Write it. Raises CertkeeperError where there is another file of that name; the same one is no error."""

    def remove(self, intent: FileIntent) -> bool:
        """Take the file away if it is ours; whether it was there. Raises CertkeeperError where it cannot be."""


@dataclass(frozen=True, slots=True)
class AnsweredChallenge:
    """What a listener of ours answers with: to a token with a key authorization, to a server name with a certificate.

    `content` is that key authorization, or certificate and private key in PEM.
    """

    method: ChallengeType
    name: str
    content: bytes = field(repr=False)


class Listeners(Protocol):
    """Listeners of this run's own."""

    def listen(self, method: ChallengeType, addresses: Sequence[ServerAddress]) -> None:
        """Listen from now on, unless that is done. Raises CertkeeperError naming the setting where it cannot be."""

    def answer(self, challenge: AnsweredChallenge) -> None: ...

    def unanswer(self, challenge: AnsweredChallenge) -> None: ...


class Keys(Protocol):
    """Where private keys come from."""

    def make(self, spec: KeySpec) -> KeyPair:
        """A new key. RSA takes its time and holds no lock meanwhile."""


class Accounts(Protocol):
    """Account keys and registrations on disk, per CA."""

    def read(self, ca: str) -> StoredAccount | None: ...

    def look(self, ca: str) -> AccountLook | None:
        """The same without the keys, for those who only ask whether there is an account. Raises as `read`."""

    def save_key(self, ca: str, key: KeyPair) -> None: ...

    def save(self, ca: str, kid: str, registration: bytes) -> None: ...

    def remove_unregistered(self, ca: str) -> None: ...

    def keep_registration(self, ca: str, registration: bytes, now_epoch: int) -> None:
        """What the CA says of the account now; what it said before stays under another name."""

    def save_pending_key(self, ca: str, key: KeyPair) -> None:
        """The key that the account is to go over to, beside its present one, before the CA hears of it."""

    def adopt_pending_key(self, ca: str) -> None:
        """Make it the account's key, by one rename."""

    def drop_pending_key(self, ca: str) -> None:
        """Take it away: the account has not gone over to it."""

    def retire(self, ca: str, now_epoch: int) -> None:
        """The account is deactivated: mark it as that, and keep its files under other names. May be done again."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that effects may use. `dns` are the providers by their ids; `deploy` is None where nothing is put into
    services, `gate` and `tlsa` where no certificate has TLSA records.
    """

    http: Http
    dns: Mapping[str, Dns]
    nameservers: Nameservers
    store: Store
    keys: Keys
    accounts: Accounts
    clock: Clock
    journal: Journal
    rejected: Rejected
    claims: Claims
    hooks: Hooks
    files: ChallengeFiles
    listeners: Listeners
    staples: Staples
    deploy: "DeployPorts | None" = None
    gate: "VersionGate | None" = None
    tlsa: "TlsaLookup | None" = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A step that ended. Exactly one of the two counts: `error` if it is not None."""

    ticket: int
    value: object = None
    error: Exception | None = None


class Executor(Protocol):
    """Carries out steps, each once, in any order. It shares nothing with the scheduler but tickets."""

    def submit(self, ticket: int, step: Step) -> None: ...

    def next(self, timeout: float | None) -> Completion | None:
        """The next step that ended; None after `timeout` seconds without one, or when woken."""

    def wake(self) -> None:
        """Make `next` return, now or at its next call. Safe in a signal handler."""
