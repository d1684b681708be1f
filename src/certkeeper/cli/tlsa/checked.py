"""What `certkeeper tlsa check` found, as text and as JSON."""

from collections.abc import Iterator, Sequence

from certkeeper.apply.daneservices import Unfound
from certkeeper.apply.daneverdict import Matched, ServiceVerdict
from certkeeper.apply.verdict import Grade, Remark
from certkeeper.base.errors import printable
from certkeeper.base.times import iso
from certkeeper.dane.check import Match, RecordVerdict
from certkeeper.dane.tlsa import Tlsa
from certkeeper.service.handshake import Handshake, KeyFamily, Unseen

Lost = Sequence[tuple[Unfound, Remark]]
_MOST_DATA = 24


def lines(grade: Grade, verdicts: Sequence[ServiceVerdict], lost: Lost) -> Iterator[str]:
    """The first line is what monitoring shows; each service follows, with its records."""
    with_records = [item for item in verdicts if item.records]
    what = f"{sum(item.proven for item in with_records)} of {len(with_records)} services with TLSA records proven"
    if not with_records:
        what = "no TLSA records"
    remarks = [remark for _, remark in lost] + [remark for item in verdicts for remark in item.remarks]
    first = next((remark for remark in remarks if remark.grade is grade), None)
    if grade is not Grade.OK and first is not None:
        what = f"{printable(first.text, 160)} ({what})"
    yield f"CERTKEEPER TLSA {grade.name} - {what}"
    for item, remark in lost:
        yield f"{remark.grade.name:8} {item.domain}"
        yield f"         {printable(remark.text, 300)}"
    for verdict in verdicts:
        if verdict.records or verdict.remarks:
            yield from _of_service(verdict)


def _of_service(verdict: ServiceVerdict) -> Iterator[str]:
    service, look = verdict.service, verdict.tlsa
    lead = f" for {service.domain} ({service.kind})" if service.kind else ""
    place = f" -> {look.place}" if look.place != verdict.owner else ""
    yield f"{verdict.grade.name:8} {_endpoint(verdict)}{lead}: {verdict.owner}{place}, {look.trust.value}"
    for record in sorted(verdict.records):
        yield f"         {_short(record)}: {_matching(record, verdict.matched)}"
    until = [answer.signed_until for answer in look.answers if answer.signed_until is not None]
    if verdict.records and until:
        ttl = max(answer.ttl for answer in look.answers)
        yield f"         TTL {ttl} s, signed until {iso(min(until))}, at {len(look.answers)} name servers"
    for remark in verdict.remarks:
        yield f"         {remark.grade.name.lower()}: {printable(remark.text, 300)}"


def _endpoint(verdict: ServiceVerdict) -> str:
    endpoint = verdict.service.endpoint
    return f"{endpoint.word or endpoint.protocol.value}://{verdict.service.host}:{endpoint.port}"


def _short(record: Tlsa) -> str:
    data = record.data.hex()
    return f"{record.type} {data if len(data) <= _MOST_DATA else f'{data[:_MOST_DATA]}…'}"


def _matching(record: Tlsa, matched: Sequence[Matched]) -> str:
    """With whom it matches; why it does not where that is the same everywhere."""
    said = {one.look.address + _family(one): item for one in matched for item in _said(record, one)}
    good = [where for where, item in said.items() if item.match is Match.MATCHES]
    if good:
        return f"matches {', '.join(good)}"
    reasons = dict.fromkeys(f"{item.match}: {item.reason}" if item.reason else item.match for item in said.values())
    return "; ".join(reasons) or "not compared"


def _said(record: Tlsa, one: Matched) -> list[RecordVerdict]:
    return [item for item in (one.verdict.records if one.verdict is not None else ()) if item.record == record]


def _family(one: Matched) -> str:
    family = one.look.target.family
    return "" if family is KeyFamily.ANY else f" {family.value}"


def document(grade: Grade, verdicts: Sequence[ServiceVerdict], lost: Lost) -> dict[str, object]:
    """The same for programs; nothing is shortened."""
    return {
        "grade": grade.name.lower(),
        "lost": [
            {"domain": item.domain.text, "kind": item.kind, "grade": remark.grade.name.lower(), "text": remark.text}
            for item, remark in lost
        ],
        "services": [_service(item) for item in verdicts],
    }


def _service(item: ServiceVerdict) -> dict[str, object]:
    service, look = item.service, item.tlsa
    return {
        "service": service.endpoint.word or service.endpoint.protocol.value,
        "domain": service.domain.text,
        "kind": service.kind or None,
        "host": service.host.text,
        "port": service.endpoint.port,
        "addresses": list(service.addresses),
        "lead_secure": None if service.lead is None else service.lead.trust.value,
        "addresses_secure": service.secured.trust.value,
        "owner": item.owner.text,
        "place": look.place.text,
        "trust": look.trust.value,
        "flaw": look.flaw or None,
        "grade": item.grade.name.lower(),
        "remarks": [{"grade": remark.grade.name.lower(), "text": remark.text} for remark in item.remarks],
        "records": [str(record) for record in sorted(item.records)],
        "servers": [
            {
                "server": answer.server,
                "records": None if answer.records is None else [str(record) for record in sorted(answer.records)],
                "ttl": answer.ttl,
                "signed_until": None if answer.signed_until is None else iso(answer.signed_until),
                "trouble": look.troubles.get(answer.server),
            }
            for answer in look.answers
        ],
        "handshakes": [_handshake(one) for one in item.matched],
    }


def _handshake(one: Matched) -> dict[str, object]:
    verdict = one.verdict
    return {
        "address": one.look.address or None,
        "family": one.look.target.family.value,
        "trouble": one.look.trouble.value if isinstance(one.look, Unseen) else None,
        "version": one.look.version if isinstance(one.look, Handshake) else None,
        "proven": verdict is not None and verdict.proven,
        "failing": [str(kind) for kind in verdict.failing] if verdict is not None else [],
        "records": [
            {
                "record": str(item.record),
                "match": item.match.value,
                "reason": item.reason or None,
                "position": item.position,
            }
            for item in (verdict.records if verdict is not None else ())
        ],
    }
