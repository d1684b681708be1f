"""The journal's entries: what a run owes or may go on with, and what neither files nor zones nor the CA tell later."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.base.value import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Most pages publish no TLSA records.
    from certkeeper.dane.age import TlsaAge
    from certkeeper.dane.tlsa import Tlsa
    from certkeeper.zone.behind import Behind

CHALLENGE_LABEL = "_acme-challenge"
"""Where dns-01 records stand below the name that they prove (RFC 8555 §8.4)."""


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """An order that is open at the CA, written down when the CA named its URL. One per lineage.

    `key` says which key it is for: a key_id, or the kind of a new key, which is in the version in the making.
    `stamp` is the version that it is to become (epoch seconds).
    """

    alias: Alias
    url: str
    ca: str
    identifiers: tuple[Identifier, ...]
    profile: str
    must_staple: bool
    key: str
    stamp: int


@dataclass(frozen=True, slots=True)
class ChallengeIntent:
    """A record that is about to be published, written down before the change goes out.

    `rdata` is canonical TXT rdata. `run` is the run that publishes it, filled in by the journal. `provider` is the id
    of who writes the zone; empty in entries of versions that knew one only. `token` is the challenge's, which hooks
    are called with.
    """

    zone: DnsName
    owner: DnsName
    rdata: str
    run: str = ""
    provider: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class FileIntent:
    """A challenge file that is about to be written, written down before.

    `digest` is the lower-case hex SHA-256 of its content: only a file with that content is ours. `run` is as above.
    """

    folder: str
    name: str
    digest: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class ToldIntent:
    """A challenge that a script is about to be told of, written down before: it has to be told to clean it.

    For what is proven by files and answers; with records, the ChallengeIntent says as much. `name`, `token` and `value`
    are the words of the call, `method` is the challenge's type. `run` is as above.
    """

    alias: Alias
    script: str
    method: str
    name: str
    token: str
    value: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class HookDebt:
    """A hook that is to be called for a version once that one is live. One per lineage: a newer version's counts."""

    alias: Alias
    hook: str
    stamp: int


@dataclass(frozen=True, slots=True)
class Backoff:
    """A lineage failed that many times in a row; nothing is tried before `retry_at` while its inputs stay the same.

    `inputs` is a hash of what decided. `message` is the last failure's, `link` is where the CA sends a person to who
    alone can end it.
    """

    alias: Alias
    failures: int
    retry_at: datetime
    inputs: str
    message: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class NameBackoff:
    """The CA failed to validate a name that many times in a row, whichever certificate it was for.

    `name` is what is proven: for a wildcard the name without `*.`. The rest is as in Backoff.
    """

    ca: str
    name: str
    failures: int
    retry_at: datetime
    inputs: str
    message: str


@dataclass(frozen=True, slots=True)
class Limit:
    """The CA wants no orders of this account, or nothing at all of this machine, before `retry_at`.

    `failures` counts such answers in a row, for those that name no time.
    """

    ca: str
    failures: int
    retry_at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class OrderBudget:
    """How many orders were left at the CA at that time, of those that its rate allows. Losing it is harmless."""

    ca: str
    left: float
    at: datetime


class Shown(StrEnum):
    """What came of putting a version into a service."""

    OWED = "owed"
    """It is to be done, or to be done again after `retry_at`."""
    SEEN = "seen"
    """The service showed the certificate in a handshake."""
    UNPROVEN = "unproven"
    """The service took it, and nobody could look: its ports could not be reached before or after."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is known of a certificate in a service: the version that it was last given, and what came of it.

    Written as OWED before anything changes. `failures` counts in a row; after one, nothing is tried before `retry_at`
    (None: at once) and `message` says why.
    """

    target: str
    alias: Alias
    stamp: int
    shown: Shown
    failures: int = 0
    retry_at: datetime | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """New versions of a lineage are made and do not become live by themselves.

    `until` is when that ends: version `stamp`, which a service did not take, goes live again then. One that has come
    makes the next run go forward to it. It is None where a person said so, and ends it: then `stamp` is the version
    that a person goes back to, until that one is live, and 0 else. `message` says why.
    """

    alias: Alias
    stamp: int
    until: datetime | None
    message: str


@dataclass(frozen=True, slots=True)
class KnownKey:
    """The key that a certificate behind a place of TLSA records was last seen live with, and since when it is.

    `former` are the records of those that it had before, as long as anybody serves one of them.
    """

    alias: Alias
    key_id: str
    since: datetime
    former: "frozenset[Tlsa]" = frozenset()


@dataclass(frozen=True, slots=True)
class TlsaMemory:
    """What is remembered of a place of TLSA records. One per place; losing it costs waits, and nothing else.

    `zone` holds the place. `behind` are its name servers whose serial is behind the others'.
    """

    place: DnsName
    zone: DnsName
    age: "TlsaAge"
    known: tuple[KnownKey, ...] = ()
    behind: "Mapping[str, Behind]" = field(default_factory=dict)


class TurnKind(StrEnum):
    """What a person decided of a certificate's keys under TLSA records."""

    ROLL = "roll"
    """The next certificate is ordered with the next key as soon as DNS lets that go live."""
    COMPROMISE = "compromise"
    """Others have the key: the same, and then the certificates with it are revoked and its records withdrawn."""
    RETIRE = "retire"
    """Its records are withdrawn, whatever the page says."""


@dataclass(frozen=True, slots=True)
class TlsaTurn:
    """What is under way with a certificate's keys. One per lineage. `key_id` is the key that it is about."""

    alias: Alias
    kind: TurnKind
    key_id: str
    at: datetime


Record: TypeAlias = (
    OrderIntent
    | ChallengeIntent
    | FileIntent
    | ToldIntent
    | HookDebt
    | Backoff
    | NameBackoff
    | Limit
    | OrderBudget
    | Deployment
    | Held
    | TlsaMemory
    | TlsaTurn
)


@dataclass(frozen=True, slots=True)
class Records:
    """All that the journal holds. `left` are the challenge records, `files` the files of runs that are gone, `told` is
    what their scripts were told of.

    `names` are by CA and name, `limits` and `budgets` by CA, `deployments` by target and alias, `tlsa` by place.
    """

    orders: Mapping[Alias, OrderIntent] = field(default_factory=dict)
    debts: Mapping[Alias, HookDebt] = field(default_factory=dict)
    backoffs: Mapping[Alias, Backoff] = field(default_factory=dict)
    left: tuple[ChallengeIntent, ...] = ()
    files: tuple[FileIntent, ...] = ()
    names: Mapping[tuple[str, str], NameBackoff] = field(default_factory=dict)
    limits: Mapping[str, Limit] = field(default_factory=dict)
    budgets: Mapping[str, OrderBudget] = field(default_factory=dict)
    deployments: Mapping[tuple[str, Alias], Deployment] = field(default_factory=dict)
    held: Mapping[Alias, Held] = field(default_factory=dict)
    told: tuple[ToldIntent, ...] = ()
    tlsa: Mapping[DnsName, TlsaMemory] = field(default_factory=dict)
    turns: Mapping[Alias, TlsaTurn] = field(default_factory=dict)
