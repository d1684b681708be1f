"""The one place that names adapters: puts a machine together for a command."""

import os
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from certkeeper import __version__
from certkeeper.adapters.accounts import Accounts
from certkeeper.adapters.clock import SystemClock
from certkeeper.adapters.lock import LockFile
from certkeeper.adapters.page import read_page
from certkeeper.adapters.store import Store
from certkeeper.apply.observe import lineages_of, observe, with_zones
from certkeeper.apply.ports import Dns, Ports
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, Interrupted
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias
from certkeeper.cli.signals import orderly
from certkeeper.config.settings import Configuration, Settings
from certkeeper.lineage.model import Lineage
from certkeeper.plan.actions import Plan
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import due_owners, plan

USER_AGENT = f"certkeeper/{__version__}"


class MissingProvider(CertkeeperError):
    """Names have to be proven through DNS, and nothing says how to write it."""

    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine, seen through one configuration."""

    configuration: Configuration
    store: Store
    accounts: Accounts
    clock: SystemClock

    @property
    def settings(self) -> Settings:
        return self.configuration.settings

    def lock(self) -> AbstractContextManager[object]:
        """The run's lock; an empty LOCKFILE means none."""
        if self.settings.lockfile is None:
            return nullcontext()
        return LockFile(self.settings.lockfile, self.clock.now())

    def lineages(self) -> Mapping[Alias, Lineage]:
        """Certificates on disk, and nothing else."""
        return lineages_of(self.configuration, self.store)

    def observe(self) -> Observed:
        """Files and time; no network."""
        return observe(
            self.configuration,
            store=self.store,
            accounts=self.accounts,
            clock=self.clock,
            config_folders=self.store.folders_with_config(),
        )

    def plan(self, configuration: Configuration, observed: Observed, forced: Collection[Alias]) -> Plan:
        """Plan over the selected certificates; the DNS provider is asked only where something is due."""
        owners = due_owners(configuration, observed, forced)
        if owners:
            observed = with_zones(observed, owners, self._dns())
        return plan(configuration, observed, forced)

    def reconcile(self, plan_: Plan, *, terms_accepted: bool, tell: Tell) -> Result:
        """Carry the plan out."""
        from certkeeper.adapters import keys  # noqa: PLC0415 - a run with nothing to do needs no new key
        from certkeeper.adapters.http import HttpClient  # noqa: PLC0415 - nor HTTP
        from certkeeper.adapters.pool import Pool  # noqa: PLC0415 - as above
        from certkeeper.adapters.resolver import SystemNameservers  # noqa: PLC0415 - as above
        from certkeeper.apply.reconcile import Reconciler  # noqa: PLC0415 - as above

        ports = Ports(
            http=HttpClient(self.settings.ca_bundle),
            dns=self._dns(),
            nameservers=SystemNameservers(self.settings.nameservers),
            store=self.store,
            keys=keys,
            accounts=self.accounts,
            clock=self.clock,
        )
        reconciler = Reconciler(
            plan_,
            self.settings,
            executor=Pool(ports),
            clock=self.clock,
            user_agent=USER_AGENT,
            terms_accepted=terms_accepted,
            tell=tell,
        )
        with orderly(lambda code: reconciler.interrupt(Interrupted(code))):
            return reconciler.run()

    def _dns(self) -> Dns:
        from certkeeper.adapters.dns.powerdns import PowerDns  # noqa: PLC0415 - a run with nothing to do needs no DNS
        from certkeeper.adapters.http import HttpClient  # noqa: PLC0415 - as above

        if self.settings.powerdns is None:
            raise MissingProvider(
                f"{self.settings.config_file}: no DNS provider is configured",
                hint="set PDNS_HOST and PDNS_KEY",
            )
        return PowerDns(self.settings.powerdns, HttpClient())


def open_machine(config: str | None) -> Machine:
    """Read the page and look no further.

    Raises:
        CertkeeperError: the page cannot be read.
    """
    configuration = read_page(config, str(Path.cwd()), os.environ)
    settings = configuration.settings
    return Machine(configuration, Store(settings.certdir), Accounts(settings.accountdir), SystemClock())
