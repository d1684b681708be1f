"""A world in which names are cached: name servers that lag, die and come back, caches, services, and a run that is
killed. Whatever a cache may still hold is compared with whatever is served, at every change of either.
"""

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from certkeeper.base.names import DnsName
from certkeeper.dane.age import TlsaAge
from certkeeper.dane.face import Face
from certkeeper.dane.facts import Answer, Bearer, Clocks, Place, Sight, Trust
from certkeeper.dane.rollover import Decision, Order, State, decide, key_to_order
from certkeeper.dane.tlsa import DANE_EE, SHA256, SHA512, SPKI, Tlsa, TlsaType

START = datetime(2027, 1, 1, tzinfo=UTC)
EE = TlsaType(DANE_EE, SPKI, SHA256)
EE512 = TlsaType(DANE_EE, SPKI, SHA512)
OWNER = DnsName("_25._tcp.mail.example.org")
CACHE_LEAST = timedelta(seconds=300)
Records = frozenset[Tlsa]


class Killed(Exception):
    """The run ended here."""


class Broken(AssertionError):
    """A cache may hold a set that what is served does not match."""


@cache
def face(key: str, types: frozenset[TlsaType]) -> Face:
    spki = key.encode()
    matches = frozenset(Tlsa.of(kind, spki) for kind in (EE, EE512, TlsaType(1, 1, 1)))
    return Face(
        hashlib.sha256(spki).hexdigest(), frozenset(r for r in matches if r.type in types), matches, certified=True
    )


@dataclass
class Server:
    """One authoritative address; `lag` is how long it takes to get a change."""

    lag: timedelta = timedelta()
    dead: bool = False
    frozen: bool = False
    records: Records = frozenset()
    ttl: int = 3600
    coming: list[tuple[datetime, Records, int]] = field(default_factory=list)


@dataclass
class Cached:
    """A set that a server served, and until when a cache may have it; None while it is served."""

    records: Records
    ttl: int
    ends: datetime | None = None


@dataclass
class Cert:
    """A certificate: keys by name, and what each of its endpoints serves."""

    alias: str
    endpoints: dict[str, str]
    live: str
    live_since: datetime
    due: datetime
    next: str | None = None
    staged: str | None = None
    former: list[str] = field(default_factory=list)
    made: int = 0


