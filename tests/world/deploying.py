"""Certificates and services that take them, in a simulated world: nginx and dovecot in place, postfix by copies."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509

from builders.certificates import NOW, Wish, new_key, version_files
from builders.fakes import SeededExecutor, through
from builders.fakeservices import FakeProbes, FakeService, FakeServices
from builders.fakestore import Live
from builders.faketargets import FakeTargetFiles
from builders.plans import settings, spec, zone
from certkeeper.apply.deploy.observing import deployable
from certkeeper.apply.deploy.phase import Deploying
from certkeeper.apply.deploy.result import DeployResult
from certkeeper.apply.deployports import DeployPorts, Placement
from certkeeper.apply.observe import lineages_of
from certkeeper.apply.placements import placement
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, Identifier
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import VersionFiles
from certkeeper.plan.deploy import DeployPlan, owed, plan_deployments
from certkeeper.plan.records import Deployment, Shown
from certkeeper.plan.recovery import in_services
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.target import Form, Kind, Target, TargetFile
from world.kills import Killed, MortalExecutor
from world.simulation import Simulation

CERTS = "/etc/dehydrated/certs"
COPIES = "/etc/postfix/certs"
NGINX = Target("nginx", Kind.NGINX, probe=("https://{name}@127.0.0.1",))
DOVECOT = Target("dovecot", Kind.DOVECOT, probe=("imaps://{name}@127.0.0.1",))
POSTFIX = Target(
    "postfix",
    Kind.POSTFIX,
    files=(TargetFile(Form.KEY_FULLCHAIN, f"{COPIES}/{{alias}}.pem"),),
    probe=("smtp://{name}@127.0.0.1",),
)
HAPROXY = Target(
    "haproxy",
    Kind.HAPROXY,
    files=(
        TargetFile(Form.FULLCHAIN_KEY, f"{COPIES}/{{alias}}.pem"),
        TargetFile(Form.OCSP, f"{COPIES}/{{alias}}.pem.ocsp"),
    ),
    probe=("https://{name}@127.0.0.1",),
)
WORDS = {"nginx": "https", "dovecot": "imaps", "postfix": "smtp", "haproxy": "https"}


OLD, NEW = (int(NOW.timestamp()) - hours * 3600 for hours in (48, 1))


@cache
def certificate(name: str, stamp: int) -> VersionFiles:
    begins = datetime.fromtimestamp(stamp, UTC)
    wish = Wish((Identifier.parse(name),), not_before=begins, not_after=begins + timedelta(days=90))
    return version_files(new_key(), wish)


class AnyPair:
    """The port Pairs; `refused` are what OpenSSL would not load."""

    def __init__(self) -> None:
        self.refused = ""

    def check(self, subject: str, files: VersionFiles) -> None:
        parse_leaf(files.fullchain)
        if self.refused:
            raise CertkeeperError(f"{subject}: {self.refused}")


class Deployed:
    """One host whose certificates go into services. `run` is a whole run: what is due, then what is owed."""

    def __init__(self, *names: str, seed: int = 0, targets: Collection[Target] = (NGINX, DOVECOT, POSTFIX)) -> None:
        self.targets = {target.name: target for target in targets}
        stapled = any(file.form is Form.OCSP for target in targets for file in target.files)
        found = [
            replace(spec(name), hook="/etc/hook.sh", targets=tuple(self.targets), ocsp_fetch=stapled) for name in names
        ]
        page = replace(settings(), targets=self.targets)
        self.world = Simulation(found, [zone("example.org")], seed=seed, settings_=page)
        self.files = FakeTargetFiles([COPIES])
        self.services = FakeServices({name: self._service(name, found) for name in self.targets})
        self.probes = FakeProbes(self.services)
        self.pairs = AnyPair()
        ports = DeployPorts(self.files, self.services, self.probes, self.pairs)
        self.world.ports = replace(self.world.ports, deploy=ports)
        self.world.executor = SeededExecutor(through(self.world.ports), self.world.clock, seed)
        self.deploying: Deploying

    def _service(self, name: str, specs: Collection[CertSpec]) -> FakeService:
        in_place = self.targets[name].in_place
        return FakeService(
            {
                parse_endpoint(f"{WORDS[name]}://{item.alias}@127.0.0.1"): (
                    f"{CERTS}/{item.alias}/fullchain.pem" if in_place else f"{COPIES}/{item.alias}.pem"
                )
                for item in specs
            },
            self._read,
        )

    def _read(self, path: str) -> bytes:
        """What a service gets through a path."""
        if path.startswith(COPIES):
            return self.files.read(path) or b""
        alias, _, _ = path.removeprefix(f"{CERTS}/").partition("/")
        live = self.world.store.live.get(Alias(alias))
        return live.files.fullchain if live is not None else b""

    @property
    def specs(self) -> tuple[CertSpec, ...]:
        return self.world.configuration.certificates

    def service(self, name: str) -> FakeService:
        return self.services.services[name]

    def reloads(self, name: str) -> int:
        return self.service(name).calls.count("apply")

    def entry(self, target: str, name: str = "") -> Deployment:
        return self.world.journal.deployments[target, Alias(name) if name else self.specs[0].alias]

    def plan(self, asked: Collection[Alias] = ()) -> DeployPlan:
        records = self.world.journal.records()
        lineages = lineages_of(self.world.configuration, self.world.store)
        found = deployable(self.world.configuration, lineages, records, self.files, self.world.clock.now())
        return plan_deployments(self.world.configuration, found, asked)

    def deploy(self, asked: Collection[Alias] = ()) -> DeployResult:
        self.world.executor.forget()
        self.deploying = Deploying(
            self.plan(asked),
            self.world.configuration.settings,
            self.world.journal.records(),
            executor=self.world.executor,
            clock=self.world.clock,
            tell=self.world.events.append,
        )
        return self.deploying.run()

    def run(self, *, forced: bool = False) -> DeployResult:
        self.world.run(forced=[item.alias for item in self.specs] if forced else ())
        return self.deploy()

    def begin(self) -> "Deployed":
        """Everything issued, and seen everywhere."""
        assert not self.run().failed
        self.assert_settled()
        self.forget()
        return self

    def standing(self) -> "Deployed":
        """As after `begin`, with certificates that were there all along, which is quicker."""
        for item in self.specs:
            self.world.store.live[item.alias] = Live(OLD, certificate(item.alias.text, OLD))
        for service in self.services.services.values():
            service.load()
        self.deploy()
        self.assert_settled()
        self.forget()
        return self

    def bring(self) -> int:
        """Make a new version live as a run does, but for the order; its stamp."""
        entries = self.world.journal.records()
        for item in self.specs:
            self.world.store.staged[item.alias, NEW] = certificate(item.alias.text, NEW)
            self.world.journal.write(owed(item, NEW, in_services(item, entries)), ())
            self.world.store.activate(item.alias, NEW)
        return NEW

    def forget(self) -> None:
        for service in self.services.services.values():
            service.calls.clear()
        self.files.calls.clear()
        self.world.events.clear()
        self.world.hooks.called.clear()

    def renew(self) -> DeployResult:
        self.world.clock.advance(3600)
        return self.run(forced=True)

    def placement(self, target: str) -> Placement:
        return placement(self.specs[0], self.targets[target])

    def live(self, name: str = "") -> int:
        return self.world.store.live[Alias(name) if name else self.specs[0].alias].stamp

    def shown(self, target: str, name: str = "") -> int | None:
        """The version whose certificate a service shows; None where it shows none."""
        alias = Alias(name) if name else self.specs[0].alias
        der = self.service(target).leaf(parse_endpoint(f"{WORDS[target]}://{alias}@127.0.0.1"))
        if der is None:
            return None
        serial = f"{x509.load_der_x509_certificate(der).serial_number:x}"
        for version in self.world.store.versions(alias):
            if version.leaf is not None and int(version.leaf.serial, 16) == int(serial, 16):
                return version.stamp
        raise AssertionError(f"{target} shows a certificate that is no version of {alias}")

    def killed(self, act: Callable[[], object], moment: int, seed: int) -> bool:
        usual = self.world.executor
        self.world.executor = MortalExecutor(
            usual.perform, self.world.clock, seed, moment, lambda step, perform: perform(step)
        )
        try:
            act()
        except Killed:
            self.world.journal.die()
            self.world.claims.held.clear()
            return True
        finally:
            self.world.executor = usual
        return False

    def assert_settled(self) -> None:
        """Every service shows what is live, the journal knows, and one more run touches nothing."""
        for item in self.specs:
            for name in self.targets:
                assert self.shown(name, str(item.alias)) == self.live(str(item.alias)), name
                entry = self.entry(name, str(item.alias))
                seen = Shown.SEEN if self.targets[name].probe else Shown.UNPROVEN
                assert (entry.shown, entry.stamp) == (seen, self.live(str(item.alias))), name
        assert self.plan().idle
