"""From what is wanted and what is there to what has to be done."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from certkeeper.base.keys import KeyPolicy
from certkeeper.base.names import Alias, DnsName, IdentifierType
from certkeeper.config.findings import Finding
from certkeeper.config.settings import CertSpec, Configuration
from certkeeper.lineage.model import KeyPlace, Lineage
from certkeeper.plan.actions import (
    Action,
    Activate,
    CallHook,
    KeySource,
    LineagePlan,
    MakeNextKey,
    Order,
    Plan,
    Prove,
    Reason,
    UseKey,
)
from certkeeper.plan.backoff import backoff_inputs, waiting
from certkeeper.plan.caa import caa_error, caa_findings, redundancy_error
from certkeeper.plan.due import Decision, decide
from certkeeper.plan.fingerprint import fingerprint
from certkeeper.plan.observed import Observed, Zones
from certkeeper.plan.preflight import (
    key_error,
    names_responder,
    no_certificates,
    staple_findings,
    zone_error,
    zone_findings,
)
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.plan.recovery import homeless_findings, leftovers, resumable, stale, unfinished, unpaid, zones_left
from certkeeper.zone.rrset import Zone


def owners_of(spec: CertSpec) -> tuple[DnsName, ...]:
    """Where the lineage's dns-01 values go, each owner once: a name and its wildcard share one (RFC 8555 §8.4)."""
    return tuple(
        dict.fromkeys(
            identifier.domain.child(CHALLENGE_LABEL)
            for identifier in spec.identifiers
            if identifier.type is IdentifierType.DNS
        )
    )


def due_owners(configuration: Configuration, observed: Observed, forced: Collection[Alias]) -> tuple[DnsName, ...]:
    """The names whose zones have to be known before a plan can be made: of due lineages, and of killed runs."""
    staple_ability = names_responder(observed.lineages.values(), observed.now)
    due = (
        owner
        for spec in configuration.certificates
        if _decision(spec, configuration, observed, forced, staple_ability=staple_ability).due
        for owner in owners_of(spec)
    )
    return tuple(dict.fromkeys((*zones_left(observed.records), *due)))


def plan(configuration: Configuration, observed: Observed, forced: Collection[Alias] = frozenset()) -> Plan:
    """Plan a run over the configuration's certificates, in their order.

    Args:
        configuration: certificates that nobody asked for must be left out before.
        observed: with `zones` for the owners of `due_owners`.
        forced: lineages that are issued although nothing is due.
    """
    staple_ability = names_responder(observed.lineages.values(), observed.now)
    lineages = tuple(
        _plan_lineage(
            spec,
            configuration,
            observed,
            _decision(spec, configuration, observed, forced, staple_ability=staple_ability),
            patient=spec.alias not in forced,
            staple_ability=staple_ability,
        )
        for spec in configuration.certificates
    )
    due = [item for item in lineages if item.order is not None]
    left = leftovers(observed)
    findings = _findings(configuration, observed, lineages, staple_ability=staple_ability)
    if observed.zones is not None:
        findings += homeless_findings(left.homeless, observed.zones.provider)
    return Plan(
        lineages=lineages,
        register_at=configuration.settings.ca if due and not observed.registered else None,
        zones=_merge_zones(due),
        findings=tuple(findings),
        wake_at=min((item.wake_at for item in lineages if item.wake_at is not None), default=None),
        withdrawals=left.withdrawals,
        unreachable=left.unreachable,
        stale=(*left.homeless, *stale(lineages, observed)),
    )


def _decision(
    spec: CertSpec,
    configuration: Configuration,
    observed: Observed,
    forced: Collection[Alias],
    *,
    staple_ability: bool,
) -> Decision:
    lineage = observed.lineages[spec.alias]
    decision = decide(spec, lineage, observed.now)
    if decision.due:
        return decision
    must_staple = spec.must_staple and staple_ability
    if unfinished(spec, lineage, observed.records, configuration.settings.ca, must_staple=must_staple):
        return replace(decision, reason=Reason.UNFINISHED)
    return replace(decision, reason=Reason.FORCED) if spec.alias in forced else decision


