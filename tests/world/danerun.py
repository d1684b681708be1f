"""Whole runs of a page with TLSA records, through the wiring of the command: plan, gate, order, deploy, publish."""

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Self

from builders.dnsworld import PRIMARY, SECONDARY, NameServer
from builders.fakedane import CachedDns, Hosts, ServedTlsa, assert_never_wrong
from builders.fakejournal import FakeJournal
from builders.fakes import FakeClock, SeededExecutor, through
from builders.fakestaples import FakeStaples
from builders.fakestore import FakeStore
from builders.plans import spec, zone
from certkeeper.adapters.heard import HeardClocks
from certkeeper.apply.locate import locate
from certkeeper.apply.observe import Offers, lineages_of, observe
from certkeeper.apply.ports import Ports
from certkeeper.apply.reconcile import Reconciler
from certkeeper.apply.result import Result
from certkeeper.apply.tlsa.publishing import Publishing
from certkeeper.apply.tlsa.view import View, World
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import replace
from certkeeper.cli.compose.danewatch import DaneWatch
from certkeeper.cli.danephase import DanePhase, published
from certkeeper.cli.planning import planned
from certkeeper.cli.saying import Saying
from certkeeper.config.secret import Secret
from certkeeper.config.settings import CertSpec, Configuration, PowerDnsSettings, Provider, Settings
from certkeeper.config.tlsa import TlsaWish
from certkeeper.dane.owner import TlsaOwner, Transport
from certkeeper.dane.tlsa import TlsaType
from certkeeper.lineage.model import Lineage
from certkeeper.plan.history import Happening, Kind
from certkeeper.plan.observed import Wanted, Zones
from certkeeper.plan.records import Record, Records
from certkeeper.plan.tlsastands import TlsaStands
from certkeeper.zone.propagation import Server
from world.kills import Killed, MortalExecutor, plainly
from world.simulation import Simulation

PROVIDER = "PowerDNS"
ROLLING = KeySpec(KeyAlgorithm.P256, policy=KeyPolicy.ROLLOVER)
EE = TlsaType(3, 1, 1)
HOST = DnsName("mail.example.org")
PLACE = TlsaOwner(25, Transport.TCP, HOST)
LATE = {PRIMARY: NameServer(), SECONDARY: NameServer(lag=900.0), Server("ns3.test", "192.0.2.3"): NameServer(lag=2.0)}
DAY = 86400.0


def mailed(
    *names: str, ports: Sequence[int] = (25,), host: DnsName = HOST, types: Sequence[TlsaType] = (EE,)
) -> CertSpec:
    """A certificate with TLSA records at ports of a host."""
    owners = tuple(TlsaOwner(port, Transport.TCP, host) for port in ports)
    wish = TlsaWish(derived=False, owners=owners, types=tuple(types))
    return replace(spec(*names, key=ROLLING), tlsa=wish, provider=PROVIDER)


@dataclass
class Mortal:
    """The journal as commands write to it; the run is killed around one of their writes."""

    journal: FakeJournal
    moment: int = -1

    def prepare(self) -> None:
        self.journal.prepare()

    def records(self) -> Records:
        return self.journal.records()

    def write(self, put: Sequence[Record], drop: Sequence[Record]) -> None:
        if self.moment == 0:
            raise Killed
        self.journal.write(put, drop)
        if self.moment == 1:
            raise Killed
        self.moment -= 2


@dataclass(frozen=True)
class Dane:
    tlsa: ServedTlsa
    resolving: Hosts


class Watched(DaneWatch):
    """That of the command, which shakes hands with hosts in memory."""

    def __init__(self, machine: "Machine") -> None:
        super().__init__(machine)  # type: ignore[arg-type]
        self._world = World(machine.tlsa, machine.hosts, machine.hosts.probe, self._materials)
        self.stands = machine.stands  # type: ignore[assignment]


