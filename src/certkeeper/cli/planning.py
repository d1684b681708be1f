"""A plan for this machine: what it depends on is asked for step by step, and only where something is due."""

import argparse
from collections.abc import Collection
from contextlib import suppress

from certkeeper.acme.persist import issuer_names
from certkeeper.apply.observe import Offers
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import Plan
from certkeeper.plan.caa import names_to_look_up
from certkeeper.plan.gates import gate_of, rolls
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan, wanted_zones
from certkeeper.plan.proving import standing_owners, standing_places


class NoAccount(CertkeeperError):
    """There is no account yet, and its URL is needed."""

    label = "ca-account"
    fault = Fault.OPERATOR


def opened(options: argparse.Namespace) -> Machine:
    """The machine for a run, or for a plan of one, as it was typed.

    Raises:
        CertkeeperError: the page cannot be read.
    """
    return open_machine(
        options.config,
        test_ca_live=options.allow_test_ca_live,
        staging=options.staging,
        evaluator=options.evaluator,
    )


def planned(machine: Machine, configuration: Configuration, observed: Observed, forced: Collection[Alias]) -> Plan:
    """Plan over the selected certificates; DNS providers, CAs and CAA are asked only where something is due."""
    wanted = wanted_zones(configuration, observed, forced)
    if wanted:
        observed = replace(observed, zones=machine.locate(wanted))
    first = plan(configuration, observed, forced)
    if (turned := _turned(machine, first, observed)) is not None:
        observed, asked = turned
        forced = {*forced, *asked}
        if (more := wanted_zones(configuration, observed, forced)) != wanted:
            observed = replace(observed, zones=machine.locate(more))
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


def _turned(machine: Machine, first: Plan, observed: Observed) -> tuple[Observed, Collection[Alias]] | None:
    """The world with what TLSA records let keys do, where that matters now; and whose keys a person wants rolled."""
    turns = observed.records.turns
    known = {item.alias for memory in observed.records.tlsa.values() for item in memory.known}
    due = [item for item in first.lineages if item.order is not None or item.goes is not None]
    mine = [item for item in first.lineages if item.spec.entry in turns]
    # An order with the next key that is not live yet goes on, or is kept, by what the key may do now.
    left = any(item.spec.tlsa is not None and item.spec.entry in observed.records.orders for item in first.lineages)
    if not (mine or left or any(item.spec.tlsa is not None or item.alias in known for item in due)):
        return None
    watch = machine.dane_watch
    if watch is None:
        return None
    gates = watch.gates()
    asked = [
        item.alias
        for item in mine
        if rolls(turns[item.spec.entry], observed.lineages[item.alias], gate_of(item.spec, gates.get(item.alias)))
    ]
    return replace(observed, gates=gates), asked


def _identities(machine: Machine, ca: str) -> tuple[str, ...]:
    """The names that the CA goes by in records; none where it does not say."""
    # Where the CA cannot be asked, a run finds that out by itself, and says so.
    with suppress(CertkeeperError):
        issuer = machine.issuer(ca)
        return issuer_names(issuer.identities) if issuer is not None else ()
    return ()
