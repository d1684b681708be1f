"""Actions, reasons and the plan."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from certkeeper.acme.persist import Standing
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.keys import KeySpec
from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.base.value import dataclass, field
from certkeeper.config.findings import Finding
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import CertSpec, ServerAddress
from certkeeper.lineage.model import Dropped, Version
from certkeeper.plan.fingerprint import fingerprint
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
    ToldIntent,
)
from certkeeper.zone.rrset import Zone


class Reason(StrEnum):
    """Why a lineage is due, or is not."""

    CURRENT = "current"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    TORN = "torn"
    REVOKED = "revoked"
    """The live certificate, or another one with its key because the key is compromised."""
    NAMES_CHANGED = "names-changed"
    TEST_ISSUED = "test-issued"
    """A test CA's certificate is where services read, and the page names a CA that clients trust."""
    CA_CHANGED = "ca-changed"
    PROFILE_CHANGED = "profile-changed"
    KEY_CHANGED = "key-changed"
    """The page asks for another kind of key in so many words."""
    STAPLE_CHANGED = "staple-changed"
    """The must-staple extension is to come, or to go."""
    SUGGESTED = "suggested"
    """The time has come that the CA suggested (RFC 9773)."""
    EXPIRING = "expiring"
    EXPIRED = "expired"
    UNFINISHED = "unfinished"
    """Not due by itself, but an earlier run ordered a certificate and did not come to the end."""
    FORCED = "forced"
    HELD = "held"
    """A newer version that is what the page wants is there, and somebody holds it back: nothing is ordered."""
    STAGED = "staged"
    """A version is there and goes live now, without an order."""


class KeySource(StrEnum):
    """Where the key of the next certificate comes from."""

    NEW = "new"
    REUSE = "reuse"
    PLAIN = "plain"
    """The admin's own privkey.pem, which stays as it is."""
    NEXT = "next"
    """privkey.roll.pem, which was made with the certificate before."""
    ELSEWHERE = "elsewhere"
    """Whoever made the request keeps it."""


@dataclass(frozen=True, slots=True)
class Order:
    """Ask the CA for a certificate. `must_staple` is the effective value, not the wish.

    `resume` is the order that an earlier run opened for the same and did not bring to its end. `replaces` is the cert
    id of the live certificate (RFC 9773 §5), empty where the CA does not know it.
    """

    identifiers: tuple[Identifier, ...]
    must_staple: bool
    profile: str
    resume: OrderIntent | None = None
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class UseKey:
    source: KeySource
    spec: KeySpec


@dataclass(frozen=True, slots=True)
class Prove:
    """Publish TXT values at these owners of this zone; merged over all lineages into one PATCH.

    `aliases` are the challenge names that lead elsewhere by a CNAME, each with the owner that is written for it.
    """

    zone: Zone
    owners: tuple[DnsName, ...]
    aliases: tuple[tuple[DnsName, DnsName], ...] = ()


