"""A look at all TLSA records of a page: what everybody serves, what services show, and what that comes to."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from certkeeper.apply.daneports import Materials, SecureLookup, TlsaLook, TlsaLookup
from certkeeper.apply.daneservices import DaneService
from certkeeper.apply.tlsa.bearers import (
    Bearing,
    bearing_of,
    known_after,
    served,
    unremembered,
    with_ours_of,
    without_ours,
)
from certkeeper.apply.tlsa.services import owner_of, services_of
from certkeeper.apply.tlsa.sights import Probe, contacts_at, contacts_of, shown
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import dataclass, field, replace
from certkeeper.config.settings import CertSpec, Configuration
from certkeeper.config.tlsa import Publish
from certkeeper.dane.age import seen_anywhere
from certkeeper.dane.facts import Bearer, Clocks, Place, Trust
from certkeeper.dane.gate import Stops
from certkeeper.dane.policy import Weight, object_to, use_of
from certkeeper.dane.rollover import Decision, decide
from certkeeper.dane.tlsa import TlsaType
from certkeeper.lineage.model import Lineage
from certkeeper.plan.records import KnownKey, Records, TlsaMemory, TurnKind
from certkeeper.service.handshake import Contact
from certkeeper.zone.behind import Behind, behind, frozen

_WORST_FIRST = (Trust.BOGUS, Trust.UNSIGNED, Trust.NO_DS, Trust.HIDDEN, Trust.CACHED, Trust.UNPROVEN, Trust.SECURE)


@dataclass(frozen=True, slots=True)
class World:
    """Through what is looked."""

    tlsa: TlsaLookup
    names: SecureLookup
    probe: Probe
    materials: Materials


@dataclass(frozen=True, slots=True)
class Seat:
    """A place with what is to be done there. `ttl` is in seconds; `manual`: a person publishes; `by` is the provider
    that its first certificate names. `trouble` is why nothing could be seen, empty where something was. `claims` are
    certificates that are to be behind it, and are not live yet.
    """

    decision: Decision
    memory: TlsaMemory
    ttl: int
    manual: bool
    by: str
    trouble: str = ""
    flaw: str = ""
    claims: frozenset[Alias] = frozenset()

    @property
    def name(self) -> DnsName:
        return self.decision.place.name

    @property
    def new_ttl(self) -> int | None:
        """What the TTL of records of ours that are there is to become; None where it stays, or was written already."""
        decision = self.decision
        ours = (seen_anywhere(decision.place) - decision.remove) & decision.age.ours
        shown = {answer.ttl for answer in decision.place.answers if answer.records}
        fixed = self.manual or not decision.place.types or any(hold.stops is Stops.CHANGES for hold in decision.holds)
        fixed = fixed or any(answer.expanded for answer in decision.place.answers)
        return None if fixed or not ours or self.ttl in shown else self.ttl

    @property
    def changes(self) -> bool:
        """Something is to be written."""
        return bool(self.decision.add or self.decision.remove or self.new_ttl is not None)

    @property
    def over(self) -> bool:
        """Nothing is wanted, nothing is there, and no cache holds anything of ours."""
        return not (self.decision.place.types or self.memory.age.ours or self.trouble or self.claims)


@dataclass(frozen=True, slots=True)
class View:
    """All places of a page, by name. `unread` are certificates that could not be read, and why. `passed_over` says
    which types are left out where, and why.
    """

    seats: Mapping[DnsName, Seat] = field(default_factory=dict)
    unread: Mapping[Alias, str] = field(default_factory=dict)
    passed_over: tuple[str, ...] = ()

    def of(self, alias: Alias) -> Iterator[Seat]:
        """The places that a certificate is behind."""
        for seat in self.seats.values():
            if any(bearer.alias == alias.text for bearer in seat.decision.place.bearers):
                yield seat

    def claimed_by(self, alias: Alias) -> Iterator[Seat]:
        """The places that a certificate is to be behind, and that it is not yet, since it is not live."""
        return (seat for seat in self.seats.values() if alias in seat.claims)


@dataclass(slots=True)
class _Spot:
    """What leads to one place. `named` are the owners that a page names."""

    looks: list[TlsaLook] = field(default_factory=list)
    bearings: dict[Alias, set[TlsaType]] = field(default_factory=dict)
    contacts: dict[Contact, None] = field(default_factory=dict)
    hidden: dict[str, None] = field(default_factory=dict)
    named: set[DnsName] = field(default_factory=set)


class Watch:
    """The certificates of a page, and all that is remembered of places."""

    def __init__(self, page: Configuration, records: Records, lineages: Mapping[Alias, Lineage], world: World) -> None:
        self._page = page
        self._records = records
        self._lineages = lineages
        self._world = world
        self._passed: list[str] = []

    def look(self, clocks: Clocks) -> View:
        """Look at all of it once."""
        known = {item.alias for memory in self._records.tlsa.values() for item in memory.known}
        # A rehearsal's certificate is in no service, whatever its alias was behind before.
        specs = [spec for spec in self._page.certificates if spec.tlsa is not None or spec.entry in known]
        services = services_of(specs, self._page.settings, self._world.names)
        leads = [(spec, service) for spec in specs for service in services[spec.alias]]
        remembered = {owner for memory in self._records.tlsa.values() for owner in memory.age.owners}
        owners = dict.fromkeys([*(owner_of(service).name for _, service in leads), *sorted(remembered)])
        looks = self._world.tlsa.look(tuple(owners), clocks.here)
        bearings, unread = self._bearings(specs)
        spots = self._spots(leads, looks)
        seats = {name: self._seat(name, spot, bearings, clocks) for name, spot in spots.items()}
        return View(seats, unread, tuple(dict.fromkeys(self._passed)))

    def _bearings(self, specs: Sequence[CertSpec]) -> tuple[Mapping[Alias, Bearing], Mapping[Alias, str]]:
        found, unread = {}, {}
        for spec in specs:
            try:
                bearing = bearing_of(spec, self._lineages[spec.alias], self._records, self._world.materials)
            except (CertkeeperError, ValueError) as error:
                unread[spec.alias] = str(error)
                continue
            if bearing is not None:
                found[spec.alias] = bearing
        return found, unread

    def _spots(
        self, leads: Sequence[tuple[CertSpec, DaneService]], looks: Mapping[DnsName, TlsaLook]
    ) -> dict[DnsName, _Spot]:
        spots: dict[DnsName, _Spot] = {}
        for look in looks.values():
            spots.setdefault(look.place, _Spot()).looks.append(look)
        for spec, service in leads:
            owner = owner_of(service)
            spot = spots[looks[owner.name].place]
            spot.bearings.setdefault(spec.alias, set()).update(self._types(spec, owner.port, str(owner)))
            if not service.addresses:
                spot.hidden[f"{owner.host}, which has no address,"] = None
            spot.named.add(owner.name)
            spot.contacts.update((contact, None) for contact in contacts_at(service, owner.name))
        for memory in self._records.tlsa.values():
            spot = spots.setdefault(memory.place, _Spot())
            for item in memory.known:
                if item.alias in self._lineages:
                    spot.bearings.setdefault(item.alias, set())
        return spots

    def _types(self, spec: CertSpec, port: int, owner: str) -> Iterator[TlsaType]:
        if spec.tlsa is None or self._retires(spec.entry):
            return
        objections = object_to(spec.tlsa.types, use_of(port), renewed=True)
        refused = {item.type for item in objections if item.weight is Weight.REFUSED}
        for item in objections:
            what = "is left out" if item.type in refused else "should not be used"
            self._passed.append(f"{owner}: {item.type} {what}: {item.reason}; {item.hint}")
        yield from (kind for kind in spec.tlsa.types if kind not in refused)

    def _seat(self, name: DnsName, spot: _Spot, bearings: Mapping[Alias, Bearing], clocks: Clocks) -> Seat:
        memory = self._records.tlsa.get(name)
        looks, slow = _with_frozen(spot.looks, memory, clocks.here)
        mine = {alias: bearings[alias] for alias in spot.bearings if alias in bearings}
        lost = self._lost(memory, mine)
        relied = without_ours(memory) if memory is not None and lost else memory
        wishes = [spec.tlsa for spec in self._page.certificates if spec.alias in mine and spec.tlsa is not None]
        ttl = min((wish.ttl for wish in wishes), default=0)
        bearers = tuple(mine[alias].bearer(spot.bearings[alias], relied, clocks.here) for alias in mine)
        place = self._place(name, looks, bearers, frozenset[TlsaType]().union(*(spot.bearings[a] for a in mine)), ttl)
        if memory is not None:
            place = replace(place, unremembered=unremembered(place, memory.age, self._world.materials))
        before = relied.age if relied is not None else None
        decision = decide(place, before, clocks)
        if decision.add or decision.kept:
            # Only now it matters what services show.
            place = self._seen(place, spot, mine, relied, clocks.here)
            decision = decide(place, before, clocks)
        decision = replace(decision, notes=(*decision.notes, *_served_still(place, spot)))
        age, known = decision.age, known_after(place.bearers, decision.age)
        if memory is not None and lost:
            age = with_ours_of(memory, age)
            if age.ours != decision.age.ours:
                known += lost
                decision = replace(decision, notes=(*decision.notes, *(_stays(item.alias) for item in lost)))
        zone = next((look.zone for look in looks if look.zone is not None), None)
        after = TlsaMemory(name, zone or (memory.zone if memory is not None else name), age, known, slow)
        return Seat(
            decision,
            after,
            ttl or max((answer.ttl for answer in place.answers), default=0),
            manual=any(wish.publish is Publish.MANUAL for wish in wishes),
            by=next((spec.provider for spec in self._page.certificates if spec.alias in mine and spec.provider), ""),
            trouble=next((look.trouble for look in looks if look.trouble), ""),
            flaw=next((look.flaw for look in looks if look.flaw), ""),
            claims=frozenset(alias for alias, types in spot.bearings.items() if types and alias not in mine),
        )

    def _place(
        self,
        name: DnsName,
        looks: Sequence[TlsaLook],
        bearers: tuple[Bearer, ...],
        types: frozenset[TlsaType],
        ttl: int,
    ) -> Place:
        ttls = (*(one for look in looks for one in look.ttls), *([ttl] if ttl else []))
        return Place(
            name,
            frozenset(look.owner for look in looks),
            types,
            bearers,
            looks[0].answers if looks else (),
            min((look.trust for look in looks), key=_WORST_FIRST.index, default=Trust.UNPROVEN),
            ttls=tuple(dict.fromkeys(ttls)) or (0,),
            margin=self._page.settings.tlsa_margin,
            zone=next((look.zone for look in looks), None),
        )

    def _seen(
        self, place: Place, spot: _Spot, mine: Mapping[Alias, Bearing], memory: TlsaMemory | None, now: datetime
    ) -> Place:
        """The same with what services show. A certificate that one of them shows needs its records, whatever its page
        says, as long as those of others are there.
        """
        contacts = dict(spot.contacts)
        if place.types and any(bearer.leaves for bearer in place.bearers):
            contacts |= dict.fromkeys(contacts_of(place.owners - spot.named, self._world.names))
        sights = tuple(shown(tuple(contacts), tuple(spot.hidden), self._world.probe))
        bearers = tuple(
            mine[Alias(bearer.alias)].bearer(place.types, memory, now)
            if bearer.leaves and place.types and served(bearer, sights)
            else bearer
            for bearer in place.bearers
        )
        return replace(place, sights=sights, bearers=bearers)

    def _lost(self, memory: TlsaMemory | None, seen: Collection[Alias]) -> tuple[KnownKey, ...]:
        """Those that were behind the place and of which nothing is known now. A service may well show them still."""
        return tuple(
            item
            for item in (memory.known if memory is not None else ())
            if item.alias not in seen and not self._retires(item.alias)
        )

    def _retires(self, entry: Alias) -> bool:
        turn = self._records.turns.get(entry)
        return turn is not None and turn.kind is TurnKind.RETIRE


def _stays(alias: Alias) -> str:
    return (
        f"{alias} is not in domains.txt, or its certificate cannot be read, so nothing is taken away: "
        f"put it back into domains.txt, or end its records with: certkeeper tlsa retire {alias}"
    )


def _served_still(place: Place, spot: _Spot) -> Iterator[str]:
    for bearer in place.bearers:
        if place.types and not bearer.leaves and not spot.bearings[Alias(bearer.alias)]:
            yield f"{bearer.alias} wants no records, and is served here: they stay until no service shows it any more"


def _with_frozen(
    looks: Sequence[TlsaLook], memory: TlsaMemory | None, now: datetime
) -> tuple[list[TlsaLook], Mapping[str, Behind]]:
    """The same, knowing which servers no transfer reaches any more; and what is to be remembered of them."""
    seen = tuple({soa.server: soa for look in looks for soa in look.soas}.values())
    slow = behind(memory.behind if memory is not None else {}, seen, now)
    stuck = frozen(slow, seen, now)
    return [look.with_frozen(stuck) for look in looks], slow
