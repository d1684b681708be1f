"""What waits although it is due: for a CA that has had enough, for a name that failed, for its turn."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.value import replace
from certkeeper.config.orderrate import order_rate_at
from certkeeper.config.settings import CertSpec, Configuration, Settings
from certkeeper.plan.actions import LineagePlan, Postponed
from certkeeper.plan.backoff import BackedOff, name_inputs, name_waiting, proven_name
from certkeeper.plan.budget import left_now, ready_at
from certkeeper.plan.observed import Observed
from certkeeper.plan.records import Limit, NameBackoff, Record, Records
from certkeeper.plan.runlimit import beyond_run, urgency

FORGOTTEN_AFTER = timedelta(days=7)
"""After its time has come, an entry is kept that long, so that a failure soon after counts as the next in a row."""
_TURN = timedelta(minutes=1)


def names_failed(spec: CertSpec, records: Records) -> tuple[NameBackoff, ...]:
    """What the journal holds of the certificate's names at its CA."""
    wanted = dict.fromkeys(proven_name(identifier) for identifier in spec.identifiers)
    return tuple(found for name in wanted if (found := records.names.get((spec.ca, name))) is not None)


def name_error(
    spec: CertSpec, failed: Sequence[NameBackoff], observed: Observed, settings: Settings
) -> CertkeeperError | None:
    """Why nothing is tried now where a name of the certificate failed lately."""
    waits = [
        error
        for found in failed
        if (error := name_waiting(spec, found, name_inputs(found.name, spec, settings), observed.now)) is not None
    ]
    # The last one to end decides when the certificate can be had.
    return max(waits, key=lambda error: error.retry_at or observed.now, default=None)


def in_turn(
    planned: Sequence[LineagePlan], configuration: Configuration, observed: Observed, forced: Collection[Alias]
) -> tuple[LineagePlan, ...]:
    """The same plans, without the orders that have to wait for others of the same run."""
    settings = configuration.settings
    first = _one_try_for_each_name(planned, settings, observed, forced)
    waits: dict[Alias, CertkeeperError] = {}
    for ca in configuration.cas:
        waits |= _beyond_rate([item for item in first if item.spec.ca == ca], ca, settings, observed)
    first = tuple(blocked(item, waits[item.alias]) if item.alias in waits else item for item in first)
    # Another plan of the same run may have said so already, for certificates that have a plan each.
    waits = {**beyond_run(first, settings.run_limit, observed, forced), **observed.later_runs}
    return tuple(
        blocked(item, waits[item.alias]) if item.order is not None and item.alias in waits else item for item in first
    )


def _one_try_for_each_name(
    planned: Sequence[LineagePlan], settings: Settings, observed: Observed, forced: Collection[Alias]
) -> tuple[LineagePlan, ...]:
    """A name that failed before is tried with one certificate. If it fails again, that is one failure and not many."""
    tried: dict[tuple[str, str], Alias] = {}
    result = []
    for item in planned:
        if item.order is not None and item.alias not in forced:
            doubtful = [
                (found.ca, found.name)
                for found in item.names_failed
                if found.inputs == name_inputs(found.name, item.spec, settings)
            ]
            other = next((at for at in doubtful if at in tried), None)
            if other is not None:
                error = BackedOff(
                    f"{other[1]} failed validation before: it is tried with {tried[other]} first",
                    hint=f"to try now: certkeeper run --force {item.alias}",
                    retry_at=observed.now + _TURN,
                )
                result.append(blocked(item, error))
                continue
            tried |= dict.fromkeys(doubtful, item.alias)
        result.append(item)
    return tuple(result)


def _beyond_rate(
    planned: Sequence[LineagePlan], ca: str, settings: Settings, observed: Observed
) -> Mapping[Alias, CertkeeperError]:
    """Why orders at that CA have to wait: as many as its rate allows now come first, those whose certificates end
    first; --force changes nothing about that.
    """
    rate = order_rate_at(ca, settings)
    if not rate.bounded:
        return {}
    budget, now = observed.records.budgets.get(ca), observed.now
    counted = [item for item in planned if item.order is not None and not exempt(item, observed)]
    counted.sort(key=lambda item: urgency(item.alias, observed))
    waits: dict[Alias, CertkeeperError] = {}
    for number, item in enumerate(counted, 1):
        if number > int(left_now(budget, rate, now) + 1e-6):
            at = ready_at(budget, rate, now, number)
            waits[item.alias] = Postponed(
                f"postponed to {iso(at)}: {ca} is asked for at most {rate} (ORDER_RATE)", retry_at=at
            )
    return waits


def exempt(item: LineagePlan, observed: Observed) -> bool:
    """An order that is open already costs nothing, and Let's Encrypt does not count renewals in ARI's window."""
    order = item.order
    if order is None or order.resume is not None:
        return True
    suggestion = observed.suggestion(item.alias)
    window = suggestion.window if suggestion is not None else None
    return bool(order.replaces) and window is not None and window.start <= observed.now < window.end


def blocked(item: LineagePlan, error: CertkeeperError) -> LineagePlan:
    """The lineage with a reason to wait in the place of what it would do."""
    return replace(item, actions=(), error=error, wake_at=error.retry_at)


def forgotten(records: Records, now: datetime) -> Iterable[Record]:
    """Entries of names and CAs that have not failed again for long."""
    entries: list[NameBackoff | Limit] = [*records.names.values(), *records.limits.values()]
    return [entry for entry in entries if entry.retry_at + FORGOTTEN_AFTER < now]
