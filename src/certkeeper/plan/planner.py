"""From what is wanted and what is there to what has to be done."""

from collections.abc import Collection, Mapping

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.base.value import replace
from certkeeper.config.findings import Finding
from certkeeper.config.methods import ChallengeType
from certkeeper.config.providers import provider_for
from certkeeper.config.settings import CertSpec, Configuration, Settings
from certkeeper.plan.actions import (
    Action,
    Activate,
    CallHook,
    Hold,
    Kept,
    LineagePlan,
    Order,
    Plan,
    Reason,
    Stage,
    UseKey,
)
from certkeeper.plan.advice import urgent_findings
from certkeeper.plan.backoff import backoff_inputs, ca_waiting, waiting
from certkeeper.plan.caa import caa_error, caa_findings, redundancy_error
from certkeeper.plan.due import Decision, decide, renew_findings
from certkeeper.plan.gates import gate_error, gate_findings, gate_of
from certkeeper.plan.limits import forgotten, in_turn, name_error, names_failed
from certkeeper.plan.muststaple import Abilities, abilities, renewal_findings, staple_error, staple_findings
from certkeeper.plan.namecount import address_error, crowd_error, crowd_findings
from certkeeper.plan.namefailure import (
    Chosen,
    blames,
    chosen,
    dropped_findings,
    is_about_names,
    kept,
    kept_until,
    not_dropped,
    settled,
)
from certkeeper.plan.nextkey import about_next_key, key_source, next_key
from certkeeper.plan.observed import Observed, Place, Wanted
from certkeeper.plan.orphans import alias_findings
from certkeeper.plan.preflight import (
    clock_findings,
    folder_error,
    hook_findings,
    key_error,
    kind_error,
    label_findings,
    no_certificates,
    script_error,
    zone_error,
    zone_findings,
)
from certkeeper.plan.profiles import profile_error, profile_findings, profile_of
from certkeeper.plan.proving import needs_account, owners_of, proven, serves, standing_owners, ways
from certkeeper.plan.records import Record
from certkeeper.plan.recovery import (
    homeless_findings,
    in_services,
    leftovers,
    not_callable,
    resumable,
    stale,
    unfinished,
    unpaid,
    untold_findings,
    zones_left,
)
from certkeeper.plan.safety import purpose_findings, unsafe_error
from certkeeper.plan.standing import ends_seen, other_ca, standing_error, standing_findings
from certkeeper.zone.rrset import Zone

_NOT_DUE = frozenset({Reason.CURRENT, Reason.HELD, Reason.STAGED})
_AWARE = frozenset({Reason.CURRENT, Reason.STAGED, Reason.REVOKED})


def wanted_zones(configuration: Configuration, observed: Observed, forced: Collection[Alias] = ()) -> dict[str, Wanted]:
    """What has to be known of each provider before a plan can be made: for due lineages, and for killed runs."""
    known = abilities(configuration, observed.lineages.values(), observed.now)
    settings = configuration.settings
    limited = _limited(configuration, observed)
    owners: dict[str, dict[DnsName, None]] = {}
    for spec in configuration.certificates:
        if spec.ca in limited and spec.alias not in forced:
            # Nothing is going to be ordered, so nobody need be asked.
            continue
        if _decision(spec, settings, observed, forced, can_staple=known.asks(spec)).due:
            for owner in (*owners_of(spec, observed.accounts.get(spec.ca, "")), *standing_owners(spec)):
                provider = provider_for(settings, owner, spec.provider)
                if isinstance(provider, str):
                    owners.setdefault(provider, {})[owner] = None
    left = zones_left(observed.records, settings)
    return {
        provider: Wanted(tuple(owners.get(provider, ())), tuple(left.get(provider, ())))
        for provider in dict.fromkeys((*owners, *left))
    }


def account_first(configuration: Configuration, observed: Observed, forced: Collection[Alias] = ()) -> tuple[str, ...]:
    """The CAs where there is no account yet, and a due lineage cannot be planned without its URL."""
    known = abilities(configuration, observed.lineages.values(), observed.now)
    limited = _limited(configuration, observed)
    return tuple(
        dict.fromkeys(
            spec.ca
            for spec in configuration.certificates
            if needs_account(spec)
            and not (spec.ca in observed.accounts or spec.ca in observed.unusable)
            and not (spec.ca in limited and spec.alias not in forced)
            and _decision(spec, configuration.settings, observed, forced, can_staple=known.asks(spec)).due
        )
    )


