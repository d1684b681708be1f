"""What one name server says of TLSA records, asked by itself and without recursion.

All that is asked of one address goes over one connection, whatever zones it is about. Answers come from anybody:
records of odd lengths stay as they are, and an answer that cannot be read counts as none for its name alone.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.DNAME import DNAME
from dns.rdtypes.ANY.RRSIG import RRSIG
from dns.rdtypes.ANY.SOA import SOA

from certkeeper.adapters.dnslines import Reply, ServerSilent
from certkeeper.adapters.dnsmessage import DO, OPAQUE_TLSA, Plain
from certkeeper.adapters.dnsquestions import Question, replies
from certkeeper.adapters.dnsreading import Signed
from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.times import from_epoch
from certkeeper.base.value import dataclass
from certkeeper.dane.tlsa import BadTlsa, Tlsa
from certkeeper.zone.propagation import Server

TLSA, SOA_, DNSKEY = "TLSA", "SOA", "DNSKEY"
_AT_A_TIME = 1000
"""Questions in one conversation; ids are 16 bits."""
_MOST_PARTS = 32
"""Into so many parts questions are divided to find the one whose answer cannot be read."""

Replies = dict[Question, Reply | str]
"""The answer to each question, or why there is none."""


@dataclass(frozen=True, slots=True)
class ServedTlsa:
    """What is at one name. `trouble` is why the answer does not count.

    `alias` is where a CNAME there leads, with its TTL in `ttl`; `cut` is a zone below, which other servers serve.
    `signed` is what can be verified, None where there are no signatures; `exists` is False for NXDOMAIN. `expanded`:
    they are a wildcard's (RFC 4034 §3.1.3 has signatures tell that).
    """

    records: frozenset[Tlsa] = frozenset()
    ttl: int = 0
    signed: Signed | None = None
    signed_until: datetime | None = None
    alias: DnsName | None = None
    cut: DnsName | None = None
    exists: bool = True
    trouble: str = ""
    expanded: bool = False


@dataclass(frozen=True, slots=True)
class ServedZone:
    """A zone's own records at one server. `negative_ttl` is how long caches keep that there is nothing."""

    serial: int
    refresh: int
    retry: int
    negative_ttl: int
    signed: Signed | None
    keys: dns.message.Message | None


def ask_all(
    server: Server, questions: Collection[Question], *, flags: int = 0, seconds: float | None = None
) -> dict[Question, dns.message.Message | str]:
    """Every answer that can be had; raises nothing."""
    found = replies_of(server, questions, flags=flags, seconds=seconds)
    return {question: reply if isinstance(reply, str) else reply.message for question, reply in found.items()}


def replies_of(
    server: Server, questions: Collection[Question], *, flags: int = 0, seconds: float | None = None
) -> Replies:
    """The same, before anybody has taken the messages apart."""
    waiting, found, parts = [list(questions)], Replies(), 0
    while waiting:
        some = waiting.pop()
        if len(some) > _AT_A_TIME:
            waiting += [some[:_AT_A_TIME], some[_AT_A_TIME:]]
            continue
        try:
            found |= replies(server, some, flags=flags, edns_flags=DO, seconds=seconds)
        except CertkeeperError as error:
            parts += 1
            garbled = isinstance(error, ServerSilent) and not isinstance(error.__cause__, OSError)
            if garbled and len(some) > 1 and parts < _MOST_PARTS:
                waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
                continue
            found |= dict.fromkeys(some, str(error))
            if not garbled:
                # Who does not answer at all is not waited for again.
                found |= {question: str(error) for rest in waiting for question in rest}
                break
    return found