@dataclass(frozen=True, slots=True)
class Rely:
    """Prove a name by the records that stand for it (dns-persist-01); nothing is published."""

    identifier: Identifier
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Serve:
    """Prove names by what is served under them: by files in a folder, or by listeners of this run's at addresses."""

    method: ChallengeType
    identifiers: tuple[Identifier, ...]
    folder: str = ""
    listen: tuple[ServerAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class Activate:
    """Stage a complete version and switch the lineage's one link to it."""

    folder: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Stage a complete version, and leave it beside what is live: the lineage is held."""

    folder: str


class Way(StrEnum):
    """Where a version is, seen from what is live."""

    FORWARD = "forward"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class GoLive:
    """Switch the lineage's one link to a version that is there, in the place of `present` (its stamp).

    `held` is the hold under which it was not to go live, or that began with going back.
    """

    folder: str
    stamp: int
    way: Way
    present: int | None
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class CallHook:
    """Call the operator's script for the live version; `debt` is what an earlier run left unpaid."""

    script: str
    debt: HookDebt | None = None


@dataclass(frozen=True, slots=True)
class MakeNextKey:
    """Make the key of the next certificate, once the present one is live."""

    spec: KeySpec


@dataclass(frozen=True, slots=True)
class DropNextKey:
    """Remove the key that was made ahead, once the present one is live: PRIVATE_KEY_ROLLOVER was switched off."""


Action: TypeAlias = (
    Order | UseKey | Prove | Rely | Serve | Activate | Stage | GoLive | CallHook | MakeNextKey | DropNextKey
)


class Postponed(CertkeeperError):
    """Nothing went wrong: the certificate has its turn in a later run."""

    label = "postponed"
    local = True


class Kept(CertkeeperError):
    """A name cannot be proven, and the live certificate is good enough: a warning (ON_NAME_FAILURE). `cause`: why."""

    label = "name-failed"
    local = True

    def __init__(self, message: str, cause: CertkeeperError) -> None:
        super().__init__(f"{message}: {cause}", hint=cause.hint, retry_at=cause.retry_at)
        self.cause = cause


class HeldTooLong(CertkeeperError):
    """What is live is about to be of no use, or is of none, and a person holds back what is newer."""

    label = "held-too-long"
    fault = Fault.OPERATOR
    local = True


@dataclass(frozen=True, slots=True)
class Hold:
    """What holds a lineage back now.

    `waits` is the newest version that came after what is live and that the page wants, `goes` one that is to go live
    now. `due` is why what is live would be renewed, if it would. `alarm`: it cannot wait. `renew_at`: `waits` is due.
    """

    record: Held
    waits: Version | None = None
    goes: Version | None = None
    due: Reason | None = None
    alarm: HeldTooLong | None = None
    renew_at: datetime | None = None

    @property
    def by_person(self) -> bool:
        """A person said so, and ends it."""
        return self.record.until is None

    @property
    def decides(self) -> bool:
        """A version is there that waits, or goes: nothing is ordered."""
        return self.waits is not None or self.goes is not None


@dataclass(frozen=True, slots=True)
class LineagePlan:
    """What happens to one lineage. Without actions and without error it is current.

    `wake_at` is when it is worth looking again (None: once the operator mended `error`). `inputs` are all that decided,
    except the time and the CA's advice. `backoff`, `names_failed` and `deployments` are what the journal holds of it,
    its names and services. `methods` says how each name is proven. `dropped` are names of the page that the order is
    without, or the live certificate where there is no order. `kept_until` is how long the live certificate is good
    enough where a name cannot be proven. `hold` keeps new versions from going live.
    """

    spec: CertSpec
    reason: Reason
    detail: str
    actions: tuple[Action, ...]
    inputs: tuple[object, ...] = field(repr=False)
    wake_at: datetime | None = None
    error: CertkeeperError | None = None
    backoff: Backoff | None = None
    names_failed: tuple[NameBackoff, ...] = ()
    methods: Mapping[Identifier, ChallengeType] = field(default_factory=dict)
    dropped: tuple[Dropped, ...] = ()
    kept_until: datetime | None = None
    hold: Hold | None = None
    deployments: tuple[Deployment, ...] = ()

    @property
    def alias(self) -> Alias:
        return self.spec.alias

    @property
    def fingerprint(self) -> str:
        """A hash of `inputs`: while it stays, before `wake_at` and without new advice, a plan stays the same."""
        return fingerprint(*self.inputs)

    @property
    def order(self) -> Order | None:
        return next((action for action in self.actions if isinstance(action, Order)), None)

    @property
    def key(self) -> UseKey | None:
        return next((action for action in self.actions if isinstance(action, UseKey)), None)

    @property
    def goes(self) -> GoLive | None:
        return next((action for action in self.actions if isinstance(action, GoLive)), None)

    @property
    def stays_staged(self) -> bool:
        """What is ordered does not go live by itself."""
        return any(isinstance(action, Stage) for action in self.actions)

    @property
    def excused(self) -> bool:
        """It only waits for its turn, or what is live is good enough."""
        return isinstance(self.error, Postponed | Kept)

    @property
    def failures(self) -> int:
        """In a row, before this run."""
        return self.backoff.failures if self.backoff is not None else 0

    @property
    def hook(self) -> CallHook | None:
        return next((action for action in self.actions if isinstance(action, CallHook)), None)

    @property
    def next_key(self) -> MakeNextKey | None:
        return next((action for action in self.actions if isinstance(action, MakeNextKey)), None)

    @property
    def drop_key(self) -> DropNextKey | None:
        return next((action for action in self.actions if isinstance(action, DropNextKey)), None)

    @property
    def standings(self) -> Mapping[Identifier, tuple[Standing, ...]]:
        """The records that stand for names."""
        return {action.identifier: action.standings for action in self.actions if isinstance(action, Rely)}

    @property
    def serves(self) -> tuple[Serve, ...]:
        return tuple(action for action in self.actions if isinstance(action, Serve))

    @property
    def proofs(self) -> tuple[Prove, ...]:
        return tuple(action for action in self.actions if isinstance(action, Prove))


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it starts. `zones` is every change to DNS, merged: one PATCH each.

    `register_at` are the CAs where no account is known yet. `withdrawals` are the records of killed runs, by the zone
    to take them from; `unreachable` says why they have to stay where the DNS provider cannot be asked. `stale` are
    journal entries that nobody needs any more, `homeless` those of records whose zone is not at its provider now: they
    stay until it is there again, or until somebody says that it is gone for good (`dns cleanup`). `limits` and
    `budgets` are what the journal holds of CAs, `clocks` the CAs whose clock was compared with ours, `silent` those
    that could not be asked. `files` are the challenge files of killed runs, `told` what their scripts are to clean,
    `untold` the same where the page names no such script. `ends` are those of standing records that were looked at.
    """

    lineages: tuple[LineagePlan, ...]
    register_at: tuple[str, ...] = ()
    zones: Mapping[Zone, tuple[DnsName, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    wake_at: datetime | None = None
    withdrawals: Mapping[Zone, tuple[ChallengeIntent, ...]] = field(default_factory=dict)
    unreachable: tuple[CertkeeperError, ...] = ()
    stale: tuple[Record, ...] = ()
    homeless: tuple[ChallengeIntent, ...] = ()
    ends: Mapping[str, Mapping[DnsName, int | None]] = field(default_factory=dict)
    limits: Mapping[str, Limit] = field(default_factory=dict)
    budgets: Mapping[str, OrderBudget] = field(default_factory=dict)
    clocks: frozenset[str] = frozenset()
    files: tuple[FileIntent, ...] = ()
    told: tuple[ToldIntent, ...] = ()
    untold: tuple[ToldIntent, ...] = ()
    silent: Mapping[str, CertkeeperError] = field(default_factory=dict)

    @property
    def due(self) -> tuple[LineagePlan, ...]:
        """Lineages that need a certificate."""
        return tuple(item for item in self.lineages if item.order is not None)

    @property
    def owing(self) -> tuple[LineagePlan, ...]:
        """Lineages that need none, but where an earlier run did not come to the end."""
        return tuple(item for item in self.lineages if item.order is None and item.actions)

    @property
    def blocked(self) -> tuple[LineagePlan, ...]:
        return tuple(item for item in self.lineages if item.error is not None)

    @property
    def postponed(self) -> tuple[LineagePlan, ...]:
        """Those of them that only wait for their turn."""
        return tuple(item for item in self.blocked if isinstance(item.error, Postponed))

    @property
    def kept(self) -> tuple[LineagePlan, ...]:
        """Those of them whose live certificate is good enough for now."""
        return tuple(item for item in self.blocked if isinstance(item.error, Kept))

    @property
    def pressing(self) -> tuple[LineagePlan, ...]:
        """Lineages that are held although what is live is due."""
        return tuple(item for item in self.lineages if item.hold is not None and item.hold.due is not None)

    @property
    def incomplete(self) -> tuple[LineagePlan, ...]:
        """Lineages whose certificate is, or is going to be, without a name of the page."""
        return tuple(item for item in self.lineages if item.dropped)

    @property
    def idle(self) -> bool:
        """Nothing to do, not even to clean up."""
        left = self.withdrawals or self.unreachable or self.stale or self.files or self.told
        return not (left or any(item.actions for item in self.lineages))
