"""What runs have to do with OCSP responses. Nothing is loaded for that where no certificate wants them kept fresh."""

import sys
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass, field, replace
from certkeeper.cli.compose import Machine
from certkeeper.cli.render import Lines
from certkeeper.cli.saying import Saying
from certkeeper.config.settings import CertSpec, Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.ocsp.freshness import Asked, Decision, Due, decide
from certkeeper.plan.observed import Observed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.stapling import Staples


@dataclass(frozen=True, slots=True)
class Settled:
    """A certificate whose response is known to be good, and for which nothing is due."""

    spec: CertSpec
    decision: Decision


@dataclass(frozen=True, slots=True)
class Kept:
    """How it is with responses after a run saw to them. `staples` is None where nothing was due; `asked` is what was
    remembered of tries before.
    """

    settled: tuple[Settled, ...] = ()
    staples: "Staples | None" = None
    asked: Mapping[Alias, Asked] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[CertkeeperError, ...]:
        return self.staples.errors if self.staples is not None else ()

    @property
    def summary(self) -> tuple[str, ...]:
        if self.staples is None:
            return ()
        from certkeeper.cli.stapling import staples_summary  # noqa: PLC0415 - most pages want none

        return tuple(staples_summary(self.staples))

    def after(self, machine: Machine, result: Result) -> Result:
        """The result with the time at which responses are due; how asking for new certificates' went is remembered."""
        replaced = {item.alias for item in result.outcomes if item.live is not None}
        times = [result.wake_at, *(item.decision.at for item in self.settled if item.spec.alias not in replaced)]
        if self.staples is not None or any(item.live is not None and item.live.asked for item in result.outcomes):
            from certkeeper.cli.stapling import Staples, remembered_after, staples_wake_at  # noqa: PLC0415 - as above

            staples = self.staples or Staples(asked=self.asked)
            remembered_after(machine, staples, result)
            times.append(staples_wake_at(staples, result, machine.clock.now()))
        return replace(result, wake_at=min((time for time in times if time is not None), default=None))


def kept_fresh(
    machine: Machine, selected: Configuration, observed: Observed, *, saying: Saying
) -> tuple[Observed, Kept]:
    """The world after responses were refreshed: certificates that their CAs took back are marked in it."""
    wanted = wanted_of(selected.certificates, observed.lineages)
    if not wanted:
        return observed, Kept(asked=machine.asked.read() if _any(selected.certificates) else {})
    asked = machine.asked.read()
    settled = _settled(machine, wanted, asked)
    rest = [spec for spec in wanted if spec.alias not in settled]
    kept = Kept(tuple(settled.values()), None, asked)
    if not rest:
        return observed, kept
    from certkeeper.cli.stapling import answers_had, looked_over, put, revocations_marked  # noqa: PLC0415 - as above

    tell = machine.recorded(Lines(sys.stdout, saying).tell)
    staples = answers_had(machine, looked_over(machine, rest, asked))
    staples, observed = revocations_marked(machine, staples, observed, tell)
    return observed, replace(kept, staples=put(machine, staples, tell))


@dataclass(frozen=True, slots=True)
class DueStaples:
    """What a run would do about responses, for `certkeeper plan`."""

    lines: tuple[str, ...] = ()
    documents: tuple[Mapping[str, object], ...] = ()
    wake_at: datetime | None = None


def staples_due(
    machine: Machine, selected: Configuration, observed: Observed, replaced: Collection[Alias]
) -> DueStaples:
    """By what is on this machine; nobody is asked. Nothing is said of the certificates that are `replaced` anyway
    where they name no responder.
    """
    wanted = wanted_of(selected.certificates, observed.lineages)
    lines = list[str]()
    asked = machine.asked.read() if wanted else {}
    settled = _settled(machine, wanted, asked)
    decisions = {alias: item.decision for alias, item in settled.items()}
    times = [item.decision.at for item in settled.values()]
    if rest := [spec for spec in wanted if spec.alias not in settled]:
        from certkeeper.cli.stapling import looked_over, staple_lines, staples_wake_at  # noqa: PLC0415 - as above

        staples = looked_over(machine, rest, asked)
        decisions |= {care.spec.alias: care.decision for care in staples.cares}
        times.append(staples_wake_at(staples, Result(), machine.clock.now()))
        lines += staple_lines(staples)
    if names := [str(name) for name in _without_responder(selected.certificates, observed.lineages, replaced)]:
        lines.append(f"OCSP response of {', '.join(names)}: nothing to fetch, since the CA names no responder")
    documents = [_document(spec.alias, decisions[spec.alias]) for spec in wanted if spec.alias in decisions]
    return DueStaples(tuple(lines), tuple(documents), min((time for time in times if time is not None), default=None))


def _any(specs: Collection[CertSpec]) -> bool:
    return any(spec.ocsp_fetch for spec in specs)


def wanted_of(specs: Collection[CertSpec], lineages: Mapping[Alias, Lineage]) -> list[CertSpec]:
    """Whose response is to be kept fresh, and who names a responder."""
    return [spec for spec in specs if spec.ocsp_fetch and _responder(lineages.get(spec.alias))]


def _responder(lineage: Lineage | None) -> bool:
    return lineage is not None and lineage.leaf is not None and lineage.leaf.ocsp_url is not None


def _settled(machine: Machine, wanted: Collection[CertSpec], asked: Mapping[Alias, Asked]) -> dict[Alias, Settled]:
    """Those for which nothing is due, as far as can be told without proving anything."""
    found, now = dict[Alias, Settled](), machine.clock.now()
    for spec in wanted:
        known, last = machine.staple_looks.known(spec.alias, now), asked.get(spec.alias)
        if known is None or (last is not None and last.owes):
            continue
        decision = decide(*known, last, timedelta(days=spec.ocsp_days), now)
        if decision.due is Due.NOTHING:
            found[spec.alias] = Settled(spec, decision)
    return found


def _without_responder(
    specs: Collection[CertSpec], lineages: Mapping[Alias, Lineage], but: Collection[Alias]
) -> Iterator[Alias]:
    """Whose response is to be kept fresh, and who can have none."""
    for spec in specs:
        lineage = lineages.get(spec.alias)
        leaf = lineage.leaf if lineage is not None else None
        if spec.ocsp_fetch and spec.alias not in but and leaf is not None and leaf.ocsp_url is None:
            yield spec.alias


def _document(alias: Alias, decision: Decision) -> Mapping[str, object]:
    return {
        "alias": str(alias),
        "due": decision.due.value,
        "why": decision.why,
        "at": iso(decision.at) if decision.at is not None else None,
    }
