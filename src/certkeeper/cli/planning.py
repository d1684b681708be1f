"""A plan for this machine: what it depends on is asked for step by step, and only where something is due."""

from collections.abc import Collection
from contextlib import suppress

from certkeeper.acme.persist import issuer_names
from certkeeper.apply.observe import Offers
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import Plan
from certkeeper.plan.caa import names_to_look_up
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan, wanted_zones
from certkeeper.plan.proving import standing_owners, standing_places


class NoAccount(CertkeeperError):
    """There is no account yet, and its URL is needed."""

    fault = Fault.OPERATOR


def planned(machine: Machine, configuration: Configuration, observed: Observed, forced: Collection[Alias]) -> Plan:
    """Plan over the selected certificates; DNS providers, CAs and CAA are asked only where something is due."""
    wanted = wanted_zones(configuration, observed, forced)
    if wanted:
        observed = replace(observed, zones=machine.locate(wanted))
    first = plan(configuration, observed, forced)
    owners = standing_places([item.spec for item in first.lineages if item.methods], machine.settings, observed)
    if owners:
        cas = dict.fromkeys(item.spec.ca for item in first.lineages if item.methods and standing_owners(item.spec))
        identities = {ca: _identities(machine, ca) for ca in cas}
        observed = replace(observed, standing=machine.standing(owners), identities=identities)
        first = plan(configuration, observed, forced)
    due = [item.spec for item in first.due]
    offers = machine.offers(due) if due else Offers()
    if not (offers.issuers or offers.profiles):
        return replace(first, silent=offers.silent)
    caa = machine.caa(offers.issuers, names_to_look_up(spec for spec in due if spec.ca in offers.issuers))
    found = replace(observed, caa=caa, profiles=offers.profiles, clock_behind=offers.clock_behind)
    return replace(plan(configuration, found, forced), silent=offers.silent)


def _identities(machine: Machine, ca: str) -> tuple[str, ...]:
    """The names that the CA goes by in records; none where it does not say."""
    # Where the CA cannot be asked, a run finds that out by itself, and says so.
    with suppress(CertkeeperError):
        issuer = machine.issuer(ca)
        return issuer_names(issuer.identities) if issuer is not None else ()
    return ()
