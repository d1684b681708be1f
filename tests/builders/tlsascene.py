"""A host with a service, its keys, and the name servers of its zone, for looks at places of TLSA records."""

import ssl
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from builders.certificates import Wish, fullchain, new_key
from builders.fakedane import Hosts
from builders.fakelooks import FakeTlsaLookup, tlsa_look
from builders.fakes import FakeClock
from builders.plans import configuration, spec
from certkeeper.adapters.keys import public_key_of
from certkeeper.apply.daneports import Material
from certkeeper.apply.tlsa.gating import VersionsGate
from certkeeper.apply.tlsa.view import Seat, View, Watch, World
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.base.value import replace
from certkeeper.config.settings import CertSpec
from certkeeper.config.tlsa import Publish, TlsaWish
from certkeeper.dane.age import LIVES
from certkeeper.dane.facts import MARGIN, Clocks
from certkeeper.dane.owner import TlsaOwner
from certkeeper.dane.tlsa import Tlsa, TlsaType
from certkeeper.lineage.model import Lineage
from certkeeper.lineage.pem import certificates
from certkeeper.plan.records import Records, TlsaMemory

EE = TlsaType(3, 1, 1)
MAIL, MX = Alias("mail.example.org"), Alias("mx.example.org")
OWNER = TlsaOwner.parse("mail.example.org:25")
PLACE = OWNER.name
SAFE = LIVES * timedelta(hours=1) + MARGIN
FOREIGN = Tlsa(3, 1, 1, b"f" * 32)
KEYS = [new_key() for _ in range(5)]


def spki(key: KeyPair) -> bytes:
    return public_key_of(key.pem, "a test's")


def record(key: KeyPair) -> Tlsa:
    return Tlsa.of(EE, spki(key))


def chain(key: KeyPair, name: str = "mail.example.org") -> tuple[bytes, ...]:
    pem = fullchain(key, Wish(identifiers=(Identifier.parse(name),)))
    return tuple(ssl.PEM_cert_to_DER_cert(block.decode()) for block in certificates(pem))


CHAINS = [chain(key) for key in KEYS]
SIBLINGS: dict[str, tuple[bytes, ...]] = {}


@dataclass
class Cabinet:
    """Implements Materials: which key is live, which one comes next, and versions by their stamps."""

    live: dict[Alias, int] = field(default_factory=dict)
    following: dict[Alias, int] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    torn: set[Alias] = field(default_factory=set)
    earlier: dict[Alias, tuple[int, ...]] = field(default_factory=dict)
    unreadable: CertkeeperError | None = None

    def of(self, alias: Alias, _: Lineage) -> Material | None:
        if alias in self.torn:
            return Material((b"no certificate",))
        if alias not in self.live:
            return None
        coming = self.following.get(alias)
        return Material(CHAINS[self.live[alias]], spki(KEYS[coming]) if coming is not None else None)

    def key_ids(self, alias: Alias) -> frozenset[str]:
        return frozenset(sha256(spki(KEYS[number])).hexdigest() for number in self.earlier.get(alias, ()))

    def issuers(self, paths: Collection[str]) -> tuple[bytes, ...]:
        if self.unreadable is not None:
            raise self.unreadable
        return tuple(der for path in paths for der in SIBLINGS[path])

    def version(self, _: Alias, stamp: int) -> tuple[bytes, ...] | None:
        return CHAINS[self.versions[stamp]] if stamp in self.versions else None


class Scene:
    """A host with a service, and the name servers of its zone."""

    def __init__(self, *specs: CertSpec) -> None:
        self.specs = specs or (wanting("mail.example.org"),)
        self.clock = FakeClock()
        self.hosts = Hosts(self.clock, {OWNER.host: {"A": "192.0.2.1", "AAAA": "2001:db8::1"}})
        self.tlsa = FakeTlsaLookup()
        self.cabinet = Cabinet({MAIL: 0}, {MAIL: 1})
        self.records = Records()
        self.heard: tuple[timedelta, ...] = ()
        for address in ("192.0.2.1", "2001:db8::1"):
            self.hosts.serve(address, CHAINS[0])

    def publish(self, *found: Tlsa, owner: DnsName = PLACE, place: DnsName | None = None) -> None:
        self.tlsa.looks[owner] = tlsa_look(owner, found, place=place)

    def look(self, *, after: timedelta = timedelta(), remember: bool = True) -> View:
        self.clock.advance(after.total_seconds())
        world = World(self.tlsa, self.hosts, self.hosts.probe, self.cabinet)
        lineages = {item.alias: Lineage(item.alias, stamp=1) for item in self.specs}
        view = Watch(configuration(*self.specs), self.records, lineages, world).look(self.clocks)
        if remember:
            self.records = replace(self.records, tlsa={name: seat.memory for name, seat in view.seats.items()})
        return view

    def seat(self, *, after: timedelta = timedelta(), place: DnsName = PLACE) -> Seat:
        return self.look(after=after).seats[place]

    @property
    def clocks(self) -> Clocks:
        now = self.clock.now()
        return Clocks(now, tuple(now + apart for apart in self.heard))

    def gate(self, view: View, *forced: Alias) -> VersionsGate:
        return VersionsGate(configuration(*self.specs), view, self.cabinet, frozenset(forced), self.clocks)

    @property
    def memory(self) -> TlsaMemory:
        return self.records.tlsa[PLACE]


def wanting(*names: str, owners: tuple[TlsaOwner, ...] = (OWNER,), publish: Publish = Publish.ZONE) -> CertSpec:
    return replace(spec(*names), tlsa=TlsaWish(derived=False, owners=owners, publish=publish))
