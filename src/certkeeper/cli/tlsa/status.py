"""`certkeeper tlsa status`."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime

from certkeeper.apply.tlsa.publishing import lines_to_publish
from certkeeper.apply.tlsa.view import Seat, View
from certkeeper.base.errors import ExitCode
from certkeeper.base.times import iso
from certkeeper.cli.compose import open_machine
from certkeeper.cli.danephase import nowhere, troubled, wake_at
from certkeeper.cli.documents import write_document
from certkeeper.cli.select import select
from certkeeper.cli.tlsa.turns import Way, ways, ways_document
from certkeeper.config.settings import Configuration
from certkeeper.dane.facts import Answer, Bearer
from certkeeper.dane.tlsa import Tlsa
from certkeeper.dane.wording import sentence


def status(options: argparse.Namespace) -> int:
    """Look at the page's TLSA records and say where each owner stands; 1 where something is not as it should be.
    Changes nothing, and remembers nothing.

    Raises:
        CertkeeperError: the page cannot be read.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    with closing(machine):
        watch = machine.dane_watch
        view = watch.view() if watch is not None else View()
        seats = _selected(view, selected, everything=not options.names)
        turns = tuple(ways(machine, selected.certificates))
        wanted = any(spec.tlsa is not None for spec in selected.certificates)
    if options.json:
        write_document("tlsa-status", _document(view, seats, turns))
    else:
        for line in (*nowhere(machine, view), *_lines(view, seats, turns, wanted=wanted)):
            sys.stdout.write(f"{line}\n")
    return ExitCode.FAILED if view.unread or any(troubled(seat) for seat in seats) else ExitCode.DONE


def _selected(view: View, selected: Configuration, *, everything: bool) -> list[Seat]:
    aliases = {spec.alias.text for spec in selected.certificates}
    return [
        seat
        for seat in view.seats.values()
        if everything or any(bearer.alias in aliases for bearer in seat.decision.place.bearers)
    ]


def _lines(view: View, seats: list[Seat], turns: Sequence[Way], *, wanted: bool) -> Iterator[str]:
    if not (seats or wanted):
        yield 'no TLSA records are wanted: write TLSA="yes" in the configuration, or for one certificate'
    for alias, why in view.unread.items():
        yield f"{alias}: its TLSA records cannot be made: {why}"
    for seat in seats:
        yield sentence(seat.decision) if not seat.trouble else f"{seat.name}: nothing could be seen: {seat.trouble}"
        if seat.flaw:
            yield f"    DNSSEC: {seat.decision.place.trust.value}: {seat.flaw}"
        for record, words in _records(seat).items():
            yield f"    {record.type} {record.data.hex()[:16]}…: {words}"
        yield from (f"    {note}" for note in seat.decision.notes)
        yield from (f"    {line}" for line in (lines_to_publish([seat]) if seat.manual else ()))
    yield from (turn.sentence for turn in turns)
    yield from view.passed_over
    if (due := wake_at(view)) is not None:
        yield f"next change at {iso(due)}"


def _records(seat: Seat) -> Mapping[Tlsa, str]:
    """What each record is of, where it is, and until when it is waited for."""
    decision, age = seat.decision, seat.decision.age
    present = frozenset[Tlsa]().union(*(answer.records or () for answer in decision.place.answers))
    found = {}
    for record in sorted(present | decision.add):
        what = _what(record, decision.place.bearers) or ("of an earlier key" if record in age.ours else "not ours")
        stands = age.standing.get(record)
        if record in decision.remove:
            where = "is for you to remove" if seat.manual else "goes with the next run"
        elif record not in present:
            where = "is for you to publish" if seat.manual else "is published by the next run"
        elif stands is None:
            where = _lacking(record, decision.place.answers)
        else:
            safe = stands.safe_at <= age.at
            where = f"everywhere since {iso(stands.since)}, " + (
                "in all caches" if safe else f"in all caches from {iso(stands.safe_at)}"
            )
        found[record] = f"{what}, {where}"
    return found


def _lacking(record: Tlsa, answers: tuple[Answer, ...]) -> str:
    """At which name servers a record is not, that some have."""
    without = [answer.server for answer in answers if answer.records is not None and record not in answer.records]
    silent = [answer.server for answer in answers if answer.records is None]
    if not (without or silent):
        return "at every name server, and not proven"
    return ", ".join([*(f"not at {server}" for server in without), *(f"{server} is silent" for server in silent)])


def _what(record: Tlsa, bearers: tuple[Bearer, ...]) -> str:
    for bearer in bearers:
        if record in bearer.live.matches:
            return f"{bearer.alias}, live"
        if bearer.next is not None and record in bearer.next.matches:
            return f"{bearer.alias}, next key"
        if bearer.staged is not None and record in bearer.staged.matches:
            return f"{bearer.alias}, staged"
    return ""


def _document(view: View, seats: list[Seat], turns: Sequence[Way]) -> Mapping[str, object]:
    return {
        "owners": [_seat(seat) for seat in seats],
        "unread": {alias.text: why for alias, why in view.unread.items()},
        "turns": ways_document(turns),
        "next_change": _time(wake_at(view)),
    }


def _seat(seat: Seat) -> Mapping[str, object]:
    decision = seat.decision
    return {
        "place": seat.name.text,
        "zone": seat.memory.zone.text,
        "owners": sorted(owner.text for owner in decision.place.owners),
        "trust": decision.place.trust.value,
        "flaw": seat.flaw or None,
        "trouble": seat.trouble or None,
        "sentence": sentence(decision),
        "states": [
            {
                "alias": stage.alias,
                "state": stage.state.value,
                "order": stage.order.value,
                "waits_for": stage.waits_for or None,
                "until": _time(stage.until),
            }
            for stage in decision.stages
        ],
        "holds": [{"reason": hold.reason, "hint": hold.hint, "stops": hold.stops.value} for hold in decision.holds],
        "kept": decision.kept or None,
        "notes": list(decision.notes),
        "records": {str(record): words for record, words in _records(seat).items()},
        "add": sorted(map(str, decision.add)),
        "remove": sorted(map(str, decision.remove)),
    }


def _time(instant: datetime | None) -> str | None:
    return iso(instant) if instant is not None else None