def served_zone(zone: DnsName, replies: Mapping[Question, Reply | str]) -> ServedZone | str:
    """The zone's SOA record and keys, or why they are not to be had."""
    said, keys = replies[zone, SOA_], replies[zone, DNSKEY]
    if isinstance(said, str):
        return said
    answer = said.message
    if (words := _useless(answer)) or not answer.flags & dns.flags.AA:
        return words or f"is not authoritative for {zone}"
    apex = dns.name.from_text(zone.absolute)
    rrset = _get(answer, apex, dns.rdatatype.SOA)
    soa = rrset[0] if rrset is not None else None
    if rrset is None or not isinstance(soa, SOA):
        return f"has no SOA record for {zone}"
    return ServedZone(
        soa.serial,
        soa.refresh,
        soa.retry,
        min(rrset.ttl, soa.minimum),
        signed_part(zone, answer, rrset),
        None if isinstance(keys, str) or _useless(keys.message) else keys.message,
    )


def served_tlsa(zone: DnsName, owner: DnsName, reply: Reply | str) -> ServedTlsa:
    """What an answer says of that name: only records of the name itself count."""
    if isinstance(reply, str):
        return ServedTlsa(trouble=reply)
    if reply.plain is not None:
        return _from_plain(owner, reply.plain)
    answer = reply.message
    name = dns.name.from_text(owner.absolute)
    alias = _get(answer, name, dns.rdatatype.CNAME)
    if words := _useless(answer):
        return ServedTlsa(trouble=words)
    if not answer.flags & dns.flags.AA:
        cut = _cut(zone, name, answer)
        return ServedTlsa(cut=cut, trouble="" if cut is not None else f"is not authoritative for {owner}")
    if alias is not None:
        return _alias(owner, answer, alias)
    rrset = _get(answer, name, dns.rdatatype.TLSA) or _opaque(answer, name)
    if rrset is None:
        return ServedTlsa(exists=answer.rcode() != dns.rcode.NXDOMAIN)
    signed = signed_part(owner, answer, rrset)
    octets = [rdata.to_wire() or b"" for rdata in rrset]
    return ServedTlsa(_records(octets), rrset.ttl, signed, _ends(signed), expanded=_is_expanded(owner, signed))


def _from_plain(owner: DnsName, plain: Plain) -> ServedTlsa:
    """Most answers are that: nobody has to take a message apart."""
    if not plain.records:
        return ServedTlsa(exists=plain.exists)
    signed = Signed(owner, partial(_rrsets, owner, plain), plain) if plain.signatures else None
    ends = max((from_epoch(int.from_bytes(rdata[8:12], "big")) for _, rdata in plain.signatures), default=None)
    ttl = min(ttl for ttl, _ in plain.records)
    expanded = any(rdata[3] < len(owner.labels) for _, rdata in plain.signatures)
    return ServedTlsa(_records(rdata for _, rdata in plain.records), ttl, signed, ends, expanded=expanded)


def _rrsets(owner: DnsName, plain: Plain) -> tuple[dns.rrset.RRset, dns.rrset.RRset]:
    name = dns.name.from_text(owner.absolute)
    rrset = dns.rrset.RRset(name, dns.rdataclass.IN, dns.rdatatype.TLSA)
    for ttl, octets in plain.records:
        rrset.add(dns.rdata.GenericRdata(dns.rdataclass.IN, dns.rdatatype.TLSA, octets), ttl)
    signatures = dns.rrset.RRset(name, dns.rdataclass.IN, dns.rdatatype.RRSIG, dns.rdatatype.TLSA)
    for ttl, octets in plain.signatures:
        signatures.add(dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.RRSIG, octets, 0, len(octets)), ttl)
    return rrset, signatures


def signed_part(owner: DnsName, answer: dns.message.Message, rrset: dns.rrset.RRset) -> Signed | None:
    """An RRset of an answer with its signatures; None where it has none."""
    signatures = answer.get_rrset(
        dns.message.ANSWER, rrset.name, dns.rdataclass.IN, dns.rdatatype.RRSIG, rrset.rdtype
    ) or answer.get_rrset(dns.message.AUTHORITY, rrset.name, dns.rdataclass.IN, dns.rdatatype.RRSIG, rrset.rdtype)
    return Signed(owner, partial(_pair, rrset, signatures)) if signatures is not None else None


