"""Looking at the world before a plan is made. Reads only."""

from collections.abc import Collection
from typing import cast

from certkeeper.acme.directory import read_directory
from certkeeper.apply.ports import Accounts, CaaLookup, Clock, Http, Store
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.wire import Request
from certkeeper.config.settings import Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.plan.observed import Observed
from certkeeper.plan.records import Records
from certkeeper.zone.caa import CaaAnswer, CaaAnswers, Issuer, search


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
    """Lineages, accounts and time, beside what the journal said; no network."""
    registered: set[str] = set()
    unusable: dict[str, CertkeeperError] = {}
    for ca in configuration.cas:
        try:
            account = accounts.read(ca)
        except CertkeeperError as error:
            unusable[ca] = error
        else:
            registered |= {ca} if account is not None and account.kid is not None else set()
    return Observed(
        now=clock.now(),
        lineages=lineages_of(configuration, store),
        registered=frozenset(registered),
        unusable=unusable,
        config_folders=config_folders,
        records=records,
    )


def issuer_at(ca: str, http: Http, accounts: Accounts, *, user_agent: str) -> Issuer | None:
    """Who the CA is in CAA records, and our account there; None where it does not say.

    Raises:
        CertkeeperError: its directory cannot be had.
    """
    response = http.send(Request("GET", ca, (("user-agent", user_agent),)))
    identities = read_directory(response, ca).caa_identities
    stored = accounts.read(ca)
    return Issuer(identities, stored.kid if stored is not None else None) if identities else None


def profiles_at(ca: str, http: Http, *, user_agent: str) -> tuple[str, ...]:
    """The profiles that the CA offers by name.

    Raises:
        CertkeeperError: its directory cannot be had.
    """
    return read_directory(http.send(Request("GET", ca, (("user-agent", user_agent),))), ca).profiles


def caa_answers(names: Collection[DnsName], lookup: CaaLookup) -> CaaAnswers:
    """What CAA says at these names, and as far above them as it counts."""
    climb = search(names)
    try:
        asked = next(climb)
        while True:
            asked = climb.send(lookup.caa(asked))
    except StopIteration as stop:
        return cast("dict[DnsName, CaaAnswer]", stop.value)
