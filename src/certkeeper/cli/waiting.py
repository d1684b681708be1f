"""What waits, and for what: certificates, names and CAs, as `certkeeper status` shows them."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import count
from certkeeper.base.times import iso
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import Kept, Postponed
from certkeeper.plan.backoff import BackedOff, CaLimited
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan
from certkeeper.plan.records import Records


def waiting_now(selected: Configuration, observed: Observed) -> Mapping[str, CertkeeperError]:
    """By alias, why a certificate that is due would not be tried by a run of now."""
    found: dict[str, CertkeeperError] = {}
    for item in plan(selected, observed).lineages:
        error = item.error.cause if isinstance(item.error, Kept) else item.error
        if isinstance(error, BackedOff | CaLimited | Postponed):
            found[str(item.alias)] = error
    return found


def waits_lines(error: CertkeeperError | None) -> Iterator[str]:
    if error is not None:
        yield f"waits: {error}"
        if error.hint:
            yield error.hint


def waits_document(error: CertkeeperError | None) -> Mapping[str, object] | None:
    """The same for machines; `link` is where the CA sends a person to."""
    if error is None:
        return None
    return {
        "for": "rate" if isinstance(error, Postponed) else "ca" if isinstance(error, CaLimited) else "backoff",
        "message": str(error),
        "hint": error.hint,
        "retry_at": iso(error.retry_at) if error.retry_at is not None else None,
        "link": error.link if isinstance(error, BackedOff) and error.link else None,
    }


def limits_lines(records: Records, now: datetime) -> Iterator[str]:
    """Names and CAs that are left alone for now."""
    for item in records.names.values():
        if item.retry_at > now:
            yield (
                f"name {item.name}: failed validation {count(item.failures, 'time')} at {item.ca}, next try from "
                f"{iso(item.retry_at)}: {item.message}"
            )
    for limit in records.limits.values():
        if limit.retry_at > now:
            yield f"CA {limit.ca}: not asked before {iso(limit.retry_at)}: {limit.message}"


def names_document(records: Records, now: datetime) -> list[Mapping[str, object]]:
    return [
        {
            "ca": item.ca,
            "name": item.name,
            "failures": item.failures,
            "retry_at": iso(item.retry_at),
            "message": item.message,
        }
        for item in records.names.values()
        if item.retry_at > now
    ]


def limits_document(records: Records, now: datetime) -> list[Mapping[str, object]]:
    return [
        {"ca": item.ca, "failures": item.failures, "retry_at": iso(item.retry_at), "message": item.message}
        for item in records.limits.values()
        if item.retry_at > now
    ]