@dataclass
class Stands:
    """Where the last run left TLSA records, in memory."""

    last: TlsaStands | None = None

    def read(self) -> TlsaStands | None:
        return self.last

    def write(self, stands: TlsaStands) -> None:
        self.last = stands


@dataclass
class Machine:
    """What cli/planning.py and cli/danephase.py ask of a machine, in a simulated world."""

    sim: Simulation
    hosts: Hosts
    tlsa: ServedTlsa
    moment: int = -1
    make: Callable[["Machine"], DaneWatch] = Watched
    journal: Mortal | FakeJournal = field(default_factory=FakeJournal)
    steps: int = 0
    heard: HeardClocks = field(default_factory=HeardClocks)
    stands: Stands = field(default_factory=Stands)
    past: list[Happening] = field(default_factory=list)

    @property
    def history(self) -> Self:
        return self

    def newest(self) -> Iterator[Happening]:
        return reversed(self.past)

    def happened(self, kind: Kind, certificates: Iterable[object], text: str, *, about: str, hint: str) -> None:
        names = tuple(map(str, certificates))
        self.past.append(Happening(self.clock.now(), kind, names, text, about, hint))

    @property
    def configuration(self) -> Configuration:
        return self.sim.configuration

    @property
    def settings(self) -> Settings:
        return self.sim.configuration.settings

    @property
    def clock(self) -> FakeClock:
        return self.sim.clock

    @property
    def store(self) -> FakeStore:
        return self.sim.store

    @cached_property
    def staples(self) -> FakeStaples:
        return FakeStaples(self.sim.store)

    @cached_property
    def dane_watch(self) -> DaneWatch:
        return self.make(self)

    def dane(self) -> Dane:
        return Dane(self.tlsa, self.hosts)

    def lineages(self) -> Mapping[Alias, Lineage]:
        return lineages_of(self.configuration, self.sim.store)

    def locate(self, wanted: Mapping[str, Wanted]) -> Mapping[str, Zones]:
        return locate(wanted, self.settings, self.sim.ports.dns, self.sim.dns)

    def offers(self, _: Collection[CertSpec]) -> Offers:
        return Offers()

    def ports(self) -> Ports:
        watch = self.dane_watch
        return replace(self.sim.ports, gate=watch, tlsa=watch.tlsa)

    def carry(self, task: Callable[[SeededExecutor], Publishing]) -> Mapping[DnsName, CertkeeperError]:
        perform = through(self.ports())
        if self.moment < 0:
            executor = SeededExecutor(perform, self.sim.clock)
        else:
            executor = MortalExecutor(perform, self.sim.clock, 0, self.moment, plainly())
        found = task(executor).run()
        self.steps = len(executor.performed)
        return found


