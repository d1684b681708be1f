"""From what is known of this machine to what is on the page."""

import os
from collections.abc import Iterator
from datetime import datetime

from certkeeper import __version__
from certkeeper.apply.tlsa.view import Seat, View
from certkeeper.base.names import DnsName
from certkeeper.base.times import iso
from certkeeper.cli.report.html import day
from certkeeper.cli.report.model import Certificate, Found, Given, Mood, Owner, Page, Zone
from certkeeper.cli.report.wording import said
from certkeeper.cli.status import Seen
from certkeeper.cli.statusdocument import Row
from certkeeper.config.findings import Finding, Severity
from certkeeper.dane.facts import Trust
from certkeeper.dane.rollover import State as DaneState
from certkeeper.dane.wording import sentence
from certkeeper.plan.actions import Reason
from certkeeper.plan.inservices import InService, Progress
from certkeeper.plan.instaples import InStaple, Response
from certkeeper.plan.records import Records, TlsaMemory
from certkeeper.plan.state import PROBLEMS, State

_PROGRESS = {
    Progress.SEEN: (Mood.GOOD, "seen"),
    Progress.UNPROVEN: (Mood.UNKNOWN, "given, not seen"),
    Progress.OWED: (Mood.WAITS, "owed"),
    Progress.FAILED: (Mood.WRONG, "not taken"),
    Progress.UNKNOWN: (Mood.UNKNOWN, "not known"),
}
_MOODS = {Severity.ERROR: Mood.WRONG, Severity.WARNING: Mood.WRONG, Severity.NOTE: Mood.UNKNOWN}
_QUIET = frozenset({DaneState.OFF, DaneState.STEADY, DaneState.READY})
_UNDER_WAY = frozenset({DaneState.ANNOUNCING, DaneState.AGEING, DaneState.REPLACING, DaneState.LEAVING})


def gathered(seen: Seen, *, view: View | None = None, zones: tuple[Zone, ...] | None = None) -> Page:
    """`view` is a look at TLSA records of now; without one, what runs remember counts."""
    certificates = tuple(_certificate(row) for row in seen.rows) + tuple(_rejected(seen))
    due, name = _next_due(seen)
    owners = _seen_owners(view, seen.now) if view is not None else _remembered_owners(seen.records)
    return Page(
        os.uname().nodename,
        seen.now,
        __version__,
        certificates,
        due,
        name,
        tuple(_found(seen)),
        tuple(str(alias) for alias in seen.orphans),
        tuple(owners),
        zones,
    )


def _certificate(row: Row) -> Certificate:
    leaf, decision = row.lineage.leaf, row.decision
    renewal = None if decision.reason is Reason.HELD else decision.renew_at
    staple, staple_mood = _staple(row.staple)
    return Certificate(
        alias=row.spec.alias.text,
        state=row.state,
        mood=_mood(row.state),
        names=tuple(str(name) for name in row.spec.identifiers),
        ca=row.spec.ca,
        starts=leaf.not_before if leaf is not None else None,
        ends=leaf.not_after if leaf is not None else None,
        renew_at=renewal,
        next=said(decision.detail) if decision.due else "",
        last=tuple(_last(row)),
        staple=staple,
        staple_mood=staple_mood,
        staple_until=row.staple.until if row.staple is not None else None,
        services=tuple(_given(item) for item in row.services),
    )


def _rejected(seen: Seen) -> Iterator[Certificate]:
    for item in seen.selected.rejected:
        yield Certificate(item.label, State.REJECTED, Mood.WRONG, last=(said(str(item.error)),))


def _mood(state: State) -> Mood:
    if state is State.OK:
        return Mood.GOOD
    return Mood.WRONG if state in PROBLEMS else Mood.WAITS


def _last(row: Row) -> Iterator[str]:
    """What keeps it from going on, and what the last run said."""
    if row.wait is not None:
        yield said(str(row.wait)).removeprefix(f"{row.spec.alias}: ")
    elif row.failure is not None:
        at = row.failure.at
        yield f"last run, {day(at)} {at:%H:%M} UTC: {said(row.failure.message).removeprefix(f'{row.spec.alias}: ')}"
    if row.hold is not None:
        yield f"held: {said(row.hold.record.message)}"
        if row.hold.alarm is not None:
            yield said(str(row.hold.alarm))
    for dropped in row.dropped:
        yield f"without {dropped.name}: {said(dropped.why)}"
    if row.staple is not None and row.staple.wrong:
        yield f"OCSP response: {said(row.staple.message)}"


