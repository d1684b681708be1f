"""Places of TLSA records: as they are seen now, or as runs remember them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from certkeeper.apply.tlsa.view import Seat, View
from certkeeper.base.names import DnsName
from certkeeper.base.times import iso
from certkeeper.cli.danephase import troubled
from certkeeper.cli.report.model import Mood, Owner
from certkeeper.cli.report.wording import said
from certkeeper.dane.facts import Trust
from certkeeper.dane.rollover import State
from certkeeper.dane.wording import sentence
from certkeeper.plan.records import Records, TlsaMemory
from certkeeper.plan.tlsastands import TlsaStand, TlsaStands

_QUIET = frozenset({State.OFF, State.STEADY, State.READY})


def seen(view: View, now: datetime) -> Iterator[Owner]:
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
    if troubled(seat):
        return Mood.WRONG
    return Mood.GOOD if {stage.state for stage in seat.decision.stages} <= _QUIET else Mood.WAITS


def _without(words: str, name: DnsName) -> str:
    """The row is headed by the name already."""
    return words.removeprefix(f"{name}: ").removeprefix(f"{name} ")


def remembered(stands: TlsaStands | None, records: Records, now: datetime) -> Iterator[Owner]:
    """As the last run left them; of places that it did not tell of, what is remembered of their records."""
    told: dict[str, list[TlsaStand]] = {}
    for stand in stands.stands if stands is not None else ():
        told.setdefault(stand.owner or str(stand.alias), []).append(stand)
    places = {name: memory for memory in records.tlsa.values() for name in _names_of(memory)}
    for name, found in told.items():
        yield _stood(name, found, places.get(name), stands.at if stands is not None else now)
    for memory in records.tlsa.values():
        if not told.keys() & set(_names_of(memory)):
            yield _remembered(memory, now)


def _names_of(memory: TlsaMemory) -> tuple[str, ...]:
    return memory.place.text, *sorted(owner.text for owner in memory.age.owners)


def _stood(name: str, stands: Sequence[TlsaStand], memory: TlsaMemory | None, at: datetime) -> Owner:
    """What several certificates have in common is said once."""
    wrong = [stand for stand in stands if stand.trouble]
    mood = Mood.WRONG if wrong else Mood.WAITS if any(stand.until for stand in stands) else Mood.GOOD
    words = dict.fromkeys(said(stand.trouble or stand.sentence) for stand in (*wrong, *stands))
    records = tuple(sorted(map(str, memory.age.ours))) if memory is not None else ()
    return Owner(name, mood, "; ".join(words), tuple(str(stand.alias) for stand in stands), records, looked=at)


def _remembered(memory: TlsaMemory, now: datetime) -> Owner:
    age = memory.age
    ours, standing = age.ours, age.standing
    behind = ", ".join(f"{server} since {iso(item.since)}" for server, item in sorted(memory.behind.items()))
    if not ours:
        mood, words = Mood.UNKNOWN, "no record of ours is there"
    elif missing := len(ours - standing.keys()):
        mood, words = Mood.WRONG, f"{missing} of {len(ours)} records not proven at every name server"
    else:
        safe = max(standing[record].safe_at for record in ours)
        waits = safe > now
        mood = Mood.WAITS if waits else Mood.GOOD
        words = f"at every name server, known to every cache from {iso(safe)}" if waits else "known to every cache"
    if behind:
        mood, words = Mood.WRONG, f"{words}; behind the others: {behind}"
    aliases = tuple(sorted({item.alias.text for item in memory.known}))
    return Owner(memory.place.text, mood, words, aliases, tuple(sorted(map(str, ours))), looked=age.at)