def alias_part(owner: DnsName, answer: dns.message.Message, alias: dns.rrset.RRset) -> Signed | None:
    """What is signed of a CNAME: itself, or the DNAME that it is made of, which bears the signature (RFC 6672 §5.3.1).
    None where the two do not fit.
    """
    if (signed := signed_part(owner, answer, alias)) is not None:
        return signed
    for rrset in answer.answer:
        first = rrset[0] if rrset.rdtype == dns.rdatatype.DNAME else None
        if isinstance(first, DNAME) and alias.name.is_subdomain(rrset.name) and alias.name != rrset.name:
            with suppress(dns.name.NameTooLong):
                made = alias.name.relativize(rrset.name) + first.target
                if isinstance(alias[0], CNAME) and made == alias[0].target:
                    return signed_part(owner, answer, rrset)
    return None


def _pair(rrset: dns.rrset.RRset, signatures: dns.rrset.RRset) -> tuple[dns.rrset.RRset, dns.rrset.RRset]:
    return rrset, signatures


def _useless(answer: dns.message.Message) -> str:
    rcode = answer.rcode()
    if rcode not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        return f"answers {dns.rcode.to_text(rcode)}"
    return "cuts its answer short" if answer.flags & dns.flags.TC else ""


def _alias(owner: DnsName, answer: dns.message.Message, rrset: dns.rrset.RRset) -> ServedTlsa:
    first = rrset[0]
    try:
        target = DnsName.parse(first.target.to_text()) if isinstance(first, CNAME) else None
    except InvalidName as error:
        return ServedTlsa(trouble=f"has a CNAME to a name that nobody can have: {printable(str(error), 120)}")
    signed = alias_part(owner, answer, rrset)
    return ServedTlsa(alias=target, ttl=rrset.ttl, signed=signed, signed_until=_ends(signed))


def _cut(zone: DnsName, name: dns.name.Name, answer: dns.message.Message) -> DnsName | None:
    """The zone below that an answer refers to (RFC 1034 §4.3.2)."""
    for rrset in answer.authority:
        if rrset.rdtype == dns.rdatatype.NS and name.is_subdomain(rrset.name):
            try:
                found = DnsName.parse(rrset.name.to_text())
            except InvalidName:
                return None
            return found if found != zone and found.is_within(zone) else None
    return None


def _records(found: Iterable[bytes]) -> frozenset[Tlsa]:
    records = set()
    for octets in found:
        with suppress(BadTlsa):
            records.add(Tlsa.from_wire(octets))
    return frozenset(records)


def _opaque(answer: dns.message.Message, name: dns.name.Name) -> dns.rrset.RRset | None:
    """The records where dnspython does not take them apart, as what they are."""
    found = _get(answer, name, dns.rdatatype.RdataType.make(OPAQUE_TLSA))
    if found is None:
        return None
    rrset = dns.rrset.RRset(name, dns.rdataclass.IN, dns.rdatatype.TLSA)
    for rdata in found:
        rrset.add(dns.rdata.GenericRdata(dns.rdataclass.IN, dns.rdatatype.TLSA, rdata.to_wire() or b""), found.ttl)
    return rrset


def _ends(signed: Signed | None) -> datetime | None:
    """When the last of the signatures ends: clients are content with one."""
    if signed is None:
        return None
    _, signatures = signed.rrsets()
    return max((from_epoch(item.expiration) for item in signatures if isinstance(item, RRSIG)), default=None)


def _is_expanded(owner: DnsName, signed: Signed | None) -> bool:
    """Signatures are about fewer labels than the owner has: about the wildcard's."""
    if signed is None:
        return False
    _, signatures = signed.rrsets()
    return any(isinstance(item, RRSIG) and item.labels < len(owner.labels) for item in signatures)


def _get(answer: dns.message.Message, name: dns.name.Name, type_: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
    return answer.get_rrset(dns.message.ANSWER, name, dns.rdataclass.IN, type_)