def _staple(staple: InStaple | None) -> tuple[str, Mood]:
    if staple is None:
        return "", Mood.GOOD
    if staple.response is Response.GOOD:
        return "good", Mood.GOOD
    return staple.response.value, Mood.WRONG if staple.wrong else Mood.WAITS


def _given(item: InService) -> Given:
    mood, words = _PROGRESS[item.progress]
    wrong = item.message if item.progress in {Progress.FAILED, Progress.UNPROVEN, Progress.OWED} else ""
    return Given(item.service, mood, words, said(wrong))


def _next_due(seen: Seen) -> tuple[datetime | None, str]:
    """When there is something to do for a run, and for which certificate."""
    times: list[tuple[datetime, str]] = []
    for row in seen.rows:
        name = row.spec.alias.text
        if row.decision.due and row.wait is None and not (row.hold is not None and row.hold.waits is not None):
            times.append((seen.now, name))
        later = [row.decision.renew_at, *(item.retry_at for item in row.services)]
        later += [row.wait.retry_at] if row.wait is not None else []
        times += [(at, name) for at in later if at is not None and at > seen.now]
    return min(times, default=(None, ""))


def _found(seen: Seen) -> Iterator[Found]:
    if seen.trouble is not None:
        yield Found(Mood.WRONG, Severity.ERROR.value, said(str(seen.trouble)), said(seen.trouble.hint))
    yield from map(found_of, seen.findings)
    for limit in seen.records.limits.values():
        if limit.retry_at > seen.now:
            words = f"CA {limit.ca}: not asked before {iso(limit.retry_at)}: {said(limit.message)}"
            yield Found(Mood.WAITS, Severity.NOTE.value, words)


def found_of(finding: Finding) -> Found:
    return Found(_MOODS[finding.severity], finding.severity.value, said(finding.message), said(finding.fix))


def _seen_owners(view: View, now: datetime) -> Iterator[Owner]:
    for name, seat in view.seats.items():
        place = seat.decision.place
        yield Owner(
            name.text,
            _seat_mood(seat),
            said(seat.trouble or _without(sentence(seat.decision), name)),
            tuple(sorted(bearer.alias for bearer in place.bearers)),
            tuple(sorted(str(record) for record in seat.memory.age.ours)),
            "" if place.trust is Trust.UNPROVEN else place.trust.value,
            now,
        )


def _seat_mood(seat: Seat) -> Mood:
    if seat.trouble or seat.decision.holds:
        return Mood.WRONG
    states = {stage.state for stage in seat.decision.stages}
    if states <= _QUIET:
        return Mood.GOOD
    return Mood.WAITS if states <= _QUIET | _UNDER_WAY else Mood.WRONG


def _without(words: str, name: DnsName) -> str:
    """The row is headed by the name already."""
    return words.removeprefix(f"{name}: ").removeprefix(f"{name} ")


def _remembered_owners(records: Records) -> Iterator[Owner]:
    yield from (_remembered(memory) for _, memory in sorted(records.tlsa.items()))


def _remembered(memory: TlsaMemory) -> Owner:
    age = memory.age
    ours, standing = age.ours, age.standing
    behind = ", ".join(f"{server} since {iso(item.since)}" for server, item in sorted(memory.behind.items()))
    if not ours:
        mood, words = Mood.UNKNOWN, "no record of ours is there"
    elif missing := len(ours - standing.keys()):
        mood, words = Mood.WRONG, f"{missing} of {len(ours)} records not proven at every name server"
    else:
        safe = max(standing[record].safe_at for record in ours)
        waits = safe > age.at
        mood = Mood.WAITS if waits else Mood.GOOD
        words = f"at every name server, known to every cache from {iso(safe)}" if waits else "known to every cache"
    if behind:
        mood, words = Mood.WRONG, f"{words}; behind the others: {behind}"
    aliases = tuple(sorted({item.alias.text for item in memory.known}))
    return Owner(memory.place.text, mood, words, aliases, tuple(sorted(map(str, ours))), looked=age.at)
