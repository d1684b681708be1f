"""What waits, and for what: certificates, names and CAs, as `certkeeper status` shows them."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import count
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.cli.pageform import in_form
from certkeeper.plan.actions import Hold, Kept, LineagePlan, Postponed
from certkeeper.plan.backoff import BackedOff, CaLimited
from certkeeper.plan.gates import WaitsForDns
from certkeeper.plan.lastrun import Failure
from certkeeper.plan.namefailure import kept
from certkeeper.plan.records import Records
from certkeeper.plan.runlimit import LaterRun


def waiting_now(item: LineagePlan, failure: Failure | None) -> CertkeeperError | None:
    """Why a run of now would not try a certificate that is due, by its plan and what the last run said of it."""
    if isinstance(item.error, Kept | BackedOff | CaLimited | Postponed):
        return item.error
    if failure is not None and failure.kept and item.kept_until is not None:
        return kept(item.kept_until, CertkeeperError(failure.message, hint=failure.hint))
    return None


def waits_lines(error: CertkeeperError | None) -> Iterator[str]:
    if error is not None:
        text = in_form(str(error))
        yield f"note: {text}" if isinstance(error, Kept) else f"waits: {text}"
        if error.hint:
            yield in_form(error.hint)


def held_lines(alias: Alias, hold: Hold | None) -> Iterator[str]:
    """What holds a certificate back, below its line."""
    if hold is None:
        return
    if hold.waits is not None:
        until = iso(hold.record.until) if hold.record.until is not None else f"certkeeper activate {alias}"
        what = "for" if hold.by_person else "until"
        yield f"    held: staged version {hold.waits.stamp} waits {what} {until}; {hold.record.message}"
    elif hold.goes is not None:
        yield f"    held: the next run makes version {hold.goes.stamp} live; {hold.record.message}"
    else:
        yield f"    held: the next version is staged, and waits for certkeeper activate {alias}; {hold.record.message}"
    if hold.alarm is not None:
        yield f"    {in_form(str(hold.alarm))}"
        yield f"    hint: {in_form(hold.alarm.hint)}"


def held_document(hold: Hold | None) -> Mapping[str, object] | None:
    """The same for machines. `until` is null where a person ends it."""
    if hold is None:
        return None
    staged = hold.waits or hold.goes
    leaf = staged.leaf if staged is not None else None
    return {
        "message": hold.record.message,
        "until": iso(hold.record.until) if hold.record.until is not None else None,
        "staged": staged.stamp if staged is not None else None,
        "staged_not_after": iso(leaf.not_after) if leaf is not None else None,
        "alarm": str(hold.alarm) if hold.alarm is not None else None,
    }


def _waits_for(error: BackedOff | CaLimited | Postponed) -> str:
    if isinstance(error, WaitsForDns):
        return "dns"
    if isinstance(error, LaterRun):
        return "run"
    return "rate" if isinstance(error, Postponed) else "ca" if isinstance(error, CaLimited) else "backoff"


def waits_document(error: CertkeeperError | None) -> Mapping[str, object] | None:
    """The same for machines; `link` is where the CA sends a person to."""
    error = error.cause if isinstance(error, Kept) else error
    if not isinstance(error, BackedOff | CaLimited | Postponed):
        return None
    return {
        "for": _waits_for(error),
        "message": in_form(str(error)),
        "hint": in_form(error.hint),
        "retry_at": iso(error.retry_at) if error.retry_at is not None else None,
        "link": error.link if isinstance(error, BackedOff) and error.link else None,
    }


def limits_lines(records: Records, now: datetime, told: str) -> Iterator[str]:
    """Names and CAs that are left alone for now. A message that was `told` already is not repeated."""
    for item in records.names.values():
        if item.retry_at > now:
            why = "" if in_form(item.message) in told else f": {in_form(item.message)}"
            yield (
                f"name {item.name}: failed validation {count(item.failures, 'time')} at {item.ca}, next try from "
                f"{iso(item.retry_at)}{why}"
            )
    for limit in records.limits.values():
        if limit.retry_at > now:
            why = "" if in_form(limit.message) in told else f": {in_form(limit.message)}"
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
