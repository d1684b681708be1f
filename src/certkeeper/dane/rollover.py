"""From one key to the next under TLSA records: the table of states, and what it says of a place now.

Nothing is remembered but the age of records: the state follows from what is seen, so a run may be killed anywhere.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from certkeeper.base.value import dataclass, replace
from certkeeper.dane.age import TlsaAge, grown, restarts, seen_anywhere, seen_by_all
from certkeeper.dane.facts import Bearer, Clocks, Place
from certkeeper.dane.gate import Fit, Hold, Stops, changes_nothing, fit, holds
from certkeeper.dane.tlsa import Tlsa, TlsaType


class State(StrEnum):
    """Where a certificate stands behind one place."""

    OFF = "off"
    LEAVING = "leaving"
    REPAIRING = "repairing"
    UNPUBLISHED = "unpublished"
    PUBLISHING = "publishing"
    REPLACING = "replacing"
    STEADY = "steady"
    ANNOUNCING = "announcing"
    AGEING = "ageing"
    READY = "ready"


class Order(StrEnum):
    """Which key the next certificate may be ordered and deployed with."""

    ANY = "any key"
    CURRENT = "the current key"
    NEXT = "the next key"
    NONE = "no key yet"
    """The current key is compromised, and the next one has to wait."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rows of the table look at."""

    wanted: bool
    traces: bool
    mismatched: bool
    live_anywhere: bool
    live_everywhere: bool
    old: bool
    has_next: bool
    next_everywhere: bool
    next_safe: bool


@dataclass(frozen=True, slots=True)
class Row:
    """The first row whose condition holds is the state. The texts are those of the picture and of `status`."""

    state: State
    when: str
    holds: Callable[[Situation], bool]
    publishes: str
    order: Order
    waits_for: str


TABLE = (
    Row(
        State.OFF,
        "DANE is not wanted, and no cache holds a record",
        lambda s: not s.wanted and not s.traces,
        "nothing",
        Order.ANY,
        "",
    ),
    Row(
        State.LEAVING,
        "DANE is not wanted any more",
        lambda s: not s.wanted,
        "nothing",
        Order.CURRENT,
        "caches to forget the records that were there",
    ),
    Row(
        State.REPAIRING,
        "a published combination matches no key that is live",
        lambda s: s.mismatched,
        "current, next, what is there",
        Order.CURRENT,
        "every name server to serve the live key's record",
    ),
    Row(
        State.UNPUBLISHED,
        "no record of the live key is there",
        lambda s: not s.live_anywhere,
        "current, next",
        Order.CURRENT,
        "the records to be published",
    ),
    Row(
        State.PUBLISHING,
        "a name server lacks the live key's record, or nothing is proven",
        lambda s: not s.live_everywhere,
        "current, next, old",
        Order.CURRENT,
        "every name server to serve the live key's record with proof",
    ),
    Row(
        State.REPLACING,
        "a record of a key that was replaced is there",
        lambda s: s.old,
        "current, next, old until it may go",
        Order.CURRENT,
        "every host, address, port and key algorithm to be seen with the live key, so that the old record may go",
    ),
    Row(
        State.STEADY,
        "there is no next key",
        lambda s: not s.has_next,
        "current",
        Order.CURRENT,
        "",
    ),
    Row(
        State.ANNOUNCING,
        "a name server lacks the next key's record",
        lambda s: not s.next_everywhere,
        "current, next",
        Order.CURRENT,
        "every name server to serve the next key's record with proof",
    ),
    Row(
        State.AGEING,
        "a cache may hold a set without the next key's record",
        lambda s: not s.next_safe,
        "current, next",
        Order.CURRENT,
        "caches to forget the set without the next key's record",
    ),
    Row(State.READY, "no such cache can be left", lambda _: True, "current, next", Order.NEXT, ""),
)
ROWS = {row.state: row for row in TABLE}