def _plan_lineage(
    spec: CertSpec,
    configuration: Configuration,
    observed: Observed,
    decision: Decision,
    *,
    patient: bool,
    staple_ability: bool,
) -> LineagePlan:
    lineage, records, settings = observed.lineages[spec.alias], observed.records, configuration.settings
    must_staple = spec.must_staple and staple_ability
    zones = {owner: _zone(observed.zones, owner) for owner in owners_of(spec)} if decision.due else {}
    base = LineagePlan(
        spec=spec,
        reason=decision.reason,
        detail=decision.detail,
        actions=(),
        fingerprint=fingerprint(spec, lineage, settings.ca, must_staple),
        wake_at=None if decision.due else decision.renew_at,
    )
    debt = unpaid(spec, lineage, records)
    if not decision.due:
        owed: tuple[Action, ...] = (CallHook(spec.hook, debt),) if debt is not None else ()
        return replace(base, actions=(*owed, *_next_key(spec, lineage)))
    error = (
        key_error(spec, lineage, observed.lineages)
        or zone_error(spec, zones, configuration, observed)
        or redundancy_error(spec, settings.ca)
        or caa_error(spec, observed.caa)
    )
    backoff = records.backoffs.get(spec.alias)
    if error is None and patient:
        error = waiting(backoff, backoff_inputs(base.fingerprint, settings), observed.now)
    if error is not None:
        return replace(base, error=error, wake_at=error.retry_at)
    found = {owner: zone for owner, zone in zones.items() if zone is not None}
    resume = resumable(spec, lineage, records, settings.ca, must_staple=must_staple)
    actions: tuple[Action, ...] = (
        UseKey(_key_source(spec, lineage), spec.key),
        Order(spec.identifiers, must_staple, spec.profile, resume),
        *(Prove(zone, owners) for zone, owners in _by_zone(found).items()),
        Activate(f"{settings.certdir}/{spec.alias}"),
        *((CallHook(spec.hook, debt),) if spec.hook else ()),
        *((MakeNextKey(spec.key),) if spec.key.policy is KeyPolicy.ROLLOVER else ()),
    )
    return replace(base, actions=actions, backoff=backoff)


def _next_key(spec: CertSpec, lineage: Lineage) -> tuple[Action, ...]:
    """The next key's successor, where a run ended between the switch and making it.

    A folder that dehydrated wrote to last is left as it is until something is due.
    """
    missing = lineage.next_key_used or (lineage.next_key_id is None and not lineage.next_key_trouble)
    if spec.key.policy is KeyPolicy.ROLLOVER and missing and lineage.stamp is not None:
        return (MakeNextKey(spec.key),)
    return ()


def _key_source(spec: CertSpec, lineage: Lineage) -> KeySource:
    if spec.key.policy is KeyPolicy.ROLLOVER and lineage.next_key_id is not None and not lineage.next_key_used:
        return KeySource.NEXT
    # Where rollover begins, the present key is used once more: its successor must be announced before it is used.
    if spec.key.policy is KeyPolicy.NEW or lineage.key_place is KeyPlace.ABSENT:
        return KeySource.NEW
    return KeySource.PLAIN if lineage.key_place is KeyPlace.PLAIN else KeySource.REUSE


def _zone(zones: Zones | None, owner: DnsName) -> Zone | None:
    return zones.by_owner.get(owner) if zones is not None else None


def _by_zone(found: Mapping[DnsName, Zone]) -> dict[Zone, tuple[DnsName, ...]]:
    grouped: dict[Zone, tuple[DnsName, ...]] = {}
    for owner, zone in found.items():
        grouped[zone] = (*grouped.get(zone, ()), owner)
    return grouped


def _merge_zones(due: Collection[LineagePlan]) -> dict[Zone, tuple[DnsName, ...]]:
    merged: dict[Zone, dict[DnsName, None]] = {}
    for item in due:
        for proof in item.proofs:
            merged.setdefault(proof.zone, {}).update(dict.fromkeys(proof.owners))
    return {zone: tuple(owners) for zone, owners in merged.items()}


def _findings(
    configuration: Configuration, observed: Observed, lineages: tuple[LineagePlan, ...], *, staple_ability: bool
) -> list[Finding]:
    due = [item for item in lineages if item.reason is not Reason.CURRENT]
    findings = list(staple_findings([item.spec for item in due], configuration, ability=staple_ability))
    if not configuration.certificates and not configuration.rejected:
        findings.append(no_certificates(configuration.settings.domains_txt))
    if observed.zones is not None:
        findings += zone_findings(observed.zones, observed.now)
    return [*findings, *caa_findings([item.spec for item in due], observed.caa)]
