"""Which services are due for which certificates, and why: files, journal and time against what is live."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import Alias
from certkeeper.base.times import RETRY_AFTER_MAX, iso
from certkeeper.base.value import dataclass, field, replace
from certkeeper.config.deployments import root_targets
from certkeeper.config.settings import CertSpec, Configuration, Purpose, Settings
from certkeeper.lineage.model import Lineage
from certkeeper.plan.records import Deployment, Record, Records, Shown
from certkeeper.plan.showing import NO_LEAVES, LiveLeaves, live_leaves
from certkeeper.service.target import Target


class NotDeployable(CertkeeperError):
    """A certificate that a service cannot be given as the page asks for it."""

    label = "service-failed"
    fault = Fault.OPERATOR
    local = True


class Cause(StrEnum):
    """Why a service is due for a certificate."""

    OWED = "owed"
    """An earlier run did not come to its end, or the service was stopped."""
    RETRY = "retry"
    """It failed, and the time to try again has come."""
    NEW_VERSION = "new-version"
    """Another version is live than the one that the service was given."""
    DRIFTED = "drifted"
    """Its files are not those of the version that it was given."""
    UNKNOWN = "unknown"
    """Nothing is known of it: the service may have it already, so somebody looks first."""


@dataclass(frozen=True, slots=True)
class Copies:
    """The files of one certificate for one target, by their paths without placeholders, and the version there.

    `stamp` is None where there is none of ours. `trouble` is why nobody can say. `astray`: somebody else changed who
    may read them.
    """

    stamp: int | None = None
    trouble: CertkeeperError | None = None
    astray: bool = False

    def are(self, stamp: int) -> bool:
        """They are those of the version, as they have to be."""
        return self.trouble is None and self.stamp == stamp and not self.astray


@dataclass(frozen=True, slots=True)
class Due:
    """One certificate for one service. `stamp` is the version that was to be live when this was planned.

    `before` is what the journal holds of it.
    """

    spec: CertSpec
    stamp: int
    cause: Cause
    before: Deployment | None = None

    @property
    def alias(self) -> Alias:
        return self.spec.alias

    @property
    def failures(self) -> int:
        """In a row, of this version, before this run."""
        return self.before.failures if self.before is not None and self.before.stamp == self.stamp else 0


@dataclass(frozen=True, slots=True)
class Waits:
    """One certificate that a service is not given now. `until` is None where it is not a matter of time."""

    target: str
    alias: Alias
    message: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """What one service is due for."""

    target: Target
    due: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """What is deployed, target by target: first those that read lineages in place, since what comes of them decides
    which version is live for the others.

    `errors` are certificates that no service can be given as the page asks. `stale` are journal entries that nobody
    needs any more. `page` is about all lineages that were looked at.
    """

    targets: tuple[TargetPlan, ...] = ()
    waiting: tuple[Waits, ...] = ()
    errors: tuple[tuple[str, Alias, CertkeeperError], ...] = ()
    stale: tuple[Record, ...] = ()
    page: LiveLeaves = NO_LEAVES

    @property
    def idle(self) -> bool:
        return not (self.targets or self.errors or self.stale)

    @property
    def wake_at(self) -> datetime | None:
        """When the first of those that wait is tried again."""
        return min((wait.until for wait in self.waiting if wait.until is not None), default=None)

    @property
    def aliases(self) -> tuple[Alias, ...]:
        """The lineages that are worked on, each once."""
        return tuple(dict.fromkeys(item.alias for part in self.targets for item in part.due))


@dataclass(frozen=True, slots=True)
class Deployable:
    """The world, as far as deployments look at it. `copies` are by target and alias, for targets that have files."""

    now: datetime
    lineages: Mapping[Alias, Lineage]
    records: Records
    copies: Mapping[tuple[str, Alias], Copies] = field(default_factory=dict)


def plan_deployments(configuration: Configuration, world: Deployable, asked: Collection[Alias] = ()) -> DeployPlan:
    """Compare what services have with what is live.

    `asked` are certificates that a person wants deployed now: waits do not count, and what nobody could look at before
    is looked at again.
    """
    settings = configuration.settings
    due: dict[str, list[Due]] = {}
    waiting: list[Waits] = []
    errors: list[tuple[str, Alias, CertkeeperError]] = []
    for spec, name in wanted(configuration):
        found = _one(spec, name, settings, world, asked)
        if isinstance(found, Due):
            due.setdefault(name, []).append(found)
        elif isinstance(found, Waits):
            waiting.append(found)
        elif found is not None:
            errors.append((name, spec.alias, found))
    in_order = sorted(due, key=lambda name: (not settings.targets[name].in_place, name))
    return DeployPlan(
        targets=tuple(TargetPlan(settings.targets[name], tuple(due[name])) for name in in_order),
        waiting=tuple(waiting),
        errors=tuple(errors),
        stale=tuple(_stale(configuration, world)),
        page=live_leaves(item.leaf for item in world.lineages.values() if item.leaf is not None),
    )


def wanted(configuration: Configuration) -> Iterator[tuple[CertSpec, str]]:
    """Every certificate with every service that takes it, by its name. Nobody is given a rehearsal."""
    for spec in configuration.certificates:
        if spec.purpose is not Purpose.REHEARSE:
            for name in dict.fromkeys(spec.targets):
                yield spec, name


def owed(spec: CertSpec, stamp: int, known: Iterable[Deployment] = ()) -> tuple[Deployment, ...]:
    """What is written down before a version goes live; `known` is what the journal holds of the certificate. How often
    a service did not take that version is not forgotten.
    """
    if spec.purpose is Purpose.REHEARSE:
        return ()
    before = {entry.target: entry for entry in known if entry.stamp == stamp}
    fresh = {name: Deployment(name, spec.entry, stamp, Shown.OWED) for name in spec.targets}
    return tuple(
        replace(entry, failures=before[name].failures, message=before[name].message) if name in before else entry
        for name, entry in fresh.items()
    )


def for_root(
    configuration: Configuration, lineages: Mapping[Alias, Lineage], records: Records, now: datetime
) -> tuple[tuple[str, Alias], ...]:
    """What services were not given yet, as far as the journal knows, of those that root's own file describes."""
    known = root_targets(configuration.settings)
    return tuple(
        (name, spec.alias)
        for spec, name in wanted(configuration)
        if name in known and known[name].takes(spec.alias) and _ready(lineages[spec.alias], now)
        if _not_given(records.deployments.get((name, spec.entry)), lineages[spec.alias].stamp)
    )


