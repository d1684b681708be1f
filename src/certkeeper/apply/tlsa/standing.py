"""From a look at TLSA records to where each certificate stands, and what is in its way."""

from collections.abc import Collection, Iterator

from certkeeper.apply.tlsa.view import Seat, View
from certkeeper.base.names import Alias
from certkeeper.dane.facts import Trust
from certkeeper.dane.gate import Hold
from certkeeper.dane.rollover import Stage, State
from certkeeper.dane.wording import behind, standing
from certkeeper.plan.tlsastands import TlsaStand

NO_SERVICE = 'name owners (TLSA="HOST:PORT"), or DEPLOY or PROBE'


def stands_of(view: View, nowhere: Collection[Alias]) -> Iterator[TlsaStand]:
    """Of each certificate the owner first where it is furthest behind. `nowhere`: no service of it was found."""
    stages = [(seat, stage) for seat in view.seats.values() for stage in seat.decision.stages]
    for seat, stage in sorted(stages, key=lambda item: behind(item[1])):
        if stage.state is not State.OFF:
            trouble, hint = _in_the_way(seat, stage)
            said = f"nothing could be seen: {seat.trouble}" if seat.trouble else standing(seat.decision, stage)
            yield TlsaStand(
                Alias(stage.alias), seat.name.text, stage.state.value, said, stage.until, trouble=trouble, hint=hint
            )
    for alias, why in view.unread.items():
        message = f"its TLSA records cannot be made: {why}"
        yield TlsaStand(alias, "", "unread", message, trouble=message, hint=f"certkeeper why {alias}")
    for alias in nowhere:
        message = "no service was found that TLSA records could be for"
        yield TlsaStand(alias, "", "nowhere", message, trouble=message, hint=NO_SERVICE)


def held_by(seat: Seat) -> Hold | None:
    """What keeps a place as it is and does not end by itself. What resolvers remember does, within their TTL."""
    holds = seat.decision.holds
    if seat.decision.place.trust is Trust.CACHED:
        holds = holds[1:]
    return holds[0] if holds else None


def _in_the_way(seat: Seat, stage: Stage) -> tuple[str, str]:
    """What it is and what to do about it; empty where it only takes time, or nothing is."""
    decision = seat.decision
    hint = f"certkeeper tlsa status {stage.alias}"
    if seat.trouble:
        return f"nothing could be seen: {seat.trouble}", hint
    if (hold := held_by(seat)) is not None:
        return hold.reason, hold.hint
    if stage.state is State.REPAIRING:
        return "records are there that the live key does not match: clients that know them fail", hint
    if decision.lagging:
        return f"the old record stays: {decision.lagging}", f"certkeeper deploy {stage.alias}"
    if decision.kept and not decision.place.types:
        return f"the old record stays: {decision.kept}", hint
    return "", ""