def plan(configuration: Configuration, observed: Observed, forced: Collection[Alias] = frozenset()) -> Plan:
    """Plan a run over the configuration's certificates, in their order.

    Args:
        configuration: certificates that nobody asked for must be left out before.
        observed: with `zones` for the owners of `due_owners`.
        forced: lineages that are issued although nothing is due.
    """
    known = abilities(configuration, observed.lineages.values(), observed.now)
    limited = _limited(configuration, observed)
    planned = tuple(
        _plan_lineage(
            spec,
            configuration,
            observed,
            forced,
            limited=limited.get(spec.ca) if spec.alias not in forced else None,
            can_staple=known.asks(spec),
        )
        for spec in configuration.certificates
    )
    lineages, over = _held_back(in_turn(planned, configuration, observed, forced), configuration, observed)
    due = [item for item in lineages if item.order is not None]
    left = leftovers(observed, configuration.settings)
    findings = _findings(configuration, observed, lineages, known)
    untold = not_callable(observed.records.told, configuration.settings)
    findings += (*homeless_findings(left.homeless), *untold_findings(untold))
    ends = ends_seen([item.spec for item in lineages if item.methods], observed)
    renewals = [(item.spec, item.wake_at) for item in lineages]
    ends_known = {ca: {**observed.ends.get(ca, {}), **ends.get(ca, {})} for ca in configuration.cas}
    findings += standing_findings(renewals, ends_known, observed.now, configuration.settings)
    return Plan(
        lineages=lineages,
        register_at=tuple(dict.fromkeys(item.spec.ca for item in due if item.spec.ca not in observed.registered)),
        zones=_merge_zones(due),
        findings=tuple(findings),
        wake_at=min((item.wake_at for item in lineages if item.wake_at is not None), default=None),
        withdrawals=left.withdrawals,
        unreachable=left.unreachable,
        stale=(*stale(lineages, observed, known.asks), *over, *forgotten(observed.records, observed.now)),
        homeless=left.homeless,
        ends=ends,
        limits=observed.records.limits,
        budgets=observed.records.budgets,
        clocks=frozenset(observed.clock_behind),
        files=observed.records.files,
        told=tuple(item for item in observed.records.told if item not in untold),
        untold=untold,
    )


def _held_back(
    lineages: tuple[LineagePlan, ...], configuration: Configuration, observed: Observed
) -> tuple[tuple[LineagePlan, ...], tuple[Record, ...]]:
    """The same with what is to be said of held lineages, and the holds that are over."""
    if not observed.records.held:
        return lineages, ()
    from certkeeper.plan import holding  # noqa: PLC0415 - most pages hold nothing back

    over = holding.spent(configuration.certificates, observed)
    return tuple(holding.alarmed(item) for item in lineages), tuple(over)


def _limited(configuration: Configuration, observed: Observed) -> Mapping[str, CertkeeperError]:
    """The CAs that have had enough. One error for all of a CA's certificates, so that it is told once."""
    waits = {ca: ca_waiting(observed.records.limits.get(ca), observed.now) for ca in configuration.cas}
    return {ca: error for ca, error in waits.items() if error is not None}


def _decision(
    spec: CertSpec, settings: Settings, observed: Observed, forced: Collection[Alias], *, can_staple: bool
) -> Decision:
    lineage = observed.lineages[spec.alias]
    hold = _hold(spec, settings, observed, can_staple=can_staple) if spec.alias not in forced else None
    if hold is not None and hold.decides:
        from certkeeper.plan.holding import held_decision  # noqa: PLC0415 - as above

        return held_decision(spec.alias, hold)
    decision = decide(
        spec,
        lineage,
        observed.now,
        observed.suggestion(spec.alias),
        can_staple=can_staple,
        settled=[item.name for item in settled(spec, lineage, settings)],
    )
    if decision.due:
        return decision
    if unfinished(
        spec,
        lineage,
        observed.records,
        must_staple=spec.must_staple and can_staple,
        gate=gate_of(spec, observed.gates.get(spec.alias)),
    ):
        return replace(decision, reason=Reason.UNFINISHED)
    return replace(decision, reason=Reason.FORCED) if spec.alias in forced else decision


