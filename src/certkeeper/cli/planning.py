"""A plan for this machine: what it depends on is asked for step by step, and only where something is due."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import Alias
from certkeeper.cli.compose import Machine
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import Plan
from certkeeper.plan.caa import names_to_look_up
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan, wanted_zones
from certkeeper.plan.profiles import names_a_profile
from certkeeper.plan.proving import standing_places


class NoAccount(CertkeeperError):
    """There is no account yet, and its URL is needed."""

    fault = Fault.OPERATOR


def planned(machine: Machine, configuration: Configuration, observed: Observed, forced: Collection[Alias]) -> Plan:
    """Plan over the selected certificates; DNS providers, CA and CAA are asked only where something is due."""
    wanted = wanted_zones(configuration, observed, forced)
    if wanted:
        observed = replace(observed, zones=machine.locate(wanted))
    first = plan(configuration, observed, forced)
    owners = standing_places([item.spec for item in first.lineages if item.methods], machine.settings, observed)
    if owners:
        observed = replace(observed, standing=machine.standing(owners), identities=machine.identities())
        first = plan(configuration, observed, forced)
    issuer = profiles = behind = None
    # Where the CA cannot be asked, a run finds that out by itself, and says so.
    with suppress(CertkeeperError):
        if any(names_a_profile(item.spec) for item in first.due):
            profiles = machine.profiles()
        issuer = machine.issuer() if first.due and machine.settings.caa_check else None
        # Told of the directory that is here already; where none is, a run tells of it when it has one.
        behind = machine.clock_behind() if issuer is not None or profiles is not None else None
    if issuer is None and profiles is None:
        return first
    names = names_to_look_up(item.spec for item in first.due)
    caa = machine.caa(issuer, names) if issuer is not None else None
    found = replace(observed, caa=caa, profiles=profiles, clock_behind=behind)
    return plan(configuration, found, forced)
