"""Root's side of `certkeeper deploy` where DEHYDRATED_USER keeps the page: root's own file, journal and folders."""

from collections.abc import Collection, Iterator, Mapping

from certkeeper.adapters.clock import SystemClock
from certkeeper.adapters.comparing import Compared
from certkeeper.adapters.delivered import DeliveredStore
from certkeeper.adapters.keeper import Keeper
from certkeeper.adapters.page import answered
from certkeeper.adapters.parting import Parted, Parting, Root
from certkeeper.adapters.replaced import refuse_foreign
from certkeeper.adapters.responses import ToldResponses
from certkeeper.adapters.state import make_roots_state
from certkeeper.apply.deploy.observing import deployable
from certkeeper.apply.deploy.result import DeployResult, End
from certkeeper.apply.placements import placement
from certkeeper.apply.ports import Store
from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.cli.compose.deploying import carry_out_through, deploy_ports
from certkeeper.cli.compose.machine import Machine
from certkeeper.cli.compose.opening import machine_of
from certkeeper.cli.compose.owners import group_findings
from certkeeper.config.deployments import DEPLOY_CONFIG, RootsFile, check_paths, read_roots_file
from certkeeper.config.findings import Finding
from certkeeper.config.settings import CertSpec, Configuration, Rejected, Settings
from certkeeper.lineage.model import Lineage
from certkeeper.plan.delivery import Answer, Delivered, Delivery
from certkeeper.plan.deploy import DeployPlan, plan_deployments
from certkeeper.plan.records import Deployment, Shown

__all__ = ["DEPLOY_CONFIG", "Keeper", "Parted", "Parting", "Root", "RootsMachine"]


