"""What is to be said of a service's TLSA records from outside: would its clients find them, trust them, and get in?

RFC 7672 for mail, RFC 7673 for SRV, RFC 7712 for XMPP. Records count once everything that leads to them is secure;
where something on the way is bogus, mail is deferred, whatever stands there.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from certkeeper.apply.daneports import TlsaLook
from certkeeper.apply.daneservices import DaneService, Unfound
from certkeeper.apply.verdict import Grade, Margins, Remark, worst
from certkeeper.base.names import DnsName
from certkeeper.base.times import duration_text, iso
from certkeeper.base.value import dataclass
from certkeeper.dane.check import DaneVerdict, Match, Shown, check
from certkeeper.dane.facts import Answer, Trust
from certkeeper.dane.policy import use_of
from certkeeper.dane.tlsa import DANE_EE, Tlsa
from certkeeper.lineage.integrity import served
from certkeeper.lineage.model import BadChain
from certkeeper.service.handshake import Handshake, KeyFamily, Look, Unseen

SIGNATURES = Margins(timedelta(days=3), timedelta(days=1))
"""Signers renew with days to spare: PowerDNS keeps a week."""
_INSECURE = {Trust.UNSIGNED, Trust.NO_DS}


@dataclass(frozen=True, slots=True)
class Matched:
    """One handshake, compared with all records that any name server shows; `look` is Unseen where there was none."""

    look: Look
    verdict: DaneVerdict | None


@dataclass(frozen=True, slots=True)
class ServiceVerdict:
    """All that is to be said of one service. `owner` is where its records count; `remarks` has the worst first."""

    service: DaneService
    owner: DnsName
    tlsa: TlsaLook
    records: frozenset[Tlsa]
    matched: tuple[Matched, ...]
    remarks: tuple[Remark, ...]

    @property
    def grade(self) -> Grade:
        return worst([remark.grade for remark in self.remarks])

    @property
    def proven(self) -> bool:
        """Clients that know DANE get in, with proof."""
        return bool(self.records) and self.tlsa.trust is Trust.SECURE and self.grade in {Grade.OK, Grade.WARNING}


def about_unfound(lost: Unfound) -> Remark:
    """A lookup error is no absence: mail to the domain is deferred (RFC 7672 §2.1.3)."""
    said = lost.said.flaw or lost.said.trouble
    if lost.said.trust is Trust.BOGUS:
        consequence = "mail is deferred" if lost.kind == "MX" else "clients do not find the service"
        return Remark(Grade.CRITICAL, f"{lost.kind} records are bogus, so {consequence}: {said}")
    return Remark(Grade.UNKNOWN, f"{lost.kind} records: {said}")


def owner_of(service: DaneService, looks: "dict[DnsName, TlsaLook]") -> DnsName:
    """The first of the owners that has secure records, else the last, which is the host's own (RFC 7672 §2.2.2)."""
    for owner in service.owners:
        if looks[owner].trust is Trust.SECURE and records_of(looks[owner]):
            return owner
    return service.owners[-1]


def records_of(look: TlsaLook) -> frozenset[Tlsa]:
    """The records that any server shows."""
    return frozenset(record for answer in look.answers for record in answer.records or ())


def judge(
    service: DaneService, owner: DnsName, look: TlsaLook, seen: Sequence[Look], margins: Margins, now: datetime
) -> ServiceVerdict:
    """`seen` are the handshakes with the service; `now` is aware. Certificates count where some record says so."""
    records = records_of(look)
    matched = tuple(_matched(service, owner, look, item, now) for item in seen)
    remarks = [*_about_records(service, owner, look, records)]
    if records:
        remarks += [*_about_way(service), *_about_servers(look, now), *_about_handshakes(matched, margins, now)]
        if all(record.unusable for record in records):
            text = "no client can use any of the records; mail servers demand TLS then and prove nothing"
            remarks.append(Remark(Grade.CRITICAL, text))
    remarks.sort(key=lambda remark: (Grade.CRITICAL, Grade.UNKNOWN, Grade.WARNING, Grade.OK).index(remark.grade))
    unique = tuple({remark.text: remark for remark in reversed(remarks)}.values())[::-1]
    return ServiceVerdict(service, owner, look, records, matched, unique)


def _matched(service: DaneService, owner: DnsName, look: TlsaLook, seen: Look, now: datetime) -> Matched:
    """Where servers show different sets, a client may have any of them: the worst of them counts."""
    if isinstance(seen, Unseen):
        return Matched(seen, None)
    use = use_of(service.endpoint.port)
    shown = Shown(seen.chain, service.names(owner), use, seen.untrusted)
    sets = dict.fromkeys(answer.records for answer in look.answers if answer.records)
    verdicts = [check(records, shown, now) for records in sets]
    bad = next((item for item in verdicts if not item.sound), None)
    return Matched(seen, bad or check(records_of(look), shown, now))