def _ready(lineage: Lineage, now: datetime) -> bool:
    return lineage.stamp is not None and not unfit(lineage, now)


def _not_given(before: Deployment | None, stamp: int | None) -> bool:
    return before is None or before.stamp != stamp or before.shown is Shown.OWED


def unfit(lineage: Lineage, now: datetime) -> str:
    """Why no service is to be given what is live; empty where nothing is against it."""
    leaf = lineage.leaf
    if leaf is None:
        return lineage.trouble or "there is no certificate yet"
    if lineage.torn:
        return lineage.disagreement or "privkey.pem does not belong to cert.pem"
    if leaf.not_after <= now:
        return f"it expired at {iso(leaf.not_after)}"
    return "it was revoked" if lineage.revoked is not None or lineage.compromised else ""


def _one(
    spec: CertSpec,
    name: str,
    settings: Settings,
    world: Deployable,
    asked: Collection[Alias],
) -> Due | Waits | CertkeeperError | None:
    """What is to be done about one certificate for one service; None where all is well."""
    target, lineage = settings.targets.get(name), world.lineages[spec.alias]
    if target is None:
        return NotDeployable(f"target {name}: there is none of that name", hint=f"describe it: [target.{name}]")
    if not target.takes(spec.alias):
        return NotDeployable(f"target {name}: {spec.alias} is not among its certificates", hint=_hint(target))
    before = world.records.deployments.get((name, spec.alias))
    if reason := unfit(lineage, world.now):
        return Waits(name, spec.alias, reason) if lineage.leaf is not None else None
    stamp = lineage.stamp
    if stamp is None:
        return Waits(name, spec.alias, "its files are not ours yet: it is deployed with the next version")
    if spec.alias not in asked and (wait := _wait(before, stamp, world)) is not None:
        return wait
    copies = world.copies.get((name, spec.alias), Copies()) if not target.in_place else None
    cause = _cause(before, stamp, copies, eager=spec.alias in asked)
    return Due(spec, stamp, cause, before) if cause is not None else None


def _wait(before: Deployment | None, stamp: int, world: Deployable) -> Waits | None:
    """A failure whose time has not come: of the live version, or of one that is held back until then."""
    if before is None or before.shown is not Shown.OWED or before.retry_at is None:
        return None
    held = world.records.held.get(before.alias)
    about = before.stamp == stamp or (held is not None and held.stamp == before.stamp and held.until is not None)
    if about and _ahead(before.retry_at, world.now):
        return Waits(before.target, before.alias, before.message, before.retry_at)
    return None


def _cause(before: Deployment | None, stamp: int, copies: Copies | None, *, eager: bool) -> Cause | None:
    if before is None:
        return Cause.UNKNOWN
    if before.stamp != stamp:
        return Cause.NEW_VERSION
    if before.shown is Shown.OWED:
        return Cause.RETRY if before.failures else Cause.OWED
    if copies is not None and not copies.are(stamp):
        return Cause.DRIFTED
    return Cause.UNKNOWN if eager and before.shown is Shown.UNPROVEN else None


def _stale(configuration: Configuration, world: Deployable) -> Iterator[Record]:
    """Entries of services that a certificate is not given to any more."""
    pairs = {(name, spec.alias) for spec, name in wanted(configuration)}
    specs = {spec.alias for spec in configuration.certificates}
    for key, entry in world.records.deployments.items():
        if entry.alias in specs and key not in pairs:
            yield entry


def _ahead(time: datetime, now: datetime) -> bool:
    """A time further off than any wait is a clock's that was stepped back since."""
    return now < time <= now + RETRY_AFTER_MAX


def _hint(target: Target) -> str:
    return f"add it to certificates of [target.{target.name}]" + (f" in {target.where.file}" if target.where else "")
