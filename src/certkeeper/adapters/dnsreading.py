"""What one DNS answer says about one name. Bad answers are told apart here, each in a few words."""

from collections.abc import Callable
from functools import partial
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TXT import TXT

from certkeeper.adapters.dnslines import ErrorAnswer, Reply, ServerSilent
from certkeeper.adapters.dnsmessage import Plain
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass

_LONGEST_CHAIN = 12


@dataclass(frozen=True, slots=True)
class Signed:
    """An RRset with signatures; `plain` is what it came from, where that is so simple."""

    owner: DnsName
    rrsets: Callable[[], tuple[dns.rrset.RRset, dns.rrset.RRset]]
    plain: Plain | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The TXT values at a name, or behind its alias.

    `signed` is what they came from, where it has signatures.
    `flaw` says why the answer does not count: an alias that leads round in a circle, or away.
    """

    values: frozenset[str]
    signed: Signed | None = None
    flaw: str = ""


def found_txt(owner: DnsName, reply: Reply) -> Found:
    """What an authoritative answer says; NXDOMAIN and an empty answer both mean no value.

    Only records of the name itself count, and of what aliases in the answer lead to: others were not asked for.

    Raises:
        ErrorAnswer: an error answer, or one that is not authoritative.
        ServerSilent: one that is cut short.
    """
    if reply.plain is not None:
        return _from_plain(owner, reply.plain)
    answer = reply.message
    _refuse_errors(owner.text, answer)
    if not answer.flags & dns.flags.AA:
        raise ErrorAnswer(f"is not authoritative for {owner}")
    return read_txt(owner, answer)


def refuse_errors(owner: str, reply: Reply) -> None:
    """Raises ServerSilent."""
    if reply.plain is None:
        _refuse_errors(owner, reply.message)


def _refuse_errors(owner: str, answer: dns.message.Message) -> None:
    rcode = answer.rcode()
    if rcode not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        raise ErrorAnswer(f"answers {dns.rcode.to_text(rcode)} for {owner}")
    if answer.flags & dns.flags.TC:
        raise ServerSilent(f"cuts its answer for {owner} short")


def read_txt(owner: DnsName, answer: dns.message.Message) -> Found:
    """The values, whoever answers."""
    at = dns.name.from_text(owner.absolute)
    seen = {at}
    for _ in range(_LONGEST_CHAIN):
        rrset = _get(answer, at, dns.rdatatype.TXT)
        if rrset is not None:
            values = frozenset(b"".join(item.strings).decode("utf-8", "replace") for item in rrset if _is_txt(item))
            signatures = _get(answer, at, dns.rdatatype.RRSIG, dns.rdatatype.TXT)
            return Found(values, Signed(owner, partial(_pair, rrset, signatures)) if signatures is not None else None)
        alias = _get(answer, at, dns.rdatatype.CNAME)
        if alias is None:
            away = at.to_text(omit_final_dot=True)
            # Where the alias leads to a zone that the server does not hold, its answer ends there.
            return Found(frozenset(), flaw=f"as an alias of {away}, without its values" if len(seen) > 1 else "")
        at = cast("CNAME", alias[0]).target
        if at in seen:
            return Found(frozenset(), flaw="as an alias that leads back to itself")
        seen.add(at)
    return Found(frozenset(), flaw="as an alias of an alias without end")


def _is_txt(item: object) -> bool:
    return isinstance(item, TXT)


def _get(
    answer: dns.message.Message,
    name: dns.name.Name,
    type_: dns.rdatatype.RdataType,
    covers: dns.rdatatype.RdataType = dns.rdatatype.NONE,
) -> dns.rrset.RRset | None:
    return answer.get_rrset(dns.message.ANSWER, name, dns.rdataclass.IN, type_, covers)


def found_serial(zone: DnsName, reply: Reply) -> tuple[int | None, bool]:
    """The zone's serial, None where the answer has none, and whether it is signed."""
    if reply.plain is not None:
        return reply.plain.serial(), bool(reply.plain.signatures)
    answer = reply.message
    apex = dns.name.from_text(zone.absolute)
    rrset = _get(answer, apex, dns.rdatatype.SOA)
    signed = _get(answer, apex, dns.rdatatype.RRSIG, dns.rdatatype.SOA) is not None
    first = rrset[0] if rrset is not None and answer.flags & dns.flags.AA else None
    return (int(first.serial), signed) if isinstance(first, SOA) else (None, signed)


def _from_plain(owner: DnsName, plain: Plain) -> Found:
    return Found(plain.texts(), Signed(owner, partial(_rrsets, owner, plain), plain) if plain.signatures else None)


def _rrsets(owner: DnsName, plain: Plain) -> tuple[dns.rrset.RRset, dns.rrset.RRset]:
    name = dns.name.from_text(owner.absolute)
    rrset = dns.rrset.RRset(name, dns.rdataclass.IN, dns.rdatatype.TXT)
    signatures = dns.rrset.RRset(name, dns.rdataclass.IN, dns.rdatatype.RRSIG, dns.rdatatype.TXT)
    for made, found in ((rrset, plain.records), (signatures, plain.signatures)):
        for ttl, rdata in found:
            made.add(dns.rdata.from_wire(dns.rdataclass.IN, made.rdtype, rdata, 0, len(rdata)), ttl)
    return rrset, signatures


def _pair(rrset: dns.rrset.RRset, signatures: dns.rrset.RRset) -> tuple[dns.rrset.RRset, dns.rrset.RRset]:
    return rrset, signatures