def _about_records(service: DaneService, owner: DnsName, look: TlsaLook, records: frozenset[Tlsa]) -> Iterator[Remark]:
    deferred = "mail is deferred" if service.is_mail_exchanger else "clients refuse it"
    if look.trouble:
        yield Remark(Grade.UNKNOWN, f"{owner}: {look.trouble}")
    elif look.trust is Trust.BOGUS:
        yield Remark(Grade.CRITICAL, f"{owner} is bogus, so {deferred}: {look.flaw}")
    elif not records:
        if service.expected:
            yield Remark(Grade.WARNING, f"there are no TLSA records at {owner}")
    elif look.trust is Trust.CACHED:
        yield Remark(Grade.WARNING, f"{owner} is not seen by all clients that validate yet: {look.flaw}")
    elif look.trust is Trust.HIDDEN:
        yield Remark(Grade.CRITICAL, f"{owner} is hidden from clients that validate: {look.flaw}")
    elif look.trust is Trust.UNPROVEN:
        yield Remark(Grade.UNKNOWN, f"whether {owner} is secure is not known: {look.flaw}")
    elif look.trust in _INSECURE:
        yield Remark(Grade.WARNING, f"clients pass over {owner}: {look.flaw}")


def _about_way(service: DaneService) -> Iterator[Remark]:
    """Everything before the records has to be secure, too (RFC 7672 §2.2, RFC 7673 §3)."""
    if service.lead is not None and service.lead.trust is not Trust.SECURE:
        what = "MX" if service.is_mail_exchanger else "SRV"
        text = f"the {what} records of {service.domain} are not secure, so the records protect nobody: "
        grade = Grade.UNKNOWN if service.lead.trust is Trust.UNPROVEN else Grade.WARNING
        yield Remark(grade, text + (service.lead.flaw or service.lead.trust.value))
    said = service.secured
    if said.trust is Trust.BOGUS:
        consequence = "mail is deferred" if service.is_mail_exchanger else "clients do not connect"
        yield Remark(Grade.CRITICAL, f"the addresses of {service.host} are bogus, so {consequence}: {said.flaw}")
    elif said.trouble:
        yield Remark(Grade.UNKNOWN, f"the addresses of {service.host}: {said.trouble}")
    elif said.trust is not Trust.SECURE:
        grade = Grade.UNKNOWN if said.trust is Trust.UNPROVEN else Grade.WARNING
        text = f"the addresses of {service.host} are not secure, so clients do not look for its records: "
        yield Remark(grade, text + (said.flaw or said.trust.value))
    elif not service.addresses:
        yield Remark(Grade.CRITICAL, f"{service.host} has no address")
    if service.alias is not None and service.kind in {"MX", "SRV"}:
        yield Remark(Grade.WARNING, f"{service.host} is a CNAME of {service.alias}, which {service.kind} may not name")


def _about_servers(look: TlsaLook, now: datetime) -> Iterator[Remark]:
    sets = {answer.records for answer in look.answers if answer.records is not None}
    if len(sets) > 1:
        most = max(len(records) for records in sets)
        behind = [item.server for item in look.answers if item.records is not None and len(item.records) < most]
        where = ", ".join(behind or [item.server for item in look.answers])
        yield Remark(Grade.WARNING, f"name servers show different records: compare {where}")
    for answer in look.answers:
        if answer.records is None:
            yield Remark(Grade.WARNING, f"name server {answer.server}: {look.troubles.get(answer.server, 'no answer')}")
        else:
            yield from _about_signature(answer, now)


def _about_signature(answer: Answer, now: datetime) -> Iterator[Remark]:
    if answer.signed_until is None:
        return
    left = answer.signed_until - now
    if left <= timedelta():
        yield Remark(Grade.CRITICAL, f"name server {answer.server}: the signature expired {iso(answer.signed_until)}")
    elif left <= SIGNATURES.warning:
        grade = Grade.CRITICAL if left <= SIGNATURES.critical else Grade.WARNING
        yield Remark(grade, f"name server {answer.server}: the signature ends in {duration_text(left)}")


def _about_handshakes(matched: Sequence[Matched], margins: Margins, now: datetime) -> Iterator[Remark]:
    for item in matched:
        target = item.look.target
        at = f"{item.look.address} ({target.family.value})" if target.family is not KeyFamily.ANY else item.look.address
        if isinstance(item.look, Unseen):
            # Of two families a server may well have one.
            if target.family is KeyFamily.ANY:
                yield Remark(Grade.CRITICAL, f"{at}: {item.look.message}")
            continue
        if item.verdict is None or not item.verdict.usable:
            continue
        if not item.verdict.proven:
            reason = next((one.reason for one in item.verdict.records if one.match is Match.REFUSED), "")
            yield Remark(Grade.CRITICAL, f"{at}: no record matches what is served{f': {reason}' if reason else ''}")
        elif item.verdict.failing:
            kinds = ", ".join(str(kind) for kind in item.verdict.failing)
            yield Remark(Grade.CRITICAL, f"{at}: nothing of {kinds} matches, and some clients know nothing else")
        else:
            yield from _about_life(item.look, item.verdict, at, margins, now)


def _about_life(look: Handshake, verdict: DaneVerdict, at: str, margins: Margins, now: datetime) -> Iterator[Remark]:
    """The end of a certificate counts for all usages but 3 (RFC 7671 §5.1)."""
    if all(item.record.usage == DANE_EE for item in verdict.records if item.match is Match.MATCHES):
        return
    try:
        leaf, _ = served(look.chain, now)
    except BadChain:
        return
    left = leaf.not_after - now
    if left <= margins.warning:
        grade = Grade.CRITICAL if left <= margins.critical else Grade.WARNING
        yield Remark(grade, f"{at}: the certificate ends in {duration_text(left)}, which counts for usages 0 to 2")
