"""What a run did with TLSA records, for `certkeeper history`."""

import re
from collections.abc import Collection, Iterable

from certkeeper.apply.tlsa.view import Seat, View
from certkeeper.cli.compose import Machine
from certkeeper.dane.tlsa import Tlsa
from certkeeper.dane.wording import sentence
from certkeeper.plan.history import Happening, Kind

_KINDS = frozenset({Kind.TLSA_PUBLISHED, Kind.TLSA_ROLLED, Kind.TLSA_HELD})
_CHANGES = re.compile(r"\d+")


def keep_tlsa(machine: Machine, written: Iterable[Seat], view: View) -> None:
    """Write down what was published and withdrawn, and what holds a place where something else did before."""
    for seat in written:
        decision = seat.decision
        parts = [f"{word} {_shown(records)}" for word, records in _changes(seat) if records]
        if parts:
            kind = Kind.TLSA_ROLLED if decision.remove else Kind.TLSA_PUBLISHED
            _keep(machine, seat, kind, ", ".join(parts))
    for seat in view.seats.values():
        if seat.decision.holds and not seat.trouble:
            hold = seat.decision.holds[0]
            text = sentence(seat.decision).removeprefix(f"{seat.name}: ").removesuffix(f"; {hold.hint}")
            before = _last(machine, seat)
            if before is None or before.kind is not Kind.TLSA_HELD or _core(before.text) != _core(text):
                _keep(machine, seat, Kind.TLSA_HELD, text, hold.hint)


def _changes(seat: Seat) -> tuple[tuple[str, Collection[Tlsa]], ...]:
    return ("published", seat.decision.add), ("withdrew", seat.decision.remove)


def _keep(machine: Machine, seat: Seat, kind: Kind, text: str, hint: str = "") -> None:
    aliases = {stage.alias for stage in seat.decision.stages} | seat.claims
    machine.happened(kind, sorted(map(str, aliases)), text, about=seat.name.text, hint=hint)


def _last(machine: Machine, seat: Seat) -> Happening | None:
    newest = machine.history.newest()
    return next((item for item in newest if item.about == seat.name.text and item.kind in _KINDS), None)


def _core(text: str) -> str:
    """What stays the same while it is held for the same reason."""
    return _CHANGES.sub("#", text)


def _shown(records: Collection[Tlsa]) -> str:
    """By type and the first digits of the data."""
    words = (str(record).split() for record in sorted(records))
    return ", ".join(" ".join((*word[:3], f"{word[3][:8]}…")) for word in words)
