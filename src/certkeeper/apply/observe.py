"""Looking at the world before a plan is made. Reads only."""

from certkeeper.apply.ports import Accounts, Clock, Store
from certkeeper.base.names import Alias
from certkeeper.config.settings import Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.plan.observed import Observed
from certkeeper.plan.records import Records


def lineages_of(configuration: Configuration, store: Store) -> dict[Alias, Lineage]:
    """What is on disk of every certificate of the page."""
    return {spec.alias: store.lineage(spec.alias) for spec in configuration.certificates}


def observe(
    configuration: Configuration,
    *,
    store: Store,
    accounts: Accounts,
    clock: Clock,
    records: Records,
    config_folders: tuple[str, ...],
) -> Observed:
    """Lineages, account and time, beside what the journal said; no network.

    Raises:
        CertkeeperError: the account's own files cannot be used.
    """
    account = accounts.read(configuration.settings.ca)
    return Observed(
        now=clock.now(),
        lineages=lineages_of(configuration, store),
        registered=account is not None and account.kid is not None,
        config_folders=config_folders,
        records=records,
    )
