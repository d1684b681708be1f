"""Days that were played, for programs."""

from collections.abc import Mapping

from certkeeper.base.times import iso
from certkeeper.plan.rehearsal.ca import LIMITS_SOURCE, LIVES_SOURCE
from certkeeper.plan.rehearsal.limits import Touched
from certkeeper.plan.rehearsal.result import Rehearsed, Replacement


def document(done: Rehearsed) -> Mapping[str, object]:
    """Times are RFC 3339 in UTC, spans are seconds."""
    question = done.question
    outage = question.outage
    return {
        "start": iso(question.start),
        "days": question.days,
        "every": question.every.total_seconds(),
        "outage": {"start": iso(outage.start), "end": iso(outage.end)} if outage is not None else None,
        "certificates": done.certificates,
        "issued": done.issued,
        "load": [
            {
                "day": load.day.isoformat(),
                "issued": load.issued,
                "refused": load.refused,
                "waiting": load.waiting,
                "most_in_a_run": load.run,
            }
            for load in done.loads
        ],
        "expired": [
            {
                "alias": str(lapse.alias),
                "at": iso(lapse.at),
                "replaced_at": iso(lapse.until) if lapse.until is not None else None,
            }
            for lapse in done.lapses
        ],
        "nearest": [
            {"alias": str(near.alias), "at": iso(near.at), "left": near.left.total_seconds()} for near in done.nearest
        ],
        "limits": [_limit(touched) for touched in done.limits],
        "exempt": dict(done.exempt),
        "lives": [
            {"ca": ca, "profile": profile, "seconds": life.total_seconds()}
            for (ca, profile), life in done.lives.items()
        ],
        "sources": {"limits": LIMITS_SOURCE, "lives": LIVES_SOURCE},
        "revoked": _replacement(done.replacement) if done.replacement is not None else None,
        "stuck": {str(alias): why for alias, why in done.stuck.items()},
        "held": [str(alias) for alias in done.held],
    }


def _limit(touched: Touched) -> Mapping[str, object]:
    return {
        "ca": touched.ca,
        "limit": touched.limit.value,
        "orders": touched.rate.orders,
        "span": touched.rate.span.total_seconds(),
        "least_left": touched.least,
        "of": touched.key,
        "at": iso(touched.at),
        "counted": touched.counted,
        "refused": touched.refused,
    }


def _replacement(found: Replacement) -> Mapping[str, object]:
    return {
        "at": iso(found.at),
        "certificates": found.certificates,
        "replaced": found.replaced,
        "last_at": iso(found.last) if found.last is not None else None,
        "unaware": found.unaware,
    }
