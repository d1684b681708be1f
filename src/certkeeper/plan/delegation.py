"""What is wrong with how a zone is delegated, signed and served."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from certkeeper.base.names import DnsName
from certkeeper.base.times import duration_text, iso
from certkeeper.config.findings import Finding, Severity
from certkeeper.zone.facts import Ds, Served, ZoneFacts, newer
from certkeeper.zone.rrset import ZoneKind

SHORTEST_SIGNATURE = timedelta(days=5)
"""PowerDNS's signatures always have a week left: with fewer days somebody has stopped fetching new ones."""


def dnssec_findings(facts: ZoneFacts, now: datetime) -> Iterable[Finding]:
    """Is the zone signed, does its parent say so, and do the signatures hold?"""
    signed = is_signed(facts)
    parent = facts.delegation
    trusted = parent.ds if parent is not None and parent.exists else None
    tlsa = sorted(item.owner for item in (facts.kept.records or ()) if item.type == "TLSA") if facts.kept else []
    if signed:
        yield from _ds_findings(facts, trusted)
        yield from _signature_findings(facts, now)
    elif trusted:
        yield Finding(
            code="ds-mismatch",
            severity=Severity.ERROR,
            message=f"zone {facts.name}: not signed, and its parent has a DS for it: {_listed(trusted)}",
            consequence="validating resolvers, those of CAs among them, answer SERVFAIL for every name in it",
            fix="have the DS removed at the registrar, or sign the zone"
            + _typed(facts, f": pdnsutil secure-zone {facts.name}"),
        )
    else:
        yield Finding(
            code="unsigned",
            severity=Severity.NOTE,
            message=f"zone {facts.name}: not signed (DNSSEC)",
            consequence="no TLSA record in it counts",
            fix=_typed(facts, f"pdnsutil secure-zone {facts.name}", "sign the zone")
            + ", then give the DS to the registrar",
        )
    if tlsa and (not signed or trusted == frozenset()):
        yield Finding(
            code="tlsa-unsigned",
            severity=Severity.WARNING,
            message=f"zone {facts.name}: TLSA at {_names(tlsa)}, and the zone is not secure",
            consequence="nobody looks at them",
            fix="sign the zone and have its DS published" if not signed else "have the DS published at the registrar",
        )


def _ds_findings(facts: ZoneFacts, trusted: frozenset[Ds] | None) -> Iterable[Finding]:
    own = own_ds(facts)
    if trusted is None or not own:
        return
    wanted = "; ".join(str(ds) for ds in sorted(own) if ds.digest_type == 2) or _listed(own)
    if not trusted:
        yield Finding(
            code="ds-missing",
            severity=Severity.WARNING,
            message=f"zone {facts.name}: signed, and its parent has no DS for it",
            consequence="nobody validates its signatures, and no TLSA record in it counts",
            fix=f"give the registrar: {wanted}",
        )
    elif not any(ds.matches(own) for ds in trusted):
        yield Finding(
            code="ds-mismatch",
            severity=Severity.ERROR,
            message=f"zone {facts.name}: the DS at its parent matches none of its keys: {_listed(trusted)}",
            consequence="validating resolvers, those of CAs among them, answer SERVFAIL for every name in it",
            fix=f"give the registrar: {wanted}",
        )


def _signature_findings(facts: ZoneFacts, now: datetime) -> Iterable[Finding]:
    for item in facts.answering:
        if item.signed_until is None:
            yield Finding(
                code="rrsig-missing",
                severity=Severity.ERROR,
                message=f"zone {facts.name}: {item.server} answers without signatures",
                consequence="resolvers that ask it refuse the answers, once the parent has a DS",
                fix="see whether that server gets the whole zone, and speaks DNSSEC",
            )
        elif item.signed_until <= now + SHORTEST_SIGNATURE:
            ended = item.signed_until <= now
            yield Finding(
                code="rrsig-expiring",
                severity=Severity.ERROR if ended else Severity.WARNING,
                message=f"zone {facts.name}: the signatures at {item.server} "
                + (f"ended {iso(item.signed_until)}" if ended else f"end {iso(item.signed_until)}, ")
                + ("" if ended else f"in {duration_text(item.signed_until - now)}"),
                consequence="validating resolvers answer SERVFAIL for what they get from it, from then on",
                fix="see why that server does not fetch the zone"
                + _typed(
                    facts,
                    f"; on the primary: pdns_control notify {facts.name}, or raise the serial: "
                    f"pdnsutil increase-serial {facts.name}",
                ),
            )