class DaneRuns:
    """One host with certificates behind owners of TLSA records. `addresses` are where each certificate is served.

    `broken` are addresses that a deployment does not reach. `make` makes the watch of a run: a mutant's is another one.
    """

    def __init__(self, *specs: CertSpec, seed: int = 0, servers: Mapping[Server, NameServer] | None = None) -> None:
        specs = specs or (mailed("mail.example.org"),)
        self.sim = Simulation(
            specs, [zone("example.org")], seed=seed, servers=servers or LATE, dns=CachedDns, bound=timedelta(minutes=20)
        )
        self.use(self.sim.configuration)
        self.sim.ports = replace(self.sim.ports, dns={PROVIDER: self.sim.dns})
        self.random = random.Random(seed)  # noqa: S311 - a world, no key
        hosts = {owner.host for item in specs if item.tlsa is not None for owner in item.tlsa.owners}
        self.hosts = Hosts(
            self.sim.clock,
            {host: {"A": f"192.0.2.{n}", "AAAA": f"2001:db8::{n}"} for n, host in enumerate(sorted(hosts), 10)},
        )
        assert isinstance(self.sim.dns, CachedDns)
        self.dns: CachedDns = self.sim.dns
        self.tlsa = ServedTlsa(self.dns)
        self.addresses = {item.alias: self._of(item) for item in specs}
        self.broken: set[str] = set()
        self.make: Callable[[Machine], DaneWatch] = Watched
        self.said: list[DanePhase] = []
        self.stands = Stands()
        self.past: list[Happening] = []
        self.rolls = 0

    def use(self, page: Configuration) -> None:
        """Go on with another page."""
        settings = PowerDnsSettings("http://127.0.0.1:8081", Secret("key"))
        providers = (Provider(PROVIDER, settings),)
        self.sim.configuration = replace(page, settings=replace(page.settings, providers=providers))

    def _of(self, item: CertSpec) -> tuple[str, ...]:
        hosts = dict.fromkeys(owner.host for owner in item.tlsa.owners) if item.tlsa is not None else ()
        return tuple(text for host in hosts for text in self.hosts.addresses[host].values())

    def run(self, *, forced: Collection[Alias] = (), issuing: int = -1, publishing: int = -1, last: int = -1) -> Result:
        """What `certkeeper run` does. It is killed around a step of issuing, of publishing, or around what it writes
        down last.
        """
        sim = self.sim
        machine = Machine(
            sim,
            self.hosts,
            self.tlsa,
            publishing,
            self.make,
            Mortal(sim.journal, last),
            stands=self.stands,
            past=self.past,
        )
        self.machine = machine
        sim.claims.held.clear()
        observed = observe(
            sim.configuration,
            looks=sim.store,
            accounts=sim.accounts,
            clock=sim.clock,
            records=sim.journal.records(),
            config_folders=(),
        )
        plan = planned(machine, sim.configuration, observed, forced)  # type: ignore[arg-type]
        perform = through(machine.ports())
        executor = (
            SeededExecutor(perform, sim.clock, 0)
            if issuing < 0
            else MortalExecutor(perform, sim.clock, 0, issuing, plainly())
        )
        result = Reconciler(
            plan,
            sim.configuration.settings,
            executor=executor,
            clock=sim.clock,
            user_agent="certkeeper/test",
            terms_accepted=True,
            tell=sim.events.append,
        ).run()
        self.issued = len(executor.performed)
        self.deploy()
        self.said.append(published(machine, saying=Saying.PROBLEMS))  # type: ignore[arg-type]
        return result

    def killed(self, forced: Collection[Alias] = (), **moments: int) -> bool:
        """A run that is killed; False where it came to its end before."""
        try:
            self.run(forced=forced, **moments)
        except Killed:
            return True
        return False

    def deploy(self) -> None:
        for alias, addresses in self.addresses.items():
            if alias not in self.sim.store.live:
                continue
            chain = self.chain(alias)
            for address in addresses:
                if address not in self.broken:
                    self.hosts.serve(address, chain)

    def chain(self, alias: Alias) -> tuple[bytes, ...]:
        live = self.sim.store.live[alias]
        found = self.machine.dane_watch._materials.version(alias, live.stamp)
        assert found is not None
        return found

    def rest(self, hours: float) -> None:
        self.sim.clock.advance(hours * 3600)

    def days(self, count: float, every: float = 12) -> None:
        """Run after run."""
        end = self.sim.clock.monotonic() + count * DAY
        while self.sim.clock.monotonic() < end:
            self.run()
            self.rest(every)

    def look(self) -> View:
        return Machine(self.sim, self.hosts, self.tlsa, journal=self.sim.journal).dane_watch.look()

    def keys(self, alias: Alias) -> int:
        """How many keys it has been live with."""
        return len({live.files.privkey for of, live in self.sim.store.shown if of == alias})

    def assert_never_wrong(self) -> None:
        owners: dict[DnsName, list[str]] = {}
        for item in self.sim.configuration.certificates:
            for owner in item.tlsa.owners if item.tlsa is not None else ():
                place = self.tlsa.aliases.get(owner.name, owner.name)
                owners.setdefault(place, []).extend(self.hosts.addresses[owner.host].values())
        assert_never_wrong(self.dns, self.hosts, owners)