def _plan_lineage(
    spec: CertSpec,
    configuration: Configuration,
    observed: Observed,
    forced: Collection[Alias],
    *,
    limited: CertkeeperError | None,
    can_staple: bool,
) -> LineagePlan:
    lineage, settings = observed.lineages[spec.alias], configuration.settings
    decision = _decision(spec, settings, observed, forced, can_staple=can_staple)
    base = LineagePlan(
        spec=spec,
        reason=decision.reason,
        detail=decision.detail,
        actions=(),
        inputs=(spec, lineage, spec.must_staple and can_staple),
        wake_at=None if decision.due else decision.renew_at,
        hold=_hold(spec, settings, observed, can_staple=can_staple),
        deployments=in_services(spec, observed.records),
    )
    if decision.reason is Reason.STAGED and base.hold is not None and base.hold.goes is not None:
        from certkeeper.plan.holding import going  # noqa: PLC0415 - as above

        return replace(base, actions=going(spec, lineage, base.hold.goes, base.hold.record, settings))
    if not decision.due:
        debt = unpaid(spec, lineage, observed.records)
        owed: tuple[Action, ...] = (CallHook(spec.deployer, debt),) if debt is not None else ()
        actions = (*owed, *next_key(spec, lineage))
        return replace(base, actions=actions, dropped=settled(spec, lineage, settings))
    patient = spec.alias not in forced
    choice = chosen(spec, configuration, observed, patient=patient)
    base = replace(base, dropped=choice.dropped, kept_until=kept_until(spec, lineage, observed.now))
    if choice.dropped and not _decision(choice.spec, settings, observed, forced, can_staple=can_staple).due:
        return _as_it_is(base, choice)
    return _plan_order(base, choice, configuration, observed, limited=limited, can_staple=can_staple, patient=patient)


def _hold(spec: CertSpec, settings: Settings, observed: Observed, *, can_staple: bool) -> Hold | None:
    if spec.entry not in observed.records.held:
        return None
    from certkeeper.plan.holding import hold_of  # noqa: PLC0415 - as above

    return hold_of(spec, settings, observed, can_staple=can_staple)


def _as_it_is(base: LineagePlan, choice: Chosen) -> LineagePlan:
    """All that can be had is live already."""
    errors = (choice.failing or {}).values()
    first = next(iter(errors))
    names = " ".join(str(item.name) for item in choice.dropped)
    error = Kept(f"the present certificate is kept, without {names}", first)
    return replace(base, error=error, wake_at=error.retry_at)


def _plan_order(
    base: LineagePlan,
    choice: Chosen,
    configuration: Configuration,
    observed: Observed,
    *,
    limited: CertkeeperError | None,
    can_staple: bool,
    patient: bool,
) -> LineagePlan:
    spec, records, settings = choice.spec, observed.records, configuration.settings
    lineage, must_staple = observed.lineages[spec.alias], spec.must_staple and can_staple
    methods, places = proven(spec, settings, observed)
    failed = names_failed(spec, records)
    base = replace(base, methods=methods, names_failed=failed)
    known = abilities(configuration, observed.lineages.values(), observed.now) if spec.staple_required else None
    error = limited or (staple_error(spec, known) if known is not None else None)
    error = error or _obstacle(spec, configuration, observed, methods, places)
    backoff = records.backoffs.get(spec.entry)
    if error is None and patient:
        if backoff is not None:
            # Its hash takes longer than all the rest of this.
            error = waiting(spec, backoff, backoff_inputs(base.fingerprint, base.spec, settings), observed.now)
        error = error or name_error(spec, failed, observed, settings)
    if error is not None:
        if base.kept_until is not None and is_about_names(base, error, choice, settings):
            error = kept(base.kept_until, error)
        elif blames(error, choice):
            error = not_dropped(spec, choice.failing or (), error)
        return replace(base, error=error, wake_at=error.retry_at)
    profile = profile_of(spec, observed.profiles.get(spec.ca))
    gate = gate_of(spec, observed.gates.get(spec.alias))
    resume = resumable(spec, lineage, records, must_staple=must_staple, gate=gate)
    debt = unpaid(spec, lineage, records)
    actions: tuple[Action, ...] = (
        UseKey(key_source(spec, lineage, gate), spec.key),
        Order(spec.identifiers, must_staple, profile, resume, _replaced(spec, observed)),
        *ways(spec, settings, observed, methods, places),
    )
    if base.hold is not None and base.hold.by_person:
        # Its hook and the key after it come when it goes live; what is owed for the live one is no part of that.
        owed = (CallHook(spec.deployer, debt),) if debt is not None else ()
        return replace(base, actions=(*actions, Stage(settings.folder(spec)), *owed), backoff=backoff)
    after = (*((CallHook(spec.deployer, debt),) if spec.deployer else ()), *about_next_key(spec, lineage))
    return replace(base, actions=(*actions, Activate(settings.folder(spec)), *after), backoff=backoff)


