"""What is wrong with a zone, from what was seen of it. Findings name the consequence and what to type."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec
from certkeeper.plan.caa import caa_findings, forbidden_text, remedy, verdicts
from certkeeper.plan.delegation import delegation_findings, dnssec_findings, server_findings
from certkeeper.plan.observed import Caa, Zones
from certkeeper.plan.preflight import zone_findings
from certkeeper.plan.records import CHALLENGE_LABEL, ChallengeIntent
from certkeeper.zone.caa import CaaOutcome
from certkeeper.zone.facts import Kept, ZoneFacts
from certkeeper.zone.rrset import KNOWN_SOA_EDIT, Zone, ZoneKind, canonical_txt

LONGEST_TTL = 3600
"""Seconds. What is cached for longer than that stands in the way of a change that cannot wait."""
LONGEST_NEGATIVE_TTL = 900


@dataclass(frozen=True, slots=True)
class Repair:
    """What can be set at PowerDNS without touching a record. `soa_edit_api` None: stays as it is."""

    zone: Zone
    soa_edit_api: str | None = None
    rectify: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """What is going to be done, a line each."""
        lines = [f"set SOA-EDIT-API to {self.soa_edit_api}"] if self.soa_edit_api is not None else []
        return (*lines, *(["set API-RECTIFY to 1, rectify the zone, flush its cache"] if self.rectify else []))


def examine(
    facts: ZoneFacts,
    now: datetime,
    *,
    specs: Collection[CertSpec] = (),
    caa: Mapping[str, Caa] | None = None,
    owed: Collection[ChallengeIntent] = (),
) -> tuple[Finding, ...]:
    """All findings of one zone, in the order in which they are worth reading.

    `specs` are the certificates with names in it, `caa` is by CA, `owed` are the challenge records that the journal
    knows of.
    """
    kept = facts.kept
    found: list[Finding] = []
    if facts.homeless:
        found.append(_missing(facts.name))
    if facts.kept_trouble:
        found.append(_unread(facts))
    if kept is not None:
        found += _kind_findings(kept)
        found += zone_findings([_alone(kept.zone)], now)
        found += _soa_edit_findings(kept)
        found += _rectify_findings(kept)
    found += dnssec_findings(facts, now)
    found += delegation_findings(facts)
    found += server_findings(facts)
    found += _ttl_findings(facts)
    found += _caa_findings(specs, caa or {})
    if kept is not None:
        found += _left_findings(kept, owed)
    return tuple(found)


def repair(kept: Kept, now: datetime) -> Repair | None:
    """What the API can mend of what `examine` finds; None where there is nothing."""
    zone = kept.zone
    wrong_serial = any(True for _ in zone_findings([_alone(zone)], now))
    value = zone.raising_soa_edit_api if wrong_serial else None
    unrectified = any(True for _ in _rectify_findings(kept))
    return Repair(zone, value, unrectified) if value is not None or unrectified else None


def _alone(zone: Zone) -> Zones:
    return Zones("", by_name={zone.name: zone})


def homeless_names(names: Sequence[DnsName]) -> Finding:
    """Names of certificates that no zone at the server holds."""
    return Finding(
        code="zone-missing",
        severity=Severity.ERROR,
        message=f"no zone at their DNS provider holds {_listed(names)}",
        consequence="these names cannot be proven",
        fix="correct them in domains.txt, or create their zone there",
    )


def _listed(names: Sequence[DnsName]) -> str:
    return ", ".join(name.text for name in names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def unreadable(error: CertkeeperError, names: Sequence[DnsName]) -> Finding:
    """A provider that cannot be asked, or not about these names."""
    return Finding(
        code="provider-unreadable",
        severity=Severity.ERROR,
        message=str(error),
        consequence=f"not looked at: {_listed(names)}",
        fix=error.hint,
    )


def _missing(name: DnsName) -> Finding:
    return Finding(
        code="zone-missing",
        severity=Severity.ERROR,
        message=f"zone {name}: not at its DNS provider",
        consequence="names in it cannot be proven",
        fix="create the zone there, or correct the name",
    )


def _unread(facts: ZoneFacts) -> Finding:
    return Finding(
        code="zone-unreadable",
        severity=Severity.ERROR,
        message=f"zone {facts.name}: cannot be read at its DNS provider: {facts.kept_trouble}",
        consequence="its settings and records were not looked at",
    )


def _kind_findings(kept: Kept) -> Iterable[Finding]:
    zone = kept.zone
    if zone.kind is ZoneKind.SECONDARY:
        yield Finding(
            code="zone-secondary",
            severity=Severity.ERROR,
            message=f"zone {zone.name}: a secondary at the server of PDNS_HOST",
            consequence="PowerDNS takes changes there without a word, and the next transfer undoes them",
            fix="point PDNS_HOST at the primary of that zone",
        )
    elif zone.kind is ZoneKind.NATIVE:
        yield Finding(
            code="zone-native",
            severity=Severity.NOTE,
            message=f"zone {zone.name}: of kind native",
            consequence="name servers that do not share its database are not told of changes",
            fix=f"if there are secondaries that transfer it: pdnsutil set-kind {zone.name} primary",
        )
    if kept.presigned:
        yield Finding(
            code="zone-presigned",
            severity=Severity.ERROR,
            message=f"zone {zone.name}: signed elsewhere (PRESIGNED)",
            consequence="records that are added here have no signature, and resolvers refuse them",
            fix="change the zone where it is signed, or let PowerDNS sign it: pdnsutil unset-presigned, secure-zone",
        )


def _soa_edit_findings(kept: Kept) -> Iterable[Finding]:
    zone = kept.zone
    value = zone.soa_edit.upper()
    if value not in KNOWN_SOA_EDIT:
        yield Finding(
            code="soa-edit",
            severity=Severity.WARNING,
            message=f"zone {zone.name}: SOA-EDIT is {zone.soa_edit}, which PowerDNS does not know",
            consequence="the serial is served as it is stored, so secondaries may keep signatures that have ended",
            fix=f"pdnsutil set-meta {zone.name} SOA-EDIT INCEPTION-INCREMENT",
        )
    elif value and kept.signed and zone.kind is ZoneKind.PRIMARY:
        yield Finding(
            code="soa-edit",
            severity=Severity.NOTE,
            message=f"zone {zone.name}: SOA-EDIT is {zone.soa_edit}: {zone.served_serial} is served, "
            f"{zone.serial} is stored",
            consequence="secondaries that are not PowerDNS may miss a change in the week in which signatures change",
            fix="",
        )


def _rectify_findings(kept: Kept) -> Iterable[Finding]:
    zone = kept.zone
    if kept.signed and not kept.presigned and not kept.rectifies and zone.kind.writable:
        yield Finding(
            code="api-rectify",
            severity=Severity.WARNING,
            message=f"zone {zone.name}: signed, and API-RECTIFY is off",
            consequence="a new name below a name without records (_25._tcp.mail, _acme-challenge.a.b) is denied to "
            "validating resolvers, although the server shows it; certkeeper rectifies the zone for its own records",
            fix=f"pdnsutil set-meta {zone.name} API-RECTIFY 1 && pdnsutil rectify-zone {zone.name}",
        )


def _ttl_findings(facts: ZoneFacts) -> Iterable[Finding]:
    for rrset in (facts.kept.records or ()) if facts.kept is not None else ():
        challenge = rrset.type == "TXT" and CHALLENGE_LABEL in rrset.owner.labels[:2]
        if rrset.ttl <= LONGEST_TTL or not rrset.rdata or not (challenge or rrset.type == "TLSA"):
            continue
        yield Finding(
            code=f"ttl-{rrset.type.lower()}",
            severity=Severity.WARNING,
            message=f"zone {facts.name}: {rrset.owner} {rrset.type} has a TTL of {rrset.ttl} s",
            consequence="a CA that has it cached does not see a new value"
            if challenge
            else "a new key has to wait for twice as long",
            fix="give it 3600 s or less",
        )
    longest = max((item.negative_ttl for item in facts.answering), default=0)
    if longest > LONGEST_NEGATIVE_TTL:
        yield Finding(
            code="negative-ttl",
            severity=Severity.NOTE,
            message=f"zone {facts.name}: that a name does not exist is kept for {longest} s (SOA minimum)",
            consequence="a resolver that asked for a name too early denies it for as long",
            fix=("pdnsutil edit-zone: " if facts.kept is not None else "") + "make the last number of the SOA 300",
        )


def _caa_findings(specs: Collection[CertSpec], caa: Mapping[str, Caa]) -> Iterable[Finding]:
    told = set()
    for spec in specs:
        if spec.ca not in caa:
            continue
        for name, verdict in verdicts(spec, caa[spec.ca]).items():
            if verdict.outcome is CaaOutcome.FORBIDDEN and (verdict.at, verdict.record, name.wildcard) not in told:
                told.add((verdict.at, verdict.record, name.wildcard))
                yield Finding(
                    code="caa-forbids",
                    severity=Severity.ERROR,
                    message=f"{name}: {forbidden_text(verdict)}",
                    consequence="the CA refuses, and others of the zone's names with it",
                    fix=remedy(verdict),
                )
    yield from caa_findings(specs, caa)


def _left_findings(kept: Kept, owed: Collection[ChallengeIntent]) -> Iterable[Finding]:
    ours = {(intent.owner, intent.rdata) for intent in owed}
    for owner, rdata in txt_values(kept):
        mine = (owner, rdata) in ours
        if not mine and CHALLENGE_LABEL not in owner.labels[:2]:
            continue
        yield Finding(
            code="challenge-left",
            severity=Severity.NOTE,
            message=f"zone {kept.zone.name}: {owner} TXT {rdata}"
            + (" was left by an earlier run" if mine else " is there"),
            consequence="it does no harm; many of them make answers large",
            fix="certkeeper dns cleanup" if mine else "remove it by hand, if no other program is at work",
        )


def txt_values(kept: Kept) -> Iterable[tuple[DnsName, str]]:
    """Owner and canonical rdata of every TXT record in the zone."""
    for rrset in kept.records or ():
        if rrset.type == "TXT":
            for rdata in sorted(rrset.rdata):
                yield rrset.owner, canonical_txt(rdata)