class RootsMachine:
    """This machine, seen through root's own file, with the certificates that `user` handed over."""

    def __init__(self, file: str, delivery: Delivery, user: str) -> None:
        """Raises CertkeeperError: that file, or root's folder, is none that root may go by."""
        described = answered(read_roots_file(file))
        self._store: Store = DeliveredStore(delivery.certificates, user, SystemClock().now())
        self._delivered = {item.alias.text: item for item in delivery.certificates}
        make_roots_state(described.state).close()
        self._responses = ToldResponses(described.state)
        page = Location(f"the page of user {user}")
        specs, rejected = self._checked(delivery.certificates, described, page)
        self._machine = _machine(described, specs, rejected, user)

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        return self._machine.configuration.rejected

    @property
    def aliases(self) -> tuple[Alias, ...]:
        return tuple(spec.alias for spec in self._machine.configuration.certificates)

    def findings(self) -> Iterator[Finding]:
        """What is wrong with services that get something."""
        return group_findings(self._machine.configuration)

    def planned(self, asked: Collection[Alias] = ()) -> DeployPlan:
        """What services are due for. Raises CertkeeperError: root's journal cannot be read."""
        machine = self._machine
        specs = machine.configuration.certificates
        lineages = {spec.alias: self._store.lineage(spec.alias) for spec in specs}
        records = machine.journal.records()
        # What root never gave to a service, a run of the user's may have made live just now: nobody may take it for
        # what the service has.
        owed = {(name, spec.alias): _owed(spec, name, lineages) for spec in specs for name in spec.targets}
        told = {pair: entry for pair, entry in records.deployments.items() if not self._has_new_response(entry)}
        records = replace(records, deployments={**owed, **told})
        files = Compared(lambda: self._store, machine.index)
        world = deployable(machine.configuration, lineages, records, files, machine.clock.now())
        return plan_deployments(machine.configuration, world, asked)

    def carry_out(self, plan: DeployPlan, tell: Tell) -> DeployResult:
        """Raises CertkeeperError: root's journal cannot be written to, so nothing was started."""
        ports = replace(self._machine.ports(), store=self._store, deploy=deploy_ports())
        result = carry_out_through(self._machine, ports, plan, tell)
        known = self._machine.journal.records().deployments
        pairs = [(name, spec.alias) for spec in self._machine.configuration.certificates for name in spec.targets]
        had = [pair for pair in pairs if pair in known and known[pair].shown is not Shown.OWED]
        self._responses.learn({pair: self._delivered[pair[1].text].staple for pair in had}, pairs)
        return result

    def _has_new_response(self, entry: Deployment) -> bool:
        """The service has the certificate, and there is another OCSP response than the one that it was told of."""
        target, item = self._machine.settings.targets.get(entry.target), self._delivered.get(entry.alias.text)
        if target is None or item is None or not target.reads_responses or entry.shown is Shown.OWED:
            return False
        return self._responses.is_new((entry.target, entry.alias), item.staple)

    def answers(self, shown: DeployResult) -> tuple[Answer, ...]:
        """What is known of what was handed over, and why the rest of it was not looked at any further."""
        known = self._machine.journal.records().deployments
        pairs = [(name, spec.alias) for spec in self._machine.configuration.certificates for name in spec.targets]
        found = {pair: _answer(known[pair]) for pair in pairs if pair in known}
        for ended in shown.deployed:
            pair = (ended.target, ended.alias)
            if ended.end is End.FAILED and (pair not in found or not found[pair].failures):
                found[pair] = self._unable(pair, ended.message)
        for rejected in self.rejected:
            item = self._delivered[rejected.label]
            for pair in ((name, item.alias) for name in dict.fromkeys(item.targets)):
                had = known.get(pair)
                if had is None or had.shown is Shown.OWED or had.stamp != item.stamp:
                    found[pair] = self._unable(pair, str(rejected.error))
        return tuple(found.values())

    def _unable(self, pair: tuple[str, Alias], why: str) -> Answer:
        return Answer(*pair, self._delivered[pair[1].text].stamp, Shown.OWED, 1, why)

    def close(self) -> None:
        self._machine.keep_index()
        self._machine.close()

    def _checked(
        self, delivered: tuple[Delivered, ...], described: RootsFile, page: Location
    ) -> tuple[tuple[CertSpec, ...], tuple[Rejected, ...]]:
        specs: list[CertSpec] = []
        rejected: list[Rejected] = []
        taken: dict[str, str] = {}
        for item in delivered:
            targets = tuple(dict.fromkeys(item.targets))
            spec = CertSpec(
                item.alias,
                item.identifiers,
                page,
                ca="",
                targets=targets,
                probe=None if item.looked_at else (),
                ocsp_fetch=bool(item.staple),
            )
            known = [name for name in targets if name in described.targets]
            try:
                self._store.lineage(item.alias)
                check_paths(replace(spec, targets=tuple(known)), described.targets, taken)
                for target in (described.targets[name] for name in known if not described.targets[name].in_place):
                    refuse_foreign(placement(spec, target))
                specs.append(spec)
            except CertkeeperError as error:
                rejected.append(Rejected(item.alias.text, error))
        return tuple(specs), tuple(rejected)


def _answer(entry: Deployment) -> Answer:
    return Answer(entry.target, entry.alias, entry.stamp, entry.shown, entry.failures, entry.message)


def _owed(spec: CertSpec, name: str, lineages: Mapping[Alias, Lineage]) -> Deployment:
    return Deployment(name, spec.alias, lineages[spec.alias].stamp or 0, Shown.OWED)


def _machine(described: RootsFile, specs: tuple[CertSpec, ...], rejected: tuple[Rejected, ...], user: str) -> Machine:
    """Nothing of it leads to a file of anybody else's."""
    state = described.state
    # Root looks at no user's folder: which services' users can read in it, nobody tries.
    targets = {name: replace(item, user="") if item.in_place else item for name, item in described.targets.items()}
    settings = Settings(
        config_file="",
        user=user,
        basedir=state,
        domains_txt="",
        certdir=f"{state}/certs",
        accountdir=f"{state}/accounts",
        statedir=state,
        lockfile=None,
        ca="",
        targets=targets,
        deploy_config=described.file,
    )
    return machine_of(Configuration(settings, specs, rejected))
