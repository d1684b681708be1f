"""RUN_LIMIT: how many orders a run opens, and which ones come first."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import count
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import Leaf
from certkeeper.plan.actions import LineagePlan, Postponed, Reason
from certkeeper.plan.advice import last_chance, urgent
from certkeeper.plan.due import renew_before
from certkeeper.plan.observed import Observed

_OF_NO_USE = frozenset({Reason.EXPIRED, Reason.TORN, Reason.UNREADABLE, Reason.REVOKED})
_TWO_DAYS = timedelta(days=2)
_NEXT_RUN = timedelta(hours=1)
"""How soon a timer starts the next run, at the earliest that people set it to."""


class LaterRun(Postponed):
    """As many orders as a run may open come before it.

    Attributes:
        runs: which run from now has room for it, as far as is known now; the next one is 1.
        latest: from when on it is ordered in any case, None where there is nothing to expire.
    """

    label = "postponed"

    def __init__(self, message: str, *, retry_at: datetime, runs: int, latest: datetime | None) -> None:
        super().__init__(message, retry_at=retry_at)
        self.runs = runs
        self.latest = latest


def beyond_run(
    planned: Sequence[LineagePlan], limit: int, observed: Observed, forced: Collection[Alias]
) -> Mapping[Alias, CertkeeperError]:
    """Why orders have to wait for a later run, where that opens at most `limit` of them; 0 means no bound.

    The most urgent ones come first. What cannot wait is never held up, but counts: an order that is open already, what
    a person forces, and a certificate that is of no use or soon will be (`cannot_wait`).
    """
    orders = [item for item in planned if item.order is not None]
    if not 0 < limit < len(orders):
        return {}
    patient = [item for item in orders if item.alias not in forced and not _goes_now(item, observed)]
    patient.sort(key=lambda item: urgency(item.alias, observed))
    first = max(limit - (len(orders) - len(patient)), 0)
    return {item.alias: _wait(item.spec, 1 + at // limit, limit, observed) for at, item in enumerate(patient[first:])}


def urgency(alias: Alias, observed: Observed) -> tuple[bool, datetime]:
    """A key to sort by: what the CA wants replaced at once comes first, then what ends first, or is not there."""
    leaf, suggestion = observed.lineages[alias].leaf, observed.suggestion(alias)
    if leaf is None:
        return True, observed.now
    return suggestion is None or not urgent(leaf, suggestion, observed.now), leaf.not_after


def cannot_wait(spec: CertSpec, leaf: Leaf) -> datetime:
    """From when on a due certificate is ordered whatever RUN_LIMIT says.

    That is with a twentieth of its life left, or with two days, where those are more; but never before half of the
    time before its end at which it is renewed, as for certificates of a week.
    """
    return leaf.not_after - max(last_chance(leaf), min(_TWO_DAYS, renew_before(leaf, spec.renew) / 2))


def _goes_now(item: LineagePlan, observed: Observed) -> bool:
    leaf = observed.lineages[item.alias].leaf
    if item.reason in _OF_NO_USE or (item.order is not None and item.order.resume is not None):
        return True
    return leaf is not None and cannot_wait(item.spec, leaf) <= observed.now


def _wait(spec: CertSpec, runs: int, limit: int, observed: Observed) -> LaterRun:
    leaf = observed.lineages[spec.alias].leaf
    turn = "the next run" if runs == 1 else f"the {_ordinal(runs)} run from now"
    latest = cannot_wait(spec, leaf) if leaf is not None else None
    until = f", at the latest to {iso(latest)}" if latest is not None else ""
    return LaterRun(
        f"postponed to {turn}{until}: a run opens {count(limit, 'order')} (RUN_LIMIT), the most urgent ones first",
        retry_at=observed.now + _NEXT_RUN * runs,
        runs=runs,
        latest=latest,
    )


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
