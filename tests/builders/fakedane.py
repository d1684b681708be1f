"""DANE's view of a world in memory: TLSA records at every name server, hosts with addresses, services that show chains.

Whatever a cache may still hold is compared with whatever a service shows, at every instant there ever was.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from builders.dnsworld import DnsWorld
from builders.fakes import FakeClock
from certkeeper.apply.daneports import Resolved, TlsaLook
from certkeeper.base.names import DnsName
from certkeeper.dane.face import chain_face
from certkeeper.dane.facts import Answer, Trust
from certkeeper.dane.tlsa import Tlsa
from certkeeper.service.handshake import Contact, Handshake, KeyFamily, Look, Trouble, Unseen
from certkeeper.zone.behind import ServedSoa
from certkeeper.zone.propagation import Server

CACHE_LEAST = 300.0
"""Seconds that caches keep anything, whatever its TTL."""
CACHES = 2
"""How many caches may stand behind each other."""
REFRESH, RETRY = 3600, 600
_SIGNED = timedelta(days=9)
Records = frozenset[Tlsa]
Chain = tuple[bytes, ...]


class Broken(AssertionError):
    """A cache may hold a set that what was served then does not match."""


@cache
def matches(chain: Chain) -> Records:
    return chain_face(chain, ()).matches


class CachedDns(DnsWorld):
    """Name servers that transfers stop reaching for a while, or that say nothing; and what caches have of them."""

    def __init__(self, clock: FakeClock, *rest: object) -> None:
        super().__init__(clock, *rest)  # type: ignore[arg-type]
        self.stopped: list[tuple[Server, float, float]] = []

    def stop(self, server: Server, seconds: float) -> None:
        """From now on for that long it gets nothing new."""
        now = self._clock.monotonic()
        self.stopped.append((server, now, now + seconds))

    def _index(self, server: Server, zone: DnsName, at: float | None = None) -> int:
        at = self._clock.monotonic() if at is None else at
        moment = at - self.servers[server].lag
        for stopped, start, end in self.stopped:
            if stopped == server and start <= at < end:
                moment = min(moment, start)
        history = self._zones[zone].history
        return next(index for index in reversed(range(len(history))) if history[index][0] <= moment)

    def tlsa(self, server: Server, owner: DnsName, at: float | None = None) -> tuple[Records, int]:
        """The records at a server, and their TTL."""
        zone = self.zones([owner])[owner]
        rrset = self._zones[zone.name].history[self._index(server, zone.name, at)][1].get((owner, "TLSA"))
        return (frozenset(map(Tlsa.parse, rrset.rdata)), rrset.ttl) if rrset is not None else (frozenset(), 0)

    def cached(self, owner: DnsName) -> Iterator[tuple[float, float, Records]]:
        """Every set that some cache could hold, from when on and until when."""
        zone = self.zones([owner])[owner]
        changes = [at for at, _ in self._zones[zone.name].history[1:]]
        for server, state in self.servers.items():
            ends = [end for stopped, *both in self.stopped if stopped == server for end in both]
            times = sorted({0.0, *(at + state.lag for at in changes), *ends})
            for at, until in zip(times, [*times[1:], float("inf")], strict=True):
                records, ttl = self.tlsa(server, owner, at)
                if records:
                    yield at, until + CACHES * ttl + CACHE_LEAST, records


@dataclass
class Hosts:
    """Services by address, and every chain that each of them ever showed, with the time. Implements SecureLookup."""

    clock: FakeClock
    addresses: Mapping[DnsName, Mapping[str, str]]
    shown: dict[str, list[tuple[float, Chain]]] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    probed: int = 0

    def serve(self, address: str, chain: Chain) -> None:
        log = self.shown.setdefault(address, [])
        if not log or log[-1][1] != chain:
            log.append((self.clock.monotonic(), chain))

    def resolve(self, questions: Collection[tuple[DnsName, str]]) -> Mapping[tuple[DnsName, str], Resolved]:
        return {question: self._resolved(*question) for question in questions}

    def _resolved(self, name: DnsName, type_: str) -> Resolved:
        text = self.addresses.get(name, {}).get(type_)
        return Resolved((text,) if text else (), Trust.SECURE)

    def probe(self, contacts: Sequence[Contact]) -> tuple[Look, ...]:
        self.probed += 1
        return tuple(self._look(contact) for contact in contacts)

    def _look(self, contact: Contact) -> Look:
        address = contact.endpoint.host
        log = self.shown.get(address)
        if not log or address in self.down:
            return Unseen(contact, address, Trouble.UNREACHABLE, "nobody listens")
        if contact.family is KeyFamily.RSA:
            return Unseen(contact, address, Trouble.NO_SUCH_KEY, "no RSA key")
        return Handshake(contact, address, log[-1][1], "TLSv1.3")


@dataclass
class ServedTlsa:
    """Implements TlsaLookup over the name servers of a world. `aliases` are owners that are CNAMEs."""

    dns: CachedDns
    trust: Trust = Trust.SECURE
    negative_ttl: int = 3600
    aliases: dict[DnsName, DnsName] = field(default_factory=dict)

    def look(self, owners: Collection[DnsName], now: datetime) -> Mapping[DnsName, TlsaLook]:
        return {owner: self._look(owner, self.aliases.get(owner, owner), now) for owner in owners}

    def _look(self, owner: DnsName, place: DnsName, now: datetime) -> TlsaLook:
        zone = self.dns.zones([place])[place].name
        answers, soas = [], []
        for server, state in self.dns.servers.items():
            if state.silent:
                answers.append(Answer(str(server), None))
                continue
            records, ttl = self.dns.tlsa(server, place)
            answers.append(Answer(str(server), records, ttl, now + _SIGNED))
            soas.append(ServedSoa(str(server), self.dns.serial(server, zone), REFRESH, RETRY))
        return TlsaLook(owner, place, zone, tuple(answers), self.trust, (self.negative_ttl,), tuple(soas))


def assert_never_wrong(dns: CachedDns, hosts: Hosts, owners: Mapping[DnsName, Collection[str]]) -> None:
    """At every instant, each set that a cache could hold had, for each of its types, a record of what was shown.

    Raises:
        Broken: it was not so.
    """
    for owner, addresses in owners.items():
        held = list(dns.cached(owner))
        for address in addresses:
            log = hosts.shown.get(address, [])
            ends = [at for at, _ in log[1:]] + [float("inf")]
            for (start, chain), end in zip(log, ends, strict=True):
                for at, until, records in held:
                    if at < end and start < until:
                        _compare(address, chain, records, max(at, start))


def _compare(address: str, chain: Chain, records: Records, at: float) -> None:
    usable = [record for record in records if not record.unusable]
    for kind in {record.type for record in usable}:
        if not any(record.type == kind and record in matches(chain) for record in usable):
            raise Broken(f"after {at:.1f} s {address} shows a key that a cached {kind} set does not have")
