"""Looking at the world before a plan is made. Reads only."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import cast

from certkeeper.acme.directory import clock_behind, read_directory
from certkeeper.apply.ports import Accounts, CaaLookup, Clock, Http, Looks
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import Request
from certkeeper.config.settings import CertSpec, Configuration
from certkeeper.lineage.model import Lineage, Version
from certkeeper.plan.observed import Observed
from certkeeper.plan.profiles import names_a_profile
from certkeeper.plan.records import Records
from certkeeper.zone.caa import CaaAnswer, CaaAnswers, Issuer, search


def lineages_of(configuration: Configuration, looks: Looks) -> dict[Alias, Lineage]:
    """What is on disk of every certificate of the page."""
    return {spec.alias: looks.lineage(spec.alias) for spec in configuration.certificates}


def held_versions(configuration: Configuration, looks: Looks, records: Records) -> dict[Alias, tuple[Version, ...]]:
    """All versions of the lineages that are held; none of one where they cannot be listed."""
    found: dict[Alias, tuple[Version, ...]] = {}
    for spec in configuration.certificates if records.held else ():
        if spec.entry in records.held:
            with suppress(CertkeeperError):
                found[spec.alias] = looks.versions(spec.alias)
    return found


def accounts_of(cas: Iterable[str], accounts: Accounts) -> tuple[dict[str, str], dict[str, CertkeeperError]]:
    """The URLs of our accounts at these CAs, and why others cannot be used."""
    known: dict[str, str] = {}
    unusable: dict[str, CertkeeperError] = {}
    for ca in cas:
        try:
            account = accounts.look(ca)
        except CertkeeperError as error:
            unusable[ca] = error
        else:
            known |= {ca: account.kid} if account is not None and account.kid is not None else {}
    return known, unusable


def observe(
    configuration: Configuration,
    *,
    looks: Looks,
    accounts: Accounts,
    clock: Clock,
    records: Records,
    config_folders: tuple[str, ...],
) -> Observed:
    """Lineages, accounts and time, beside what the journal said; no network."""
    known, unusable = accounts_of(configuration.cas, accounts)
    return Observed(
        now=clock.now(),
        lineages=lineages_of(configuration, looks),
        registered=frozenset(known),
        unusable=unusable,
        accounts=known,
        config_folders=config_folders,
        records=records,
        versions=held_versions(configuration, looks, records),
    )


def issuer_at(ca: str, http: Http, accounts: Accounts, *, user_agent: str) -> Issuer | None:
    """Who the CA is in CAA records, and our account there; None where it does not say.

    Raises:
        CertkeeperError: its directory cannot be had.
    """
    response = http.send(Request("GET", ca, (("user-agent", user_agent),)))
    identities = read_directory(response, ca).caa_identities
    stored = accounts.read(ca)
    kid = stored.kid if stored is not None else None
    return Issuer(identities, kid, keyed=stored is not None and kid is None) if identities else None


def profiles_at(ca: str, http: Http, *, user_agent: str) -> tuple[str, ...]:
    """The profiles that the CA offers by name.

    Raises:
        CertkeeperError: its directory cannot be had.
    """
    return read_directory(http.send(Request("GET", ca, (("user-agent", user_agent),))), ca).profiles


def clock_behind_at(ca: str, http: Http, *, user_agent: str) -> timedelta | None:
    """By how much this machine's clock is behind the CA's; None where the CA does not say.

    Raises:
        CertkeeperError: its directory cannot be had.
    """
    return clock_behind(http.send(Request("GET", ca, (("user-agent", user_agent),))))


@dataclass(frozen=True, slots=True)
class Offers:
    """What CAs say of themselves, by CA. `silent` are those that could not be asked, and why."""

    issuers: Mapping[str, Issuer] = field(default_factory=dict)
    profiles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clock_behind: Mapping[str, timedelta] = field(default_factory=dict)
    silent: Mapping[str, CertkeeperError] = field(default_factory=dict)


def offers_at(due: Collection[CertSpec], http: Http, accounts: Accounts, *, user_agent: str, caa_check: bool) -> Offers:
    """Ask the CAs of these certificates what is needed of them for their plan."""
    issuers: dict[str, Issuer] = {}
    profiles: dict[str, tuple[str, ...]] = {}
    clocks: dict[str, timedelta] = {}
    silent: dict[str, CertkeeperError] = {}
    for ca in dict.fromkeys(spec.ca for spec in due):
        try:
            if any(names_a_profile(spec) for spec in due if spec.ca == ca):
                profiles[ca] = profiles_at(ca, http, user_agent=user_agent)
            issuer = issuer_at(ca, http, accounts, user_agent=user_agent) if caa_check else None
            issuers |= {ca: issuer} if issuer is not None else {}
            # Told of the directory that is here already; where none is, a run tells of it when it has one.
            if ca in issuers or ca in profiles:
                behind = clock_behind_at(ca, http, user_agent=user_agent)
                clocks |= {ca: behind} if behind is not None else {}
        except CertkeeperError as error:
            silent[ca] = error
    return Offers(issuers, profiles, clocks, silent)


def caa_answers(names: Collection[DnsName], lookup: CaaLookup) -> CaaAnswers:
    """What CAA says at these names, and as far above them as it counts."""
    climb = search(names)
    try:
        asked = next(climb)
        while True:
            asked = climb.send(lookup.caa(asked))
    except StopIteration as stop:
        return cast("dict[DnsName, CaaAnswer]", stop.value)
