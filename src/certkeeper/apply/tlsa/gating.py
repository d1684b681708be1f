"""From a look at TLSA records to what keys and versions may do."""

from collections.abc import Mapping

from certkeeper.apply.daneports import Materials
from certkeeper.apply.tlsa.bearers import NOTHING_LIVE
from certkeeper.apply.tlsa.view import Seat, View
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.value import replace
from certkeeper.config.settings import CertSpec, Configuration
from certkeeper.dane.face import Face, chain_face
from certkeeper.dane.facts import Clocks
from certkeeper.dane.gate import changes_nothing, clock_hold, fit
from certkeeper.dane.rollover import Order, key_to_order
from certkeeper.dane.wording import waiting
from certkeeper.plan.gates import FREE, Allowed, Gate, WaitsForDns


def gates_of(page: Configuration, view: View) -> Mapping[Alias, Gate]:
    """The gate of each certificate that is behind any place."""
    found = {}
    for spec in page.certificates:
        mine = tuple(view.of(spec.alias))
        pairs = [
            (seat, stage)
            for seat in mine
            for stage in seat.decision.stages
            if stage.alias == spec.alias.text and _binds(seat)
        ]
        if not mine:
            continue
        if not pairs:
            found[spec.alias] = FREE
            continue
        order = key_to_order(tuple(stage for _, stage in pairs))
        slowest = next(((seat, stage) for seat, stage in pairs if stage.order is order), None)
        reason, until = "", None
        if slowest is not None and order in {Order.CURRENT, Order.NONE}:
            seat, stage = slowest
            holds = seat.decision.holds
            reason = f"{seat.name}: {holds[0].reason}; {holds[0].hint}" if holds else f"{seat.name} {waiting(stage)}"
            until = None if holds else max((one.until for _, one in pairs if one.until is not None), default=None)
        found[spec.alias] = Gate(Allowed(order.value), reason, until)
    return found


def _binds(seat: Seat) -> bool:
    """Clients go by records there, or will soon. Of a service that shows somebody else's key nothing is published."""
    decision = seat.decision
    return bool(decision.age.lingering or decision.add or decision.holds or seat.trouble)


class VersionsGate:
    """Implements the port VersionGate by the last look. `forced` are certificates that a person lets through; `clocks`
    are all that were heard of by now.
    """

    def __init__(
        self, page: Configuration, view: View, materials: Materials, forced: frozenset[Alias], clocks: Clocks
    ) -> None:
        self._specs: Mapping[Alias, CertSpec] = {spec.alias: spec for spec in page.certificates}
        self._view = view
        self._materials = materials
        self._forced = forced
        self._clocks = clocks

    def check(self, alias: Alias, stamp: int) -> None:
        """As the port's.

        Raises:
            WaitsForDns: some cache may hold records that the version does not match.
        """
        if alias in self._forced or alias not in self._specs:
            return
        chain = self._materials.version(alias, stamp)
        if not chain:
            return
        for seat in self._view.of(alias):
            bearer = next(item for item in seat.decision.place.bearers if item.alias == alias.text)
            if bearer.leaves and bearer.known_by.isdisjoint(seat.decision.age.lingering):
                # No cache holds a record that it was ever about.
                continue
            _check(alias, stamp, chain, bearer.live, seat, self._clocks)
        for seat in self._view.claimed_by(alias):
            _check(alias, stamp, chain, NOTHING_LIVE, seat, self._clocks)
        unread = self._view.unread.get(alias)
        if unread and self._specs[alias].tlsa is not None:
            raise WaitsForDns(f"version {stamp} is there and does not go live: {unread}")


def _check(alias: Alias, stamp: int, chain: tuple[bytes, ...], live: Face, seat: Seat, clocks: Clocks) -> None:
    place, types = seat.decision.place, {record.type for record in live.records}
    if live is NOTHING_LIVE:
        # Of the first certificate nothing has to be published before: only what caches may hold counts.
        place = replace(place, types=frozenset())
    face, age = chain_face(chain, types), seat.decision.age
    # A clock that jumped since the look ends no wait.
    found = fit(face, live, place, age, min(age.at, clocks.earliest))
    wrong = clock_hold(clocks)
    if wrong is not None and (place.types or age.lingering) and not changes_nothing(face, live, age):
        raise WaitsForDns(f"version {stamp} is there and does not go live yet: {wrong.reason}", hint=wrong.hint)
    if not found.open:
        until = f", until {iso(found.until)}" if found.until is not None else ""
        raise WaitsForDns(
            f"version {stamp} is there and does not go live yet: {seat.name}: {found.reason}{until}",
            hint=f"what it waits for: certkeeper tlsa status {alias}",
            retry_at=found.until,
        )
