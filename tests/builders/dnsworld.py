"""DNS in memory: a provider with an API, and name servers that serve its zones at once, late, never, or not at all."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from builders.fakes import FakeClock
from builders.plans import PROVIDER, zones_of
from certkeeper.base.errors import CertkeeperError, OutOfDescriptors
from certkeeper.base.names import DnsName
from certkeeper.base.wire import TransportError
from certkeeper.zone.apex import Cut, ZoneError
from certkeeper.zone.changes import ChangeSet, Key, fold
from certkeeper.zone.propagation import Answer, NotServing, Question, Server, ServerSet
from certkeeper.zone.rrset import RRset, Zone, txt_rdata

NEVER = float("inf")
Contents = dict[Key, RRset]
PRIMARY = Server("ns1.test", "192.0.2.1")
SECONDARY = Server("ns2.test", "192.0.2.2")


@dataclass(slots=True)
class NameServer:
    """Serves what the primary had `lag` seconds ago; NEVER: the zone as it was at the start. `silent`: no answer.

    `says` is a serial that it shows whatever it has. `signed` servers send signatures along, `bogus` says what is
    wrong with these. `notes` are what it has to say about its ways. `error` is what it answers with until `loads_at`.
    """

    lag: float = 0.0
    silent: bool = False
    asked: int = 0
    says: int | None = None
    signed: bool = False
    bogus: str = ""
    notes: tuple[str, ...] = ()
    error: str = ""
    loads_at: float = NEVER


@dataclass(frozen=True, slots=True)
class Done:
    """A change that went through."""

    zone: str
    at: float
    changes: ChangeSet

    @property
    def publishes(self) -> bool:
        return any(change.add for change in self.changes.changes)


@dataclass(slots=True)
class _Held:
    zone: Zone
    history: list[tuple[float, Contents]] = field(default_factory=lambda: [(-NEVER, {})])


class DnsWorld:
    """Implements the ports Dns and Nameservers.

    `refused` are zones whose changes fail, `lost` counts the answers to changes that get lost after they were
    applied, `hidden` are zones whose name servers cannot be found, `mute` those that cannot be notified of, `slow`
    lets servers of one zone lag differently.
    """

    def __init__(self, clock: FakeClock, zones: Collection[Zone], servers: Mapping[Server, NameServer]) -> None:
        self._clock = clock
        self._zones = {zone.name: _Held(zone) for zone in zones}
        self.servers = dict(servers)
        self.refused: dict[str, CertkeeperError] = {}
        self.lost: dict[str, int] = {}
        self.starved: dict[str, int] = {}
        self.hidden: set[str] = set()
        self.mute: set[str] = set()
        self.slow: dict[tuple[str, Server], float] = {}
        self.aliased: dict[DnsName, DnsName] = {}
        self.cut: dict[DnsName, Cut] = {}
        self.unheard: set[DnsName] = set()
        self.tried: list[tuple[str, ChangeSet]] = []
        self.done: list[Done] = []
        self.notified: list[str] = []

    def describe(self) -> str:
        return PROVIDER

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        return zones_of(owners, [held.zone for held in self._zones.values()])

    def aliases(self, names: Mapping[Zone, Collection[DnsName]] | Collection[DnsName]) -> Mapping[DnsName, Any]:
        """`aliased` are the CNAMEs, of zones that are held here and of others; `cut` are names below NS records."""
        asked = [name for each in names.values() for name in each] if isinstance(names, Mapping) else names
        known = {**self.aliased, **self.cut}
        return {name: known[name] for name in asked if name in known}

    def alias_or_none(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName | None]:
        """Of `unheard` names nothing is known."""
        return {name: self.aliased.get(name) for name in names if name not in self.unheard}

    def change(self, zone: Zone, changes: ChangeSet) -> None:
        self.tried.append((zone.name.text, changes))
        if zone.name.text in self.refused:
            raise self.refused[zone.name.text]
        if self.starved.get(zone.name.text, 0) > 0:
            self.starved[zone.name.text] -= 1
            raise OutOfDescriptors(PROVIDER)
        held = self._zones[zone.name]
        current = dict(held.history[-1][1])
        for rrset in fold(changes, current):
            current[rrset.owner, rrset.type] = rrset
        held.history.append((self._clock.monotonic(), {key: item for key, item in current.items() if item.rdata}))
        self.done.append(Done(zone.name.text, self._clock.monotonic(), changes))
        if self.lost.get(zone.name.text, 0) > 0:
            self.lost[zone.name.text] -= 1
            raise TransportError(f"{PROVIDER}: connection reset")

    def notify(self, zone: Zone) -> None:
        if zone.name.text in self.mute:
            raise ZoneError(f"{zone.name}: HTTP 500")
        self.notified.append(zone.name.text)

    def of(self, zone: DnsName) -> ServerSet:
        if zone.text in self.hidden:
            raise ZoneError(f"zone {zone}: this host's resolver does not find its name servers")
        return ServerSet(tuple(self.servers))

    def ask(self, server: Server, question: Question, now: datetime) -> Answer:
        assert now == self._clock.now()
        state = self.servers[server]
        state.asked += 1
        if state.silent:
            raise TransportError(f"{server}: timed out")
        if state.error and self._clock.monotonic() < state.loads_at:
            raise NotServing(state.error)
        served = {owner: self.served(server, owner) for owner in question.wanted}
        whole = [owner for owner, values in question.wanted.items() if values <= served[owner]]
        return Answer(
            served,
            self.serial(server, question.zone) if state.says is None else state.says,
            bogus=dict.fromkeys(whole, state.bogus) if state.bogus else {},
            unsigned=frozenset() if state.signed else frozenset(whole),
            signed=state.signed,
            over=("udp", "tcp"),
            notes=state.notes,
        )

    def ask_resolver(self, resolver: Server, question: Question) -> Answer:
        """A resolver sees what the server of its name and address does."""
        return self.ask(resolver, question, self._clock.now())

    def serial(self, server: Server, zone: DnsName) -> int:
        """How many changes the server has heard of, and one."""
        return self._index(server, zone) + 1

    def _index(self, server: Server, zone: DnsName) -> int:
        lag = self.slow.get((zone.text, server), self.servers[server].lag)
        moment = self._clock.monotonic() - lag
        history = self._zones[zone].history
        return next(at for at in reversed(range(len(history))) if history[at][0] <= moment)

    def served(self, server: Server, owner: DnsName) -> frozenset[str]:
        """The TXT values that a server has for this owner now."""
        zone = zones_of([owner], [held.zone for held in self._zones.values()]).get(owner)
        if zone is None:
            return frozenset()
        contents = self._zones[zone.name].history[self._index(server, zone.name)][1]
        rrset = contents.get((owner, "TXT"))
        return frozenset(item.strip('"') for item in rrset.rdata) if rrset else frozenset()

    def look(self, owner: DnsName) -> list[frozenset[str]]:
        """What a CA may see: the answer of every server that answers."""
        return [self.served(server, owner) for server, state in self.servers.items() if not state.silent]

    def put(self, owner: str, values: Iterable[str], ttl: int = 3600) -> None:
        """Somebody else's records, on all servers from the start."""
        name = DnsName(owner)
        zone = self.zones([name])[name]
        rdata = frozenset(txt_rdata(value) for value in values)
        for _, contents in self._zones[zone.name].history:
            contents[name, "TXT"] = RRset(name, "TXT", ttl, rdata)

    def txt(self) -> dict[str, set[str]]:
        """All TXT values at the primary now, by owner."""
        found: dict[str, set[str]] = {}
        for held in self._zones.values():
            for (owner, type_), rrset in held.history[-1][1].items():
                if type_ == "TXT":
                    found[owner.text] = {item.strip('"') for item in rrset.rdata}
        return found

    def counts(self) -> dict[str, tuple[int, int]]:
        """Per zone: how many changes published, and how many withdrew."""
        found: dict[str, tuple[int, int]] = {}
        for item in self.done:
            published, withdrawn = found.get(item.zone, (0, 0))
            found[item.zone] = (published + item.publishes, withdrawn + (not item.publishes))
        return found