def _obstacle(
    spec: CertSpec,
    configuration: Configuration,
    observed: Observed,
    methods: Mapping[Identifier, ChallengeType],
    places: Mapping[DnsName, Place | None],
) -> CertkeeperError | None:
    """Why nothing is ordered, although it is due."""
    lineage, gate = observed.lineages[spec.alias], gate_of(spec, observed.gates.get(spec.alias))
    return (
        unsafe_error(spec, lineage, configuration.settings)
        or observed.unusable.get(spec.ca)
        or key_error(spec, lineage, observed.lineages)
        or gate_error(gate)
        or kind_error(spec, key_source(spec, lineage, gate))
        or standing_error(methods, observed.at(spec.ca), other_ca(spec.ca, configuration.settings))
        or zone_error(spec, places, configuration, observed)
        or script_error(methods, places)
        or folder_error(serves(spec, configuration.settings, methods), observed)
        or profile_error(spec, observed.profiles.get(spec.ca))
        or crowd_error(spec, profile_of(spec, observed.profiles.get(spec.ca)))
        or address_error(spec, profile_of(spec, observed.profiles.get(spec.ca)))
        or redundancy_error(spec)
        or caa_error(spec, observed.caa.get(spec.ca), methods)
    )


def _replaced(spec: CertSpec, observed: Observed) -> str:
    """The live certificate's name at the CA. Only one that the CA answered for is its own for sure."""
    if observed.versions.get(spec.alias):
        from certkeeper.plan.holding import last_ordered  # noqa: PLC0415 - as above

        if (newest := last_ordered(spec, observed)) is not None:
            return newest
    advice = observed.advice.get(spec.alias)
    return advice.cert_id if advice is not None and advice.suggestion is not None else ""


def _merge_zones(due: Collection[LineagePlan]) -> dict[Zone, tuple[DnsName, ...]]:
    merged: dict[Zone, dict[DnsName, None]] = {}
    for item in due:
        for proof in item.proofs:
            merged.setdefault(proof.zone, {}).update(dict.fromkeys(proof.owners))
    return {zone: tuple(owners) for zone, owners in merged.items()}


def _findings(
    configuration: Configuration, observed: Observed, lineages: tuple[LineagePlan, ...], known: Abilities
) -> list[Finding]:
    due = [item for item in lineages if item.reason not in _NOT_DUE]
    findings = list(staple_findings([item.spec for item in due], known))
    findings += renewal_findings([item.spec for item in lineages if item.reason in _NOT_DUE], known)
    if not configuration.certificates and not configuration.rejected:
        findings.append(no_certificates(configuration.settings.domains_txt))
    findings += purpose_findings(configuration)
    findings += renew_findings(configuration.certificates, observed.lineages)
    findings += dropped_findings(lineages)
    if observed.records.held:
        from certkeeper.plan.holding import hold_findings  # noqa: PLC0415 - as above

        findings += hold_findings(lineages)
    findings += alias_findings(
        configuration.certificates, observed.lineages, observed.orphans, configuration.settings.certdir
    )
    findings += zone_findings((observed.zones or {}).values(), observed.now)
    findings += hook_findings([item.spec for item in due], observed.scripts)
    findings += profile_findings([item.spec for item in due], observed.profiles)
    findings += label_findings(due, observed.accounts)
    findings += crowd_findings(item.spec for item in due)
    findings += gate_findings([item.spec for item in due if item.order is not None], observed.gates, observed.lineages)
    findings += clock_findings(observed.clock_behind)
    # Whoever had a certificate revoked knows that it has to go.
    unaware = [item.alias for item in lineages if item.reason not in _AWARE]
    findings += urgent_findings(unaware, observed.lineages, observed.advice, observed.now)
    return [*findings, *caa_findings([item.spec for item in due], observed.caa)]
