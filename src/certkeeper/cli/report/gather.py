"""From what is known of this machine to what is on the page."""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime

from certkeeper import __version__
from certkeeper.base.times import iso
from certkeeper.cli.compose import Machine, stands_file
from certkeeper.cli.compose.reporting import zone_health
from certkeeper.cli.report.events import latest
from certkeeper.cli.report.html import day
from certkeeper.cli.report.model import Certificate, Found, Given, Mood, Owner, Page, Server, Zone
from certkeeper.cli.report.wording import said
from certkeeper.cli.status import Seen
from certkeeper.cli.statusdocument import Row
from certkeeper.config.findings import Finding, Severity
from certkeeper.plan.actions import Reason
from certkeeper.plan.history import Happening
from certkeeper.plan.inservices import InService, Progress
from certkeeper.plan.instaples import InStaple, Response
from certkeeper.plan.state import PROBLEMS, State
from certkeeper.plan.tlsastands import TlsaStands
from certkeeper.plan.zonehealth import Health, ServerHealth, ZoneHealth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.apply.tlsa.view import View

_PROGRESS = {
    Progress.SEEN: (Mood.GOOD, "seen"),
    Progress.UNPROVEN: (Mood.UNKNOWN, "given, not seen"),
    Progress.OWED: (Mood.WAITS, "owed"),
    Progress.FAILED: (Mood.WRONG, "not taken"),
    Progress.UNKNOWN: (Mood.UNKNOWN, "not known"),
}
_MOODS = {Severity.ERROR: Mood.WRONG, Severity.WARNING: Mood.WRONG, Severity.NOTE: Mood.UNKNOWN}


def known(machine: Machine, seen: Seen, *, view: "View | None" = None, health: Health | None = None) -> Page:
    """The page of what is known; with what was seen now in the place of what is remembered."""
    stands = stands_file(machine.settings.statedir).read() if view is None else None
    health = health or zone_health(machine).read()
    return gathered(seen, machine.history.newest(), view=view, stands=stands, health=health)


def gathered(
    seen: Seen,
    history: Iterable[Happening] = (),
    *,
    view: "View | None" = None,
    stands: TlsaStands | None = None,
    health: Health | None = None,
) -> Page:
    """`view` is a look at TLSA records of now; without one, what runs remember counts: `stands`, and the journal.
    `health` is that of zones at the last look.
    """
    certificates = tuple(_certificate(row) for row in seen.rows) + tuple(_rejected(seen))
    due, name = _next_due(seen)
    return Page(
        os.uname().nodename,
        seen.now,
        __version__,
        certificates,
        due,
        name,
        (*_found(seen), *(map(found_of, health.general) if health is not None else ())),
        tuple(str(alias) for alias in seen.orphans),
        _owners(seen, view, stands),
        zones_of(health) if health is not None else None,
        tuple(latest(history)),
    )


def _owners(seen: Seen, view: "View | None", stands: TlsaStands | None) -> tuple[Owner, ...]:
    if view is None and stands is None and not seen.records.tlsa:
        return ()
    from certkeeper.cli.report import owners  # noqa: PLC0415 - most pages have no TLSA records

    return tuple(owners.seen(view, seen.now) if view is not None else owners.remembered(stands, seen.records, seen.now))


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


def found_of(finding: Finding, zone: str = "") -> Found:
    """`zone` is what it is told below, and need not say again."""
    words = said(finding.message).removeprefix(f"zone {zone}: ")
    return Found(_MOODS[finding.severity], finding.severity.value, words, said(finding.fix))


def zones_of(health: Health) -> tuple[Zone, ...]:
    return tuple(_zone(item) for item in health.zones.values())


def _zone(item: ZoneHealth) -> Zone:
    found = tuple(found_of(each, item.name) for each in item.findings)
    wrong = any(each.mood is Mood.WRONG for each in found)
    mood = Mood.WRONG if wrong else Mood.GOOD
    return Zone(item.name, mood, said(item.summary), tuple(map(_server, item.servers)), found, item.looked)


def _server(item: ServerHealth) -> Server:
    return Server(item.server, said(item.said), Mood.WRONG if item.trouble else Mood.GOOD)
