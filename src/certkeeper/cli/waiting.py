"""What waits, and for what: certificates, names and CAs, as `certkeeper status` shows them."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import count
from certkeeper.base.times import iso
from certkeeper.plan.actions import Kept, LineagePlan, Postponed
from certkeeper.plan.backoff import BackedOff, CaLimited
from certkeeper.plan.lastrun import Failure
from certkeeper.plan.namefailure import kept
from certkeeper.plan.records import Records


def waiting_now(item: LineagePlan, failure: Failure | None) -> CertkeeperError | None:
    """Why a run of now would not try a certificate that is due, by its plan and what the last run said of it."""
    if isinstance(item.error, Kept | BackedOff | CaLimited | Postponed):
        return item.error
    if failure is not None and failure.kept and item.kept_until is not None:
        return kept(item.kept_until, CertkeeperError(failure.message, hint=failure.hint))
    return None


def waits_lines(error: CertkeeperError | None) -> Iterator[str]:
    if error is not None:
        yield f"note: {error}" if isinstance(error, Kept) else f"waits: {error}"
        if error.hint:
            yield error.hint


def waits_document(error: CertkeeperError | None) -> Mapping[str, object] | None:
    """The same for machines; `link` is where the CA sends a person to."""
    error = error.cause if isinstance(error, Kept) else error
    if not isinstance(error, BackedOff | CaLimited | Postponed):
        return None
    return {
        "for": "rate" if isinstance(error, Postponed) else "ca" if isinstance(error, CaLimited) else "backoff",
        "message": str(error),
        "hint": error.hint,
        "retry_at": iso(error.retry_at) if error.retry_at is not None else None,
        "link": error.link if isinstance(error, BackedOff) and error.link else None,
    }


def limits_lines(records: Records, now: datetime, told: str) -> Iterator[str]:
    """Names and CAs that are left alone for now. A message that was `told` already is not repeated."""
    for item in records.names.values():
        if item.retry_at > now:
            why = "" if item.message in told else f": {item.message}"
            yield (
                f"name {item.name}: failed validation {count(item.failures, 'time')} at {item.ca}, next try from "
                f"{iso(item.retry_at)}{why}"
            )
    for limit in records.limits.values():
        if limit.retry_at > now:
            why = "" if limit.message in told else f": {limit.message}"
            yield f"CA {limit.ca}: not asked before {iso(limit.retry_at)}{why}"


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
