"""The part of a run that looks at TLSA records once certificates are in services, and publishes what is missing."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from certkeeper.apply.tlsa.publishing import lines_to_publish
from certkeeper.apply.tlsa.standing import NO_SERVICE, held_by, stands_of
from certkeeper.apply.tlsa.view import Seat, View
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import count
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import Machine
from certkeeper.cli.compose.danewatch import DaneWatch, changing
from certkeeper.cli.danehistory import keep_tlsa
from certkeeper.cli.plan import ForeseenRecords
from certkeeper.cli.render import reporter
from certkeeper.cli.saying import Saying
from certkeeper.cli.tlsa.ending import ended
from certkeeper.dane.facts import Trust
from certkeeper.dane.rollover import State
from certkeeper.dane.wording import sentence
from certkeeper.plan.gates import gate_of, rolls
from certkeeper.plan.tlsastands import TlsaStands, after

_FOR_YOU = "TLSA records for you to publish, all lines at once:"
_QUIET = frozenset({State.OFF, State.STEADY, State.ANNOUNCING, State.AGEING, State.READY})
"""Nothing is wrong, and nothing is to be done by anybody."""


@dataclass(frozen=True, slots=True)
class DanePhase:
    """What it came to. `said` goes into the run's summary; `wake_at` is when it is worth looking again. `stands` is
    where it left certificates, None where nobody could look.

    `errors` are not told yet. `failed`: something else went wrong, and was told.
    """

    failed: bool = False
    errors: tuple[CertkeeperError, ...] = ()
    said: tuple[str, ...] = ()
    wake_at: datetime | None = None
    stands: TlsaStands | None = None


NOTHING = DanePhase()


def published(machine: Machine, *, saying: Saying) -> DanePhase:
    """Look, publish, look again, and remember."""
    try:
        watch = machine.dane_watch
        return NOTHING if watch is None else _published(machine, watch, saying=saying)
    except CertkeeperError as error:
        return DanePhase(errors=(error,))


def _published(machine: Machine, watch: DaneWatch, *, saying: Saying) -> DanePhase:
    before = view = watch.look()
    due = tuple(changing(view))
    by_hand: list[Seat] = []
    wrong: tuple[CertkeeperError, ...] = ()
    failed = bool(view.unread)
    written: list[Seat] = []
    if due:
        report = reporter(saying, first="waiting for the name servers")
        try:
            errors, by_hand = watch.publish(due, report.tell)
        finally:
            report.close()
        wrong = tuple(errors.values())
        written = [seat for seat in due if seat not in by_hand and seat.memory.zone not in errors]
        # What is everywhere now counts from now.
        view = watch.look()
    remember(machine, view)
    stands = _kept(machine, watch, view)
    keep_tlsa(machine, written, view)
    failed = not ended(machine, watch) or failed
    for line in (*nowhere(machine, view), *_lines(before, view, saying=saying), *by_person(watch, by_hand)):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    said = (f"TLSA records changed at {count(len(written), 'place')}",) if written else ()
    times = (wake_at(view), machine.clock.now() if _may_turn(machine, watch, view) else None)
    return DanePhase(failed, wrong, said, min((time for time in times if time is not None), default=None), stands)


def _kept(machine: Machine, watch: DaneWatch, view: View) -> TlsaStands:
    """Where certificates stand now, for whoever asks later."""
    found = stands_of(view, tuple(without_service(machine, view)))
    stands = after(watch.stands.read(), found, machine.clock.now())
    # Nothing is decided by it: what lasts is told one run later.
    with suppress(CertkeeperError):
        watch.stands.write(stands)
    return stands


def _may_turn(machine: Machine, watch: DaneWatch, view: View) -> bool:
    """A person wants another key, and nothing is in the way any more: the next run orders with it."""
    turns, lineages, gates = machine.journal.records().turns, machine.lineages(), watch.gates_by(view)
    return any(
        rolls(turns[spec.entry], lineages[spec.alias], gate_of(spec, gates.get(spec.alias)))
        for spec in machine.configuration.certificates
        if spec.entry in turns
    )


def remember(machine: Machine, view: View) -> None:
    """What was seen, for later runs: waits count from it.

    Raises:
        CertkeeperError: it cannot be written down.
    """
    before = machine.journal.records().tlsa
    put = tuple(seat.memory for seat in view.seats.values() if not (seat.over or seat.trouble))
    drop = tuple(before[seat.name] for seat in view.seats.values() if seat.over and seat.name in before)
    if put or drop:
        machine.journal.prepare()
        machine.journal.write(put, drop)


def _lines(before: View, view: View, *, saying: Saying) -> Iterator[str]:
    """What is not as it should be, what a person has to publish, and in a usual run the rest."""
    for alias, why in view.unread.items():
        yield f"{alias}: its TLSA records cannot be made: {why}"
    for name, seat in view.seats.items():
        stages = seat.decision.stages
        told = seat.trouble or seat.decision.holds or any(stage.state not in _QUIET for stage in stages)
        if seat.trouble:
            yield f"TLSA {seat.name}: nothing could be seen: {seat.trouble}"
        elif told or saying.everything:
            flaw = f" ({seat.flaw})" if seat.flaw and seat.decision.holds else ""
            yield f"TLSA {sentence(seat.decision)}{flaw}"
        if saying.everything:
            earlier = before.seats[name].decision.notes if name in before.seats else ()
            notes = dict.fromkeys((*earlier, *seat.decision.notes))
            yield from (f"TLSA {name}: {note}" for note in notes)
    yield from (f"TLSA {text}" for text in view.passed_over if saying.everything)


def by_person(watch: DaneWatch, seats: Sequence[Seat]) -> Iterator[str]:
    """What a person has to publish, by the reason why it is theirs to do."""
    reasons: dict[str, list[Seat]] = {}
    for seat in seats:
        reasons.setdefault(watch.by_hand(seat), []).append(seat)
    for reason, mine in reasons.items():
        yield f"TLSA records for you to publish, all lines at once ({reason}):" if reason else _FOR_YOU
        yield from lines_to_publish(mine)


def nowhere(machine: Machine, view: View) -> Iterator[str]:
    """What is said of certificates that no service was found of."""
    for alias in without_service(machine, view):
        yield f"{alias}: TLSA: no service was found: {NO_SERVICE}"


def without_service(machine: Machine, view: View) -> Iterator[Alias]:
    """Certificates that are to have records, and no service was found that these could be for."""
    for spec in machine.configuration.certificates:
        if spec.tlsa is not None and spec.alias not in view.unread and not any(view.of(spec.alias)):
            there = machine.lineages()[spec.alias].leaf is not None
            if there:
                yield spec.alias


def foreseen_records(watch: DaneWatch) -> ForeseenRecords:
    """What `plan` says of them: where each place stands, and what a run would change there now."""
    view = watch.view()
    lines, document = [f"{alias}: its TLSA records cannot be made: {why}" for alias, why in view.unread.items()], []
    for seat in view.seats.values():
        decision = seat.decision
        lines.append(f"TLSA {sentence(decision)}" if not seat.trouble else f"TLSA {seat.name}: {seat.trouble}")
        lines += [f"    publish {record}" for record in sorted(decision.add)]
        lines += [f"    withdraw {record}" for record in sorted(decision.remove)]
        if seat.new_ttl is not None:
            lines.append(f"    the TTL becomes {seat.new_ttl} s")
        if seat.claims and decision.age.lingering:
            names = ", ".join(sorted(map(str, seat.claims)))
            lines.append(f"    the first certificate of {names} goes live once caches know its record")
        document.append(
            {
                "place": seat.name.text,
                "sentence": sentence(decision),
                "publish": sorted(map(str, decision.add)),
                "withdraw": sorted(map(str, decision.remove)),
                "new_ttl": seat.new_ttl,
            }
        )
    return ForeseenRecords(tuple(lines), tuple(document), wake_at(view))


def troubled(seat: Seat) -> bool:
    """Something is not as it should be, and a person may have to do something."""
    if seat.trouble or held_by(seat) is not None:
        return True
    stuck = seat.decision.kept and not seat.decision.place.types
    return bool(stuck) or any(stage.state is State.REPAIRING for stage in seat.decision.stages)


def wake_at(view: View) -> datetime | None:
    """When something of it changes by time alone."""
    times = []
    for seat in view.seats.values():
        age = seat.decision.age
        for stage in seat.decision.stages:
            staged = stage.staged.until if stage.staged is not None else None
            times += [time for time in (stage.until, staged) if time is not None]
        if seat.decision.remove:
            # It became due while what was written before was waited for.
            times.append(age.at)
        if (seat.decision.kept and seat.decision.place.types) or seat.decision.place.trust is Trust.CACHED:
            # A resolver that was asked too early forgets by itself.
            times.append(age.at + timedelta(seconds=age.bound))
    return min(times, default=None)