class World:
    """`habits` are the steps of a run; a mutant has others."""

    def __init__(
        self, seed: int, certs: int = 1, servers: int = 3, types: frozenset[TlsaType] = frozenset({EE})
    ) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a world, no key
        self.now = START
        self.types = types
        self.ttl = 3600
        self.servers = [Server(timedelta(seconds=self.random.choice([0, 5, 900, 7200]))) for _ in range(servers)]
        self.servers[0].lag = timedelta()
        self.caches: list[list[Cached]] = [[Cached(frozenset(), 3600)] for _ in self.servers]
        self.certs = [
            Cert(f"c{n}", {f"192.0.2.{n}:25": f"c{n}-0", f"[::{n}]:25": f"c{n}-0"}, f"c{n}-0", START, START)
            for n in range(certs)
        ]
        self.age: TlsaAge | None = None
        self.trust = Trust.SECURE
        self.rollover = True
        self.skew = timedelta()
        self.ca_fails = False
        self.broken: set[str] = set()
        self.budget = -1
        self.states: dict[str, State] = {}
        self.ways: set[tuple[State, State]] = set()
        self.rolls = 0
        self.looks = 0

    # What time does.

    def advance(self, span: timedelta) -> None:
        """Go on; every transfer that is due on the way happens at its time."""
        end = self.now + span
        while True:
            due = [
                (when, n)
                for n, s in enumerate(self.servers)
                if not s.frozen and not s.dead
                for when, *_ in s.coming[:1]
            ]
            when, number = min(due, default=(end, -1))
            if number < 0 or when > end:
                break
            self.now = max(self.now, when)
            server = self.servers[number]
            _, server.records, server.ttl = server.coming.pop(0)
            self.served(number)
        self.now = end

    def served(self, number: int) -> None:
        """A server serves something else now."""
        server, history = self.servers[number], self.caches[number]
        if (history[-1].records, history[-1].ttl) != (server.records, server.ttl):
            last = history[-1]
            last.ends = self.now + 2 * timedelta(seconds=last.ttl) + CACHE_LEAST
            history.append(Cached(server.records, server.ttl))
        self.caches[number] = [item for item in history if item.ends is None or item.ends >= self.now]
        self.compare()

    def compare(self) -> None:
        """The property: whatever a cache may hold matches whatever is served, for each combination by itself."""
        sets = {
            item.records for history in self.caches for item in history if item.ends is None or item.ends > self.now
        }
        shown = {key for cert in self.certs for key in cert.endpoints.values()}
        for records in sets:
            usable = [record for record in records if not record.unusable]
            for kind in {record.type for record in usable}:
                for key in shown:
                    if not any(record.type == kind and record in face(key, self.types).matches for record in usable):
                        raise Broken(f"{self.now}: {key} is served, and a cache may hold {sorted(map(str, records))}")

    # What a run does.

    def effect(self, act: Callable[[], None]) -> None:
        """One effect; a run may be killed before it and after it."""
        if self.budget == 0:
            raise Killed
        self.budget -= 1
        act()
        if self.budget == 0:
            raise Killed
        self.budget -= 1

    def change(self, add: Records, remove: Records, ttl: int | None = None) -> None:
        primary = self.servers[0]
        before = primary.coming[-1][1] if primary.coming else primary.records
        after = (before - remove) | add
        self.ttl = ttl or self.ttl
        if after == before and ttl is None:
            return
        for server in self.servers:
            server.coming.append((self.now + server.lag, after, self.ttl))
        self.advance(timedelta())

    def place(self) -> Place:
        return Place(
            OWNER,
            frozenset({OWNER}),
            self.types,
            tuple(
                Bearer(
                    cert.alias,
                    face(cert.live, self.types),
                    cert.live_since,
                    face(cert.next, self.types) if cert.next and self.rollover else None,
                    face(cert.staged, self.types) if cert.staged else None,
                    frozenset().union(*(face(key, frozenset({EE, EE512})).records for key in cert.former[-3:])),
                )
                for cert in self.certs
            ),
            tuple(
                Answer(
                    f"ns{n}",
                    None if s.dead else s.records,
                    s.ttl if s.records else 0,
                    self.now + timedelta(days=9),
                    any(when < self.now - timedelta(hours=1) for when, *_ in s.coming),
                )
                for n, s in enumerate(self.servers)
            ),
            self.trust,
            tuple(
                Sight(where, face(key, self.types).matches) for c in self.certs for where, key in c.endpoints.items()
            ),
            ttls=(3600,),
        )

    def look(self) -> Decision:
        self.looks += 1
        return decide(self.place(), self.age, Clocks(self.now + self.skew, (self.now,)))

    def run(self, judge: Callable[[Decision], Decision] = lambda decision: decision) -> Decision:
        """One run as the wiring is to do it: journal, change, key, order, stage, activate, deploy, next key."""
        decision = judge(self.look())
        for stage in decision.stages:
            before = self.states.get(stage.alias)
            if before is not None and before is not stage.state:
                self.ways.add((before, stage.state))
            self.states[stage.alias] = stage.state
        self.effect(lambda: setattr(self, "age", decision.age))
        if decision.add or decision.remove:
            self.effect(lambda: self.change(decision.add, decision.remove))
        for cert, stage in zip(self.certs, decision.stages, strict=True):
            self.renew(cert, key_to_order((stage,)), judge)
        return decision

    def renew(self, cert: Cert, order: Order, judge: Callable[[Decision], Decision]) -> None:
        if cert.staged is None and self.now >= cert.due and not self.ca_fails and order is not Order.NONE:
            key = cert.next if order is Order.NEXT and cert.next else cert.live
            self.effect(lambda: setattr(cert, "staged", key))
        if cert.staged is not None:
            again = judge(self.look()).stages[self.certs.index(cert)]
            if again.staged is not None and again.staged.open:
                self.effect(lambda: self.activate(cert))
        for where in cert.endpoints:
            if cert.endpoints[where] != cert.live and where not in self.broken:
                self.effect(lambda where=where: self.deploy(cert, where))  # type: ignore[misc]
        if self.rollover and cert.next is None:
            self.effect(lambda: self.make_next(cert))

    def activate(self, cert: Cert) -> None:
        staged = cert.staged or cert.live
        if staged != cert.live:
            cert.former.append(cert.live)
            cert.live_since = self.now
            self.rolls += 1
            cert.next = None
        cert.live, cert.staged = staged, None
        cert.due = self.now + timedelta(days=30)

    def deploy(self, cert: Cert, where: str) -> None:
        cert.endpoints[where] = cert.live
        self.compare()

    def make_next(self, cert: Cert) -> None:
        cert.made += 1
        cert.next = f"{cert.alias}-{cert.made}"

    def days(self, count: int, every: timedelta = timedelta(hours=12)) -> Iterator[datetime]:
        """One look after the other."""
        end = self.now + timedelta(days=count)
        while self.now < end:
            yield self.now
            self.advance(every)