@dataclass(frozen=True, slots=True)
class Stage:
    """Where one certificate stands behind one place: what may be ordered, what it waits for, and until when.

    `fit` says whether the next key may go live, `staged` whether the staged version may; None where there is none.
    """

    alias: str
    state: State
    order: Order
    waits_for: str
    until: datetime | None
    fit: Fit | None
    staged: Fit | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do at a place. `age` is to be kept before anything is written; `add` and `remove` are one change.

    Records of others are in neither. `kept` is why old records stay, `notes` is what a person should know. `lagging`
    is `kept` where a service is the reason: it was not seen with what is left, and time alone does not change that.
    """

    place: Place
    age: TlsaAge
    add: frozenset[Tlsa]
    remove: frozenset[Tlsa]
    stages: tuple[Stage, ...]
    holds: tuple[Hold, ...]
    kept: str = ""
    notes: tuple[str, ...] = ()
    lagging: str = ""


def decide(place: Place, remembered: TlsaAge | None, clocks: Clocks) -> Decision:
    """What a look at a place comes to. The same look and the same memory give the same decision."""
    age, now = grown(remembered, place, clocks), clocks.earliest
    found = tuple(holds(place, age, clocks))
    notes = list(_notes(place, remembered, clocks))
    present = seen_anywhere(place)
    meant = _meant(place)
    wanted, blocked = _wanted(place, present, meant)
    notes += blocked
    ours = age.ours | frozenset().union(*(bearer.former for bearer in place.bearers))
    old = (present & ours) - meant
    left = frozenset(record for record in (present - old) | meant if not record.unusable)
    lagging = _lagging(place, left) if old else ""
    kept = lagging or (_why_kept(place, age, old, left, now) if old else "")
    changes = not any(hold.stops is Stops.CHANGES for hold in found)
    heard = seen_by_all(place)
    # What no server that answers lacks is written already, and whoever is silent is waited for.
    add = wanted - heard if changes and heard is not None else frozenset()
    remove = old if not kept and (changes or not place.types) else frozenset()
    if any(answer.expanded for answer in place.answers):
        add, remove, more = _beside_wildcard(place, add, remove, present)
        kept, notes = kept or (more if old and not place.types else ""), [*notes, *([more] if more else [])]
    age = replace(age, ours=ours.intersection(age.lingering) | wanted)
    stages = tuple(_stage(bearer, place, present, age, old, found, now) for bearer in place.bearers)
    return Decision(place, age, add, remove, stages, found, kept, tuple(notes), lagging)


def _meant(place: Place) -> frozenset[Tlsa]:
    """All records that somebody behind the place needs now or soon."""
    if not place.types:
        return frozenset()
    faces = (face for bearer in place.bearers for face in (bearer.live, bearer.next, bearer.staged))
    return frozenset().union(*(face.records for face in faces if face is not None))


def _wanted(place: Place, present: frozenset[Tlsa], meant: frozenset[Tlsa]) -> tuple[frozenset[Tlsa], list[str]]:
    """The records to publish. A combination that is new is published once all that is served matches it."""
    there = {record.type for record in present}
    refused: dict[TlsaType, str] = {}
    for kind in place.types - there:
        for bearer in place.bearers:
            if not _has(bearer.live.matches & meant, kind):
                refused.setdefault(kind, f"{kind} is not published: nothing in the chain of {bearer.alias} matches it")
        for sight in place.sights:
            if sight.matches is None:
                refused.setdefault(kind, f"{kind} is not published yet: {sight.endpoint} was not seen")
            elif not _has(sight.matches & meant, kind):
                refused.setdefault(kind, f"{kind} is not published yet: {sight.endpoint} shows another key")
    # What is served already was looked at before it was sent, or is somebody's whom we do not correct.
    harmful = [record for record in meant.difference(present) if record.refusal]
    if not refused and not harmful:
        return meant, []
    notes = [*refused.values(), *(f"{record.type} is not published: {record.refusal}" for record in harmful)]
    return frozenset(record for record in meant if record.type not in refused and not record.refusal), notes


def _beside_wildcard(
    place: Place, add: frozenset[Tlsa], remove: frozenset[Tlsa], present: frozenset[Tlsa]
) -> tuple[frozenset[Tlsa], frozenset[Tlsa], str]:
    """What to change where a wildcard's records answer, and what is to be said of that. What stands at the place itself
    hides all of them, so whatever is to stay has to be there, too.
    """
    if not place.types:
        return frozenset(), frozenset(), "the records are a wildcard's: take them away there"
    if not (add or remove):
        return add, remove, ""
    copied = frozenset(record for record in present - remove if not record.refusal)
    return add | copied, frozenset(), "a wildcard answers here: its records stand at the owner itself from now on"


def _lagging(place: Place, left: frozenset[Tlsa]) -> str:
    """A service that was not seen with what is left; empty where whatever is served matches it."""
    kinds = {record.type for record in left}
    if not (kinds and place.types):
        return ""
    for sight in place.sights:
        if sight.matches is None:
            return f"{sight.endpoint} was not seen"
        if not all(_has(sight.matches & left, kind) for kind in kinds):
            return f"{sight.endpoint} shows another key"
    return "" if place.sights else "nobody looks at the services"


def _why_kept(place: Place, age: TlsaAge, old: frozenset[Tlsa], left: frozenset[Tlsa], now: datetime) -> str:
    """Why old records may not go yet though all services show what is left; empty where they may."""
    kinds = {record.type for record in left}
    if kinds and not place.types:
        # Nobody says any more where the services are.
        return "without it clients would have somebody else's record alone, which is to be removed first"
    for bearer in place.bearers if kinds else ():
        if bearer.leaves:
            # Every service was seen with something else.
            continue
        mine = bearer.live.matches & left
        if any(not any(age.safe(record, now) for record in mine if record.type == kind) for kind in kinds):
            return "caches may hold a set without the live key's record"
        urgent = bearer.compromised and any(record in bearer.former for record in old)
        if not urgent and now < bearer.live_since + timedelta(seconds=age.bound):
            return "the key before may still be gone back to"
    return ""


def _stage(
    bearer: Bearer,
    place: Place,
    present: frozenset[Tlsa],
    age: TlsaAge,
    old: frozenset[Tlsa],
    found: tuple[Hold, ...],
    now: datetime,
) -> Stage:
    next_fit = fit(bearer.next, bearer.live, place, age, now) if bearer.next is not None else None
    situation = _situation(bearer, place, present, age, old, next_fit)
    row = next(row for row in TABLE if row.holds(situation))
    order, until = row.order, None
    staged = fit(bearer.staged, bearer.live, place, age, now) if bearer.staged is not None else None
    if row.state is State.AGEING and next_fit is not None:
        until = next_fit.until
    elif row.state is State.LEAVING:
        until = max((age.lingering[record] for record in _left_of(bearer, place, age)), default=None)
    if found and row.state is not State.OFF:
        order = Order.CURRENT
        if bearer.staged is not None and not changes_nothing(bearer.staged, bearer.live, age):
            staged = Fit(found[0].reason)
    if order is Order.CURRENT and bearer.live.key_id in bearer.compromised:
        order = Order.NONE
    return Stage(bearer.alias, row.state, order, row.waits_for, until, next_fit, staged)


def _situation(
    bearer: Bearer,
    place: Place,
    seen: frozenset[Tlsa],
    age: TlsaAge,
    old: frozenset[Tlsa],
    next_fit: Fit | None,
) -> Situation:
    present = [record for record in seen if not record.unusable]
    kinds = {record.type for record in present}
    live = bearer.live.records & bearer.live.matches
    ahead = bearer.next.records if bearer.next is not None else frozenset()
    return Situation(
        wanted=bool(place.types) and not bearer.leaves,
        traces=bool(_left_of(bearer, place, age)),
        mismatched=bool(kinds - {record.type for record in present if record in bearer.live.matches}),
        live_anywhere=not live.isdisjoint(seen),
        live_everywhere=not live.difference(age.standing),
        old=bool(old),
        has_next=bool(ahead),
        next_everywhere=not ahead.difference(age.standing),
        next_safe=next_fit is not None and next_fit.open,
    )


def _left_of(bearer: Bearer, place: Place, age: TlsaAge) -> frozenset[Tlsa]:
    """What caches may hold of it. Where somebody else's records stay, those of ours are about that one, too."""
    about = bearer.known_by if place.types else bearer.known_by | age.ours
    return about.intersection(age.lingering)


def _notes(place: Place, before: TlsaAge | None, clocks: Clocks) -> Iterator[str]:
    if before is None:
        return
    if reason := restarts(before, place, clocks):
        yield f"{reason}: waits begin anew"
    elif any(_is_gone(record, place) and record in _meant(place) for record in before.standing):
        yield "a record of ours is not at every name server any more: it has to be published again, and waits anew"
    if before.bound > max((*place.ttls, *(answer.ttl for answer in place.answers)), default=0):
        yield f"the TTL was lowered a moment ago: {before.bound} s count until they have run out"


def _is_gone(record: Tlsa, place: Place) -> bool:
    """Some server answers without it; one that is silent says nothing of it."""
    return any(answer.records is not None and record not in answer.records for answer in place.answers)


def _has(records: frozenset[Tlsa], kind: TlsaType) -> bool:
    return any(record.type == kind for record in records)


def key_to_order(stages: tuple[Stage, ...]) -> Order:
    """Which key a certificate may be ordered with, over all places that it is behind: the most careful answer."""
    for order in (Order.NONE, Order.CURRENT, Order.NEXT):
        if any(stage.order is order for stage in stages):
            return order
    return Order.ANY