def delegation_findings(facts: ZoneFacts) -> Iterable[Finding]:
    """Do the parent and the zone name the same servers, and do these have addresses?"""
    for name in facts.unresolved:
        yield Finding(
            code="ns-unresolved",
            severity=Severity.WARNING,
            message=f"zone {facts.name}: the name server {name} has no address",
            consequence="resolvers and CAs that choose it get no answer, and try another one",
            fix=f"add an A or AAAA record for {name}, or remove it from the zone's NS records and at the registrar",
        )
    if facts.delegation is None:
        if facts.delegation_trouble:
            yield Finding(
                code="delegation-unknown",
                severity=Severity.NOTE,
                message=f"zone {facts.name}: its delegation could not be looked at: {facts.delegation_trouble}",
                consequence="whether the parent has the right NS and DS records is not known",
            )
        return
    if not facts.delegation.exists:
        yield Finding(
            code="not-delegated",
            severity=Severity.ERROR,
            message=f"zone {facts.name}: {_parent(facts)} has no such name",
            consequence="nobody outside finds the zone, and public CAs refuse",
            fix="register the name, or have its NS records put into the parent zone",
        )
        return
    own = frozenset(name for item in facts.answering for name in item.ns)
    if facts.delegation.ns and own and facts.delegation.ns != own:
        only_parent, only_zone = facts.delegation.ns - own, own - facts.delegation.ns
        parts = [
            f"only {where}: {_names(sorted(names))}"
            for where, names in (("the parent names", only_parent), ("the zone names", only_zone))
            if names
        ]
        yield Finding(
            code="ns-differ",
            severity=Severity.WARNING,
            message=f"zone {facts.name}: the NS records at {_parent(facts)} are not those of the zone; "
            + "; ".join(parts),
            consequence="resolvers ask servers that the others may not keep in step",
            fix="make the NS records of the zone and the name servers at the registrar the same",
        )


def server_findings(facts: ZoneFacts) -> Iterable[Finding]:
    """Does every name server answer, and with the newest zone?"""
    if facts.servers_trouble:
        yield Finding(
            code="servers-unknown",
            severity=Severity.WARNING,
            message=f"zone {facts.name}: {facts.servers_trouble}",
            consequence="a CA that finds no server for it refuses",
            fix="see whether the zone is delegated; where this host cannot see that, set NAMESERVERS",
        )
    for item in facts.servers:
        if item.trouble:
            yield Finding(
                code="server-silent",
                severity=Severity.WARNING,
                message=f"zone {facts.name}: {item.server}: {item.trouble}",
                consequence="a CA that asks it cannot see the records, and may refuse",
                fix="see whether that server runs, has the zone and can be reached; else take it out of the NS records",
            )
    yield from _serial_findings(facts)


def _serial_findings(facts: ZoneFacts) -> Iterable[Finding]:
    newest = newest_serial(facts)
    kept = facts.kept.zone if facts.kept is not None else None
    written = kept.served_serial if kept is not None and kept.kind is not ZoneKind.SECONDARY else 0
    for item in facts.answering:
        if written and newer(item.serial, written):
            yield Finding(
                code="server-ahead",
                severity=Severity.WARNING,
                message=f"zone {facts.name}: {item.server} has serial {item.serial}, and its primary {written}",
                consequence="it takes no change until the primary's serial is larger, so it never shows new records",
                fix=f"make the primary's serial larger than {item.serial}"
                + _typed(facts, f": pdnsutil edit-zone {facts.name}"),
            )
        elif newest is not None and newer(newest, item.serial):
            yield Finding(
                code="server-lagging",
                severity=Severity.WARNING,
                message=f"zone {facts.name}: {item.server} has serial {item.serial}, the newest is {newest}",
                consequence="it answers without what was changed since; a CA that asks it refuses",
                fix="see whether it is notified and may transfer the zone"
                + _typed(facts, f"; on the primary: pdns_control notify {facts.name}"),
            )


def _typed(facts: ZoneFacts, command: str, otherwise: str = "") -> str:
    """A command of PowerDNS's, where the zone is there to be mended by it."""
    return command if facts.kept is not None else otherwise


def newest_serial(facts: ZoneFacts) -> int | None:
    """The serial that every server should have: that of the primary, else the largest that is served."""
    if facts.kept is not None and facts.kept.zone.kind is not ZoneKind.SECONDARY and facts.kept.zone.served_serial:
        return facts.kept.zone.served_serial
    newest: int | None = None
    for item in facts.answering:
        newest = item.serial if newest is None or newer(item.serial, newest) else newest
    return newest


def own_ds(facts: ZoneFacts) -> frozenset[Ds]:
    """The DS of the keys that are served, else of those that the server has: what is served is what is validated."""
    served = frozenset(ds for item in facts.answering for ds in item.ds)
    return served or (facts.kept.ds if facts.kept is not None else frozenset())


def is_signed(facts: ZoneFacts) -> bool:
    """As its own server says, else as the answers show it."""
    if facts.kept is not None:
        return facts.kept.signed or facts.kept.presigned
    return any(item.signed_until is not None for item in facts.answering)


def described(item: Served) -> str:
    """A server in one line, for people who look at a zone."""
    signed = f", signatures until {iso(item.signed_until)}" if item.signed_until is not None else ""
    return f"{item.server}: {item.trouble}" if item.trouble else f"{item.server}: serial {item.serial}{signed}"


def _parent(facts: ZoneFacts) -> str:
    parent = facts.delegation.parent if facts.delegation is not None else DnsName("")
    return f"its parent {parent}" if parent.text else "the root"


def _listed(records: frozenset[Ds]) -> str:
    return "; ".join(str(ds) for ds in sorted(records)[:4])


def _names(names: Iterable[DnsName]) -> str:
    shown = [str(name) for name in names]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
