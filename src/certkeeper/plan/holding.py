"""Two phases: lineages whose new versions are made and do not go live by themselves, until a person says so or, where a
service did not take a version, until its time comes.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from certkeeper.base.keys import KeyPolicy
from certkeeper.base.names import Alias
from certkeeper.base.times import RETRY_AFTER_MAX, duration_text, iso
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.lineage.goingback import newer, older, unfit, way_back
from certkeeper.lineage.model import KeyPlace, Lineage, Version
from certkeeper.plan.actions import Action, CallHook, GoLive, HeldTooLong, Hold, LineagePlan, Reason, Way
from certkeeper.plan.advice import id_of
from certkeeper.plan.due import Decision, decide, renew_before, unusable
from certkeeper.plan.namefailure import settled
from certkeeper.plan.nextkey import about_next_key
from certkeeper.plan.observed import Observed
from certkeeper.plan.records import Held, Records, Shown


def hold_of(spec: CertSpec, settings: Settings, observed: Observed, *, can_staple: bool) -> Hold | None:
    """What holds the lineage back now; None where nothing does. `can_staple`: the CA runs an OCSP responder."""
    record = observed.records.held.get(spec.entry)
    if record is None:
        return None
    lineage, versions, now = observed.lineages[spec.alias], observed.versions.get(spec.alias, ()), observed.now
    coming = newer(lineage, versions)
    if record.until is not None:
        coming = tuple(version for version in coming if version.stamp == record.stamp)
    decided = {version: _as_live(version, spec, lineage, settings, now, can_staple=can_staple) for version in coming}
    waits = next((version for version, decision in decided.items() if decision is not None and not decision.due), None)
    if record.until is None:
        renewal = decided[waits] if waits is not None else None
        return Hold(
            record,
            waits,
            goes=_back_to(record, lineage, versions, now),
            due=_due(spec, lineage, settings, observed, can_staple=can_staple),
            alarm=_alarm(spec, lineage, waits, now),
            renew_at=renewal.renew_at if renewal is not None else None,
        )
    if waits is None:
        return None
    # What is of no use to anybody is no better than what a service may not take.
    worthless = lineage.leaf is None or lineage.leaf.not_after <= now or unusable(spec, lineage) is not None
    if worthless or not now < record.until <= now + RETRY_AFTER_MAX:
        return Hold(record, goes=waits)
    return Hold(record, waits, renew_at=record.until)


def held_decision(alias: Alias, hold: Hold) -> Decision:
    """Why nothing is ordered, where the hold decides: a version goes live now, or waits."""
    if hold.goes is not None:
        return Decision(Reason.STAGED, f"{version_text(hold.goes)} goes live; {hold.record.message}", None)
    what = f"staged {version_text(hold.waits)} waits" if hold.waits is not None else "nothing waits"
    if hold.by_person:
        return Decision(Reason.HELD, f"{what} for certkeeper activate {alias}; {hold.record.message}", hold.renew_at)
    until = iso(hold.record.until) if hold.record.until is not None else ""
    return Decision(Reason.HELD, f"{what} until {until}; {hold.record.message}", hold.renew_at)


def last_ordered(spec: CertSpec, observed: Observed) -> str | None:
    """The name at the CA of the newest version, which was ordered in the place of the live one already; empty where it
    is another CA's, None where there is none.
    """
    for version in newer(observed.lineages[spec.alias], observed.versions.get(spec.alias, ())):
        if version.leaf is not None and version.origin is not None and not unfit(version, observed.now):
            return id_of(version.leaf) if version.origin.ca == spec.ca else ""
    return None


def version_text(version: Version) -> str:
    """`version 1763900000 (valid until 2026-11-30)`."""
    leaf = version.leaf
    return f"version {version.stamp}" + (f" (valid until {leaf.not_after:%Y-%m-%d})" if leaf is not None else "")


def going(
    spec: CertSpec, lineage: Lineage, version: Version, held: Held | None, settings: Settings
) -> tuple[Action, ...]:
    """What it takes to bring a version live that is there."""
    way = Way.FORWARD if version in newer(lineage, (version,)) else Way.BACK
    return (
        GoLive(settings.folder(spec), version.stamp, way, lineage.stamp, held),
        *((CallHook(spec.deployer),) if spec.deployer else ()),
        # The key after that of a version which was live before is there, or was used since.
        *(about_next_key(spec, lineage) if way is Way.FORWARD else ()),
    )


def spent(specs: Iterable[CertSpec], observed: Observed) -> Iterator[Held]:
    """Holds with an end whose version is live, was overtaken, or is of no use any more."""
    for spec in specs:
        record = observed.records.held.get(spec.entry)
        if record is None or record.until is None:
            continue
        lineage = observed.lineages[spec.alias]
        coming = newer(lineage, observed.versions.get(spec.alias, ()))
        if not any(version.stamp == record.stamp and not unfit(version, observed.now) for version in coming):
            yield record


def alarmed(item: LineagePlan) -> LineagePlan:
    """The plan of a held lineage as a failure, where nothing else of it is one and it cannot wait."""
    alarm = item.hold.alarm if item.hold is not None else None
    if alarm is None or item.actions or (item.error is not None and not item.excused):
        return item
    return replace(item, error=alarm)


def hold_findings(lineages: Iterable[LineagePlan]) -> Iterator[Finding]:
    """Held lineages whose live certificate is due: told by every run, since nothing else is going to renew it."""
    for item in lineages:
        hold = item.hold
        if hold is None or hold.due is None or not hold.by_person:
            continue
        ready = f"{version_text(hold.waits)} is ready" if hold.waits is not None else "no newer version is ready"
        yield Finding(
            code="held",
            severity=Severity.ERROR if hold.alarm is not None else Severity.WARNING,
            message=f"{item.alias}: held, and what is live is due ({hold.due.value}): {hold.record.message}",
            consequence=f"{ready}, and does not go live by itself"
            if hold.waits is not None
            else "the next one is staged, and does not go live by itself",
            fix=f"certkeeper activate {item.alias}",
            where=item.spec.where,
        )


def needed(
    entry: Alias, lineage: Lineage, records: Records, versions: Collection[Version], now: datetime
) -> frozenset[int]:
    """The versions of a lineage that must not be removed: those that wait, and the one that may have to be gone back
    to while it is held, or while a service has yet to take what is live.
    """
    owing = any(found.shown is Shown.OWED for (_, alias), found in records.deployments.items() if alias == entry)
    if entry not in records.held and not owing:
        return frozenset()
    stamps = {version.stamp for version in newer(lineage, versions) if not unfit(version, now)}
    back = way_back(lineage, versions, now).to
    stamps |= {back.stamp} if back is not None else set()
    held = records.held.get(entry)
    return frozenset(stamps | ({held.stamp} if held is not None else set()))


def _as_live(
    version: Version, spec: CertSpec, lineage: Lineage, settings: Settings, now: datetime, *, can_staple: bool
) -> Decision | None:
    """What would be decided if that version were live; None where it must not be."""
    if unfit(version, now):
        return None
    own = lineage.key_place is KeyPlace.PLAIN
    if own and spec.key.policy is KeyPolicy.REUSE and version.key_id != lineage.key_id:
        # A person put another key there since, to be used.
        return None
    live = replace(
        lineage,
        leaf=version.leaf,
        trouble="",
        key_place=KeyPlace.PLAIN if own and version.key_id == lineage.key_id else KeyPlace.LINK,
        key_id=version.key_id,
        key_trouble="",
        stamp=version.stamp,
        disagreement="",
        origin=version.origin,
        revoked=version.revoked,
        compromised=version.compromised,
    )
    without = [item.name for item in settled(spec, live, settings)]
    return decide(spec, live, now, can_staple=can_staple, settled=without)


def _back_to(record: Held, lineage: Lineage, versions: Collection[Version], now: datetime) -> Version | None:
    """The version that a person went back to, where a kill came before the switch."""
    if not record.stamp or record.stamp == lineage.stamp:
        return None
    return next(
        (item for item in older(lineage, versions) if item.stamp == record.stamp and not unfit(item, now)), None
    )


def _due(
    spec: CertSpec, lineage: Lineage, settings: Settings, observed: Observed, *, can_staple: bool
) -> Reason | None:
    """Why what is live would be renewed."""
    without = [item.name for item in settled(spec, lineage, settings)]
    suggestion = observed.suggestion(spec.alias)
    found = decide(spec, lineage, observed.now, suggestion, can_staple=can_staple, settled=without)
    return found.reason if found.due else None


def _alarm(spec: CertSpec, lineage: Lineage, waits: Version | None, now: datetime) -> HeldTooLong | None:
    """Half of the time before its end at which a certificate is renewed is left to the person who holds it."""
    leaf, wrong = lineage.leaf, unusable(spec, lineage)
    if wrong is not None:
        state = f"what is live is of no use: {wrong.detail}"
    elif leaf is None or leaf.not_after - now > renew_before(leaf, spec.renew) / 2:
        return None
    elif leaf.not_after <= now:
        state = f"what is live expired {duration_text(now - leaf.not_after)} ago"
    else:
        state = f"what is live expires in {duration_text(leaf.not_after - now)}"
    ready = f"{version_text(waits)} waits" if waits is not None else "nothing newer is ready"
    return HeldTooLong(f"held, and {state}; {ready}", hint=f"certkeeper activate {spec.alias}")
