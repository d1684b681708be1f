"""A whole run in a simulated world: what `certkeeper run` does, behind the ports, in an order that a seed decides."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from builders.dnsworld import PRIMARY, SECONDARY, DnsWorld, NameServer
from builders.fakeca import FakeCa
from builders.fakejournal import FakeJournal
from builders.fakes import (
    FakeAccounts,
    FakeClaims,
    FakeClock,
    FakeFiles,
    FakeHooks,
    FakeKeys,
    FakeListeners,
    FakeRejected,
    SeededExecutor,
    through,
)
from builders.fakestaples import FakeStaples
from builders.fakestore import FakeStore
from builders.plans import CA, settings
from certkeeper.apply.inquire import Inquiry
from certkeeper.apply.locate import locate
from certkeeper.apply.observe import observe
from certkeeper.apply.ports import Http, Ports
from certkeeper.apply.reconcile import Reconciler
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Event
from certkeeper.base.names import Alias
from certkeeper.base.wire import Request, Response
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import CertSpec, Configuration, Settings
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.plan.advice import Advice, of_live, questions
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan, wanted_zones
from certkeeper.zone.propagation import Server
from certkeeper.zone.rrset import Zone

BOUND = timedelta(seconds=60)


OCSP_URL = "http://ocsp.test"


class Internet:
    """Implements the port Http: every CA at its own host, and a responder where there is one."""

    def __init__(self, cas: Mapping[str, FakeCa]) -> None:
        self._cas = {url.rpartition("/")[0]: ca for url, ca in cas.items()}
        self.responder: Http | None = None

    def send(self, request: Request) -> Response:
        if request.url.startswith(OCSP_URL) and self.responder is not None:
            return self.responder.send(request)
        return next(ca for home, ca in self._cas.items() if request.url.startswith(f"{home}/")).send(request)


class Simulation:
    """One host with its zones and its CAs. `run` may be called again: the world goes on."""

    def __init__(
        self,
        specs: Collection[CertSpec],
        zones: Collection[Zone],
        *,
        seed: int = 0,
        servers: Mapping[Server, NameServer] | None = None,
        bound: timedelta = BOUND,
        settings_: Settings | None = None,
        dns: type[DnsWorld] = DnsWorld,
    ) -> None:
        self.clock = FakeClock()
        self.dns = dns(self.clock, zones, servers or {PRIMARY: NameServer(), SECONDARY: NameServer(lag=0.5)})
        self.files = FakeFiles()
        self.listeners = FakeListeners()
        self.cas = {
            url: FakeCa(self.clock, self.dns.look, seed, url, fetch=self._fetch, connect=self._connect)
            for url in {CA, *(spec.ca for spec in specs)}
        }
        self.ca = self.cas[CA]
        self.store = FakeStore()
        self.internet = Internet(self.cas)
        self.staples = FakeStaples(self.store)
        self.accounts = FakeAccounts()
        self.keys = FakeKeys()
        self.journal = FakeJournal()
        self.rejected = FakeRejected()
        self.claims = FakeClaims()
        self.hooks = FakeHooks()
        page = settings_ or settings(propagation=bound)
        page = replace(page, scripts=frozenset(item.hook for item in specs if item.hook))
        self.configuration = Configuration(page, tuple(specs))
        self.ports = Ports(
            http=self.internet,
            dns={"": self.dns},
            nameservers=self.dns,
            store=self.store,
            keys=self.keys,
            accounts=self.accounts,
            clock=self.clock,
            journal=self.journal,
            rejected=self.rejected,
            claims=self.claims,
            hooks=self.hooks,
            files=self.files,
            listeners=self.listeners,
            staples=self.staples,
        )
        self.executor = SeededExecutor(through(self.ports), self.clock, seed)
        self.events: list[Event] = []
        self.advice: dict[Alias, Advice] = {}
        self.reconciler: Reconciler

    def run(self, *, terms: bool = True, forced: Collection[Alias] = ()) -> Result:
        self.executor.forget()
        self.claims.held.clear()
        world = observe(
            self.configuration,
            looks=self.store,
            accounts=self.accounts,
            clock=self.clock,
            records=self.journal.records(),
            config_folders=(),
        )
        world = replace(world, advice=self._advice(world))
        wanted = wanted_zones(self.configuration, world, forced)
        world = replace(world, zones=locate(wanted, self.configuration.settings, {"": self.dns}, self.dns))
        self.reconciler = Reconciler(
            plan(self.configuration, world, forced),
            self.configuration.settings,
            executor=self.executor,
            clock=self.clock,
            user_agent="certkeeper/test",
            terms_accepted=terms,
            tell=self.events.append,
        )
        return self.reconciler.run()

    def _fetch(self, token: str) -> bytes | None:
        """What a web server that reads every folder serves under a token, or our own listener."""
        served = {name: content for (_, name), content in self.files.content.items()}
        return self.listeners.answers.get((ChallengeType.HTTP_01, token), served.get(token))

    def _connect(self, name: str) -> bytes | None:
        """The certificate that a TLS server shows; it needs the key, too."""
        files = {file: content for (_, file), content in self.files.content.items()}
        certificate, key = files.get(f"{name}.crt.pem"), files.get(f"{name}.key.pem")
        if certificate is not None and key is not None:
            load_pem_private_key(key, None)
            return certificate
        return self.listeners.answers.get((ChallengeType.TLS_ALPN_01, name))

    def _advice(self, world: Observed) -> Mapping[Alias, Advice]:
        """What the CA said of renewals, in this run or before; nothing where it never suggested anything."""
        if self.ca.manners.suggests is not None:
            live = of_live(self.advice, world.lineages, dict.fromkeys(world.lineages, CA))
            asked = questions(world.lineages, world.lineages, live, CA, world.now)
            if asked:
                inquiry = Inquiry(asked, CA, executor=self.executor, clock=self.clock, user_agent="certkeeper/test")
                live.update(inquiry.run())
            self.advice = live
        return self.advice

    def assert_live(self, *aliases: Alias) -> None:
        """Exactly these lineages have a certificate: with the names of the page, and nothing half done beside it but
        what the next run goes on with.
        """
        assert set(self.store.live) == set(aliases)
        wanted = {spec.alias: frozenset(spec.identifiers) for spec in self.configuration.certificates}
        for alias, live in self.store.live.items():
            assert parse_leaf(live.files.fullchain).identifiers == wanted[alias]
        assert set(self.store.drafts) <= set(self.journal.orders)
        assert not set(self.journal.orders) & set(aliases)
        assert self.store.staged == {}


def errors(result: Result) -> dict[str, CertkeeperError]:
    return {outcome.alias.text: outcome.error for outcome in result.outcomes if outcome.error is not None}


def issued(result: Result) -> set[str]:
    return {outcome.alias.text for outcome in result.outcomes if outcome.issued is not None}
