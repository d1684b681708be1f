"""Services of this machine, for the commands that put certificates into them."""

from collections.abc import Collection

from certkeeper.adapters.clients import Clients
from certkeeper.adapters.comparing import Compared
from certkeeper.adapters.installed import Installed
from certkeeper.adapters.pairs import OpenSslPairs
from certkeeper.adapters.probe import Prober
from certkeeper.adapters.services.local import LocalServices
from certkeeper.apply.deploy.observing import deployable
from certkeeper.apply.deploy.phase import Deploying
from certkeeper.apply.deploy.result import DeployResult
from certkeeper.apply.deployports import DeployPorts
from certkeeper.apply.ports import Ports
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.cli.compose.machine import Machine
from certkeeper.config.settings import Configuration
from certkeeper.plan.deploy import DeployPlan, plan_deployments

_PATIENCE = 5.0
"""Seconds that a service of this machine has for its handshake."""


def planned_deployments(machine: Machine, selected: Configuration, asked: Collection[Alias] = ()) -> DeployPlan:
    """What services are due for, by what files and journal say; nobody is asked.

    Raises:
        CertkeeperError: the journal cannot be read.
    """
    lineages = machine.lineages()
    files = Compared(lambda: machine.store, machine.index)
    world = deployable(selected, lineages, machine.journal.records(), files, machine.clock.now())
    return plan_deployments(selected, world, asked)


def carry_out_deployments(machine: Machine, plan: DeployPlan, tell: Tell) -> DeployResult:
    """Put certificates into services; a signal brings it to an orderly end.

    Raises:
        CertkeeperError: STATEDIR cannot be written to, so nothing was started.
    """
    return carry_out_through(machine, replace(machine.ports(), deploy=deploy_ports()), plan, machine.recorded(tell))


def carry_out_through(machine: Machine, ports: Ports, plan: DeployPlan, tell: Tell) -> DeployResult:
    """The same through these ports."""
    machine.journal.prepare()
    records = machine.journal.records()
    return machine.carry_through(
        ports,
        lambda executor: Deploying(plan, machine.settings, records, executor=executor, clock=machine.clock, tell=tell),
    )


def deploy_ports() -> DeployPorts:
    # What is served is compared with what is there, so it need not be trusted by anybody.
    return DeployPorts(Installed(), LocalServices(), Clients(Prober(patience=_PATIENCE)), OpenSslPairs())
