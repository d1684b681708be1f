"""What earlier runs left: records to withdraw, orders to go on with, hooks to call, entries that nobody needs."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import count
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, replace
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.providers import provider_for
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.lineage.model import Lineage
from certkeeper.plan.actions import KeySource, LineagePlan
from certkeeper.plan.gates import FREE, Allowed, Gate
from certkeeper.plan.nextkey import key_source
from certkeeper.plan.observed import Observed
from certkeeper.plan.profiles import acceptable
from certkeeper.plan.records import ChallengeIntent, Deployment, HookDebt, OrderIntent, Record, Records, ToldIntent
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.rrset import Zone, ZoneKind

DEPLOY_CERT = "deploy_cert"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """The records of killed runs: those to withdraw, those whose zone is gone, and why some can't be withdrawn."""

    withdrawals: Mapping[Zone, tuple[ChallengeIntent, ...]]
    homeless: tuple[ChallengeIntent, ...] = ()
    unreachable: tuple[CertkeeperError, ...] = ()


def leftovers(observed: Observed, settings: Settings) -> Leftovers:
    """Sort what killed runs published by what can be done about it."""
    found: dict[Zone, tuple[ChallengeIntent, ...]] = {}
    homeless: list[ChallengeIntent] = []
    stuck: dict[str, list[ChallengeIntent]] = {}
    for intent in observed.records.left if observed.zones is not None else ():
        provider = writer(intent, settings)
        zones = (observed.zones or {}).get(provider)
        zone = _home(intent, zones.by_name.get(intent.zone)) if zones is not None else None
        if zones is not None and zones.trouble is not None:
            stuck.setdefault(provider, []).append(intent)
        elif zone is None or not zone.kind.writable:
            homeless.append(intent)
        else:
            found[zone] = (*found.get(zone, ()), intent)
    unreachable = tuple(
        _unreachable(intents, zones.trouble)
        for provider, intents in stuck.items()
        if (zones := (observed.zones or {})[provider]).trouble is not None
    )
    return Leftovers(found, tuple(homeless), unreachable)


def _home(intent: ChallengeIntent, found: Zone | None) -> Zone | None:
    """Where to withdraw a record. A script is told of the name, and what zone there is may never have been known."""
    if found is not None and found.kind is ZoneKind.SCRIPTED:
        return replace(found, name=intent.zone, id=intent.zone.text)
    return found if found is not None and found.name == intent.zone else None


def writer(intent: ChallengeIntent, settings: Settings) -> str:
    """The id of the provider that takes a record away: the one that wrote it, if the page still knows it."""
    if settings.provider(intent.provider) is not None:
        return intent.provider
    page = settings.providers[0].id if settings.providers else ""
    provider = provider_for(settings, intent.zone, page)
    return provider if isinstance(provider, str) else page


def _unreachable(left: Sequence[ChallengeIntent], trouble: CertkeeperError) -> ZoneError:
    names = sorted({intent.zone.text for intent in left})
    return ZoneError(
        f"{count(len(left), 'challenge record')} of an earlier run may still be in {', '.join(names)}: {trouble}",
        hint=trouble.hint or "the next run withdraws them",
    )


def homeless_findings(homeless: Collection[ChallengeIntent]) -> Iterable[Finding]:
    """Zones that went away, or moved to another server, with a killed run's records in them."""
    for zone in sorted({intent.zone for intent in homeless}):
        records = ", ".join(f"{item.owner} TXT {item.rdata}" for item in homeless if item.zone == zone)
        yield Finding(
            code="left-behind",
            severity=Severity.WARNING,
            message=f"zone {zone} is not at its DNS provider any more",
            consequence=f"what an earlier run published there is not withdrawn: {records}",
            fix="if it comes back, the next run withdraws them; if it is gone for good: certkeeper dns cleanup",
        )


def not_callable(told: Sequence[ToldIntent], settings: Settings) -> tuple[ToldIntent, ...]:
    """Those whose script the page does not name: the journal's word alone starts no program."""
    return tuple(intent for intent in told if intent.script not in settings.scripts)


