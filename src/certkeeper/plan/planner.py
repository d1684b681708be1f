"""From what is wanted and what is there to what has to be done."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyPolicy
from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.config.authority import WITHOUT_OCSP
from certkeeper.config.findings import Finding
from certkeeper.config.methods import ChallengeType
from certkeeper.config.providers import provider_for
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
    Reason,
    UseKey,
)
from certkeeper.plan.advice import urgent_findings
from certkeeper.plan.backoff import backoff_inputs, ca_waiting, waiting
from certkeeper.plan.caa import caa_error, caa_findings, redundancy_error
from certkeeper.plan.due import Decision, decide
from certkeeper.plan.fingerprint import fingerprint
from certkeeper.plan.limits import forgotten, in_turn, name_error, names_failed
from certkeeper.plan.namecount import crowd_error, crowd_findings
from certkeeper.plan.observed import Observed, Place, Wanted
from certkeeper.plan.preflight import (
    clock_findings,
    hook_findings,
    key_error,
    kind_error,
    label_findings,
    names_responder,
    no_certificates,
    script_error,
    staple_findings,
    zone_error,
    zone_findings,
)
from certkeeper.plan.profiles import profile_error, profile_findings, profile_of
from certkeeper.plan.proving import needs_account, owners_of, proven, standing_owners, ways
from certkeeper.plan.recovery import homeless_findings, leftovers, resumable, stale, unfinished, unpaid, zones_left
from certkeeper.plan.standing import ends_seen, standing_error, standing_findings
from certkeeper.zone.rrset import Zone


def wanted_zones(configuration: Configuration, observed: Observed, forced: Collection[Alias] = ()) -> dict[str, Wanted]:
    """What has to be known of each provider before a plan can be made: for due lineages, and for killed runs."""
    staple_ability = _staple_ability(configuration, observed)
    settings = configuration.settings
    limited = ca_waiting(observed.records.limits.get(settings.ca), observed.now) is not None
    owners: dict[str, dict[DnsName, None]] = {}
    for spec in configuration.certificates:
        if limited and spec.alias not in forced:
            # Nothing is going to be ordered, so nobody need be asked.
            continue
        if _decision(spec, configuration, observed, forced, staple_ability=staple_ability).due:
            for owner in (*owners_of(spec, observed.account), *standing_owners(spec)):
                provider = provider_for(settings, owner, spec.provider)
                if isinstance(provider, str):
                    owners.setdefault(provider, {})[owner] = None
    left = zones_left(observed.records, settings)
    return {
        provider: Wanted(tuple(owners.get(provider, ())), tuple(left.get(provider, ())))
        for provider in dict.fromkeys((*owners, *left))
    }


def account_first(configuration: Configuration, observed: Observed, forced: Collection[Alias] = ()) -> bool:
    """Whether there is no account yet, and a due lineage cannot be planned without its URL."""
    staple_ability = _staple_ability(configuration, observed)
    return not observed.account and any(
        needs_account(spec) and _decision(spec, configuration, observed, forced, staple_ability=staple_ability).due
        for spec in configuration.certificates
    )


def plan(configuration: Configuration, observed: Observed, forced: Collection[Alias] = frozenset()) -> Plan:
    """Plan a run over the configuration's certificates, in their order.

    Args:
        configuration: certificates that nobody asked for must be left out before.
        observed: with `zones` for the owners of `due_owners`.
        forced: lineages that are issued although nothing is due.
    """
    staple_ability = _staple_ability(configuration, observed)
    # One error for all, so that it is told once.
    limited = ca_waiting(observed.records.limits.get(configuration.settings.ca), observed.now)
    planned = tuple(
        _plan_lineage(
            spec,
            configuration,
            observed,
            _decision(spec, configuration, observed, forced, staple_ability=staple_ability),
            patient=spec.alias not in forced,
            limited=limited if spec.alias not in forced else None,
            staple_ability=staple_ability,
        )
        for spec in configuration.certificates
    )
    lineages = in_turn(planned, configuration, observed, forced)
    due = [item for item in lineages if item.order is not None]
    left = leftovers(observed, configuration.settings)
    findings = _findings(configuration, observed, lineages, staple_ability=staple_ability)
    findings += homeless_findings(left.homeless)
    ends = ends_seen([item.spec for item in lineages if item.methods], observed)
    renewals = [(item.spec, item.wake_at) for item in lineages]
    findings += standing_findings(renewals, {**observed.ends, **ends}, observed.now)
    return Plan(
        lineages=lineages,
        register_at=configuration.settings.ca if due and not observed.registered else None,
        zones=_merge_zones(due),
        findings=tuple(findings),
        wake_at=min((item.wake_at for item in lineages if item.wake_at is not None), default=None),
        withdrawals=left.withdrawals,
        unreachable=left.unreachable,
        stale=(*stale(lineages, observed), *forgotten(observed.records, observed.now)),
        homeless=left.homeless,
        ends=ends,
        limits=observed.records.limits,
        budgets=observed.records.budgets,
        files=observed.records.files,
    )


def _staple_ability(configuration: Configuration, observed: Observed) -> bool:
    return configuration.settings.ca not in WITHOUT_OCSP and names_responder(observed.lineages.values(), observed.now)


def _decision(
    spec: CertSpec,
    configuration: Configuration,
    observed: Observed,
    forced: Collection[Alias],
    *,
    staple_ability: bool,
) -> Decision:
    lineage = observed.lineages[spec.alias]
    decision = decide(spec, lineage, observed.now, observed.suggestion(spec.alias))
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
    limited: CertkeeperError | None,
    staple_ability: bool,
) -> LineagePlan:
    lineage, records, settings = observed.lineages[spec.alias], observed.records, configuration.settings
    must_staple = spec.must_staple and staple_ability
    methods, places = proven(spec, settings, observed) if decision.due else ({}, {})
    base = LineagePlan(
        spec=spec,
        reason=decision.reason,
        detail=decision.detail,
        actions=(),
        fingerprint=fingerprint(spec, lineage, settings.ca, must_staple),
        wake_at=None if decision.due else decision.renew_at,
        methods=methods,
    )
    debt = unpaid(spec, lineage, records)
    if not decision.due:
        owed: tuple[Action, ...] = (CallHook(spec.hook, debt),) if debt is not None else ()
        return replace(base, actions=(*owed, *_next_key(spec, lineage)))
    error = limited or _sure_failure(spec, lineage, places, methods, configuration, observed)
    backoff = records.backoffs.get(spec.alias)
    failed = names_failed(spec, records, settings.ca)
    if error is None and patient:
        error = waiting(backoff, backoff_inputs(base.fingerprint, settings), observed.now)
        error = error or name_error(spec, failed, observed, settings)
    if error is not None:
        return replace(base, error=error, wake_at=error.retry_at)
    resume = resumable(spec, lineage, records, settings.ca, must_staple=must_staple)
    actions: tuple[Action, ...] = (
        UseKey(_key_source(spec, lineage), spec.key),
        Order(spec.identifiers, must_staple, profile_of(spec, observed.profiles), resume, _replaced(spec, observed)),
        *ways(spec, settings, observed, methods, places),
        Activate(f"{settings.certdir}/{spec.alias}"),
        *((CallHook(spec.hook, debt),) if spec.hook else ()),
        *((MakeNextKey(spec.key),) if spec.key.policy is KeyPolicy.ROLLOVER else ()),
    )
    return replace(base, actions=actions, backoff=backoff, names_failed=failed)


def _sure_failure(
    spec: CertSpec,
    lineage: Lineage,
    places: Mapping[DnsName, Place | None],
    methods: Mapping[Identifier, ChallengeType],
    configuration: Configuration,
    observed: Observed,
) -> CertkeeperError | None:
    """Why an order would be for nothing, as far as that can be seen before it."""
    ca = configuration.settings.ca
    return (
        key_error(spec, lineage, observed.lineages)
        or kind_error(spec, _key_source(spec, lineage), ca)
        or standing_error(methods, observed)
        or zone_error(spec, places, configuration, observed)
        or script_error(methods, places)
        or profile_error(spec, observed.profiles, ca)
        or crowd_error(spec, profile_of(spec, observed.profiles), ca)
        or redundancy_error(spec, ca)
        or caa_error(spec, observed.caa, methods)
    )


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
    # One that others have is never used again; key_error stops those that a person put there.
    if spec.key.policy is KeyPolicy.NEW or lineage.key_place is KeyPlace.ABSENT or lineage.compromised:
        return KeySource.NEW
    return KeySource.PLAIN if lineage.key_place is KeyPlace.PLAIN else KeySource.REUSE


def _replaced(spec: CertSpec, observed: Observed) -> str:
    """The live certificate's name at the CA. Only one that the CA answered for is its own for sure."""
    advice = observed.advice.get(spec.alias)
    return advice.cert_id if advice is not None and advice.suggestion is not None else ""


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
    findings += zone_findings((observed.zones or {}).values(), observed.now)
    findings += hook_findings([item.spec for item in due], observed.scripts)
    findings += profile_findings([item.spec for item in due], observed.profiles)
    findings += label_findings(due, observed.account)
    findings += crowd_findings([item.spec for item in due], configuration.settings.ca)
    findings += clock_findings(configuration.settings.ca, observed.clock_behind)
    findings += urgent_findings([item.alias for item in due], observed.lineages, observed.advice, observed.now)
    return [*findings, *caa_findings([item.spec for item in due], observed.caa)]
