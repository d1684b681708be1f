"""Places of TLSA records: as they are seen now, or as runs remember them."""

from collections.abc import Iterator
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


def remembered(records: Records, now: datetime) -> Iterator[Owner]:
    yield from (_remembered(memory, now) for _, memory in sorted(records.tlsa.items()))


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