def untold_findings(untold: Collection[ToldIntent]) -> Iterable[Finding]:
    """Scripts that a killed run told of challenges, and that nobody tells to clean them."""
    for script in sorted({intent.script for intent in untold}):
        mine = [intent for intent in untold if intent.script == script]
        yield Finding(
            code="left-behind",
            severity=Severity.WARNING,
            message=f"the page does not name the script {script}, which was told of {count(len(mine), 'challenge')}",
            consequence="an earlier run was killed, and the script is not told to clean them",
            fix="call it: "
            + "; ".join(f"{script} clean_challenge {item.name} {item.token} {item.value}" for item in mine)
            + "; then: certkeeper dns cleanup",
        )


def key_of(spec: CertSpec, lineage: Lineage, gate: Gate = FREE) -> str:
    """What an order is for: the key of a request or the present one, or a new one of that kind (`OrderIntent.key`)."""
    source = key_source(spec, lineage, gate)
    if spec.request is not None:
        return spec.request.key_id
    if source is KeySource.NEXT and lineage.next_key_id is not None:
        return lineage.next_key_id
    return lineage.key_id if source is not KeySource.NEW and lineage.key_id is not None else str(spec.key)


def resumable(
    spec: CertSpec, lineage: Lineage, records: Records, *, must_staple: bool, gate: Gate = FREE
) -> OrderIntent | None:
    """The open order that still is for what is wanted; one whose version is live came to its end."""
    intent = records.orders.get(spec.entry)
    if intent is None or intent.stamp == lineage.stamp:
        return None
    wanted = OrderIntent(
        alias=spec.entry,
        url=intent.url,
        ca=spec.ca,
        identifiers=spec.identifiers,
        profile=intent.profile if intent.profile in acceptable(spec) else spec.profile,
        must_staple=must_staple,
        key=key_of(spec, lineage, gate),
        stamp=intent.stamp,
    )
    return intent if intent == wanted else None


def unfinished(spec: CertSpec, lineage: Lineage, records: Records, *, must_staple: bool, gate: Gate = FREE) -> bool:
    """An earlier run ordered a certificate that the lineage does not need yet, and that never went live.

    Where the live certificate is younger than that order, somebody else has renewed since.
    """
    intent = resumable(spec, lineage, records, must_staple=must_staple, gate=gate)
    if intent is None:
        return False
    return lineage.leaf is None or lineage.leaf.not_before.timestamp() <= intent.stamp


def unpaid(spec: CertSpec, lineage: Lineage, records: Records) -> HookDebt | None:
    """The hook call that is owed for the live version."""
    debt = records.debts.get(spec.entry)
    return debt if debt is not None and spec.deployer and debt.stamp == lineage.stamp else None


def in_services(spec: CertSpec, records: Records) -> tuple[Deployment, ...]:
    """What the journal holds of the certificate in the services that it is for."""
    known = ((name, spec.entry) for name in spec.targets)
    return tuple(records.deployments[key] for key in known if key in records.deployments)


def waits_for_gate(spec: CertSpec, lineage: Lineage, records: Records, *, must_staple: bool) -> bool:
    """An earlier run ordered with the next key, nothing is due, and what DNS lets that key do decides what becomes of
    it: the order is paid for, and goes live once it may.
    """
    if spec.tlsa is None:
        return False
    return unfinished(spec, lineage, records, must_staple=must_staple, gate=Gate(Allowed.NEXT))


def stale(planned: Iterable[LineagePlan], observed: Observed, asks: Callable[[CertSpec], bool]) -> tuple[Record, ...]:
    """Entries of lineages that need no certificate: the switch came through, or somebody else renewed. `asks`: may the
    CA be asked for must-staple?
    """
    entries: list[Record] = []
    for item in planned:
        if item.order is not None or item.error is not None:
            continue
        records = observed.records
        lineage, must_staple = observed.lineages[item.alias], item.spec.must_staple and asks(item.spec)
        found: list[Record | None] = [records.backoffs.get(item.spec.entry)]
        if not waits_for_gate(item.spec, lineage, records, must_staple=must_staple):
            found.append(records.orders.get(item.spec.entry))
        if item.hook is None:
            found.append(records.debts.get(item.spec.entry))
        entries += [entry for entry in found if entry is not None]
    return tuple(entries)


def zones_left(records: Records, settings: Settings) -> dict[str, tuple[DnsName, ...]]:
    """The zones that killed runs wrote to, by the provider to ask for them."""
    found: dict[str, dict[DnsName, None]] = {}
    for intent in records.left:
        found.setdefault(writer(intent, settings), {})[intent.zone] = None
    return {provider: tuple(zones) for provider, zones in found.items()}
