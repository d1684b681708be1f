"""What a zone's parent says of it: that is where a CA's resolver begins.

The parent's own servers are asked, without recursion, for a referral (RFC 1034 §4.2.1): NS names, glue, and the DS
records in the same answer (RFC 4035 §3.1.4.1). Three questions as a rule, two of them to this host's resolver, which
knows the answers of most days. Where it fails, the zone's own word has to do.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.NS import NS

from certkeeper.base.names import DnsName

_SECONDS = 1.5
_MOST_SERVERS = 3
"""Names and addresses of the parent's that are tried, as this must not take long."""


@dataclass(frozen=True, slots=True)
class Referral:
    """`names` are NS names in lower case, `glue` their addresses as the parent tells them.

    `ds` is None where the parent's server holds the zone, too, and answers as the zone itself.
    """

    names: frozenset[str]
    glue: frozenset[tuple[str, str]]
    ds: frozenset[str] | None


def referral(zone: DnsName, resolver: dns.resolver.Resolver) -> Referral | None:
    """None where no server of the parent can be asked, or none knows the zone."""
    apex = dns.name.from_text(zone.absolute)
    query = dns.message.make_query(apex, dns.rdatatype.NS, use_edns=0, want_dnssec=True, payload=1232)
    query.flags &= ~dns.flags.RD
    for _, address in zip(range(_MOST_SERVERS), _parent_addresses(apex, resolver), strict=False):
        try:
            answer, _ = dns.query.udp_with_fallback(query, address, timeout=_SECONDS)
        except (dns.exception.DNSException, OSError, ValueError):
            continue
        found = _read(apex, answer)
        if found is not None:
            return found
    return None


def _parent_addresses(apex: dns.name.Name, resolver: dns.resolver.Resolver) -> Iterator[str]:
    for name in _parent_names(apex, resolver)[:_MOST_SERVERS]:
        for type_ in (dns.rdatatype.A, dns.rdatatype.AAAA):
            try:
                answer = resolver.resolve(name, type_, raise_on_no_answer=False, lifetime=_SECONDS)
            except dns.exception.DNSException:
                continue
            yield from (rdata.to_text() for rdata in answer)


def _parent_names(apex: dns.name.Name, resolver: dns.resolver.Resolver) -> list[dns.name.Name]:
    """The NS names of the nearest zone above; a name between the two may be no zone."""
    above = apex
    while above != dns.name.root:
        above = above.parent()
        try:
            answer = resolver.resolve(above, dns.rdatatype.NS, lifetime=_SECONDS)
        except dns.resolver.NoAnswer:
            continue
        except dns.exception.DNSException:
            return []
        return sorted(rdata.target for rdata in answer if isinstance(rdata, NS))
    return []


def _read(apex: dns.name.Name, answer: dns.message.Message) -> Referral | None:
    if answer.rcode() != dns.rcode.NOERROR:
        return None
    own = bool(answer.flags & dns.flags.AA)
    rrset = answer.get_rrset(
        dns.message.ANSWER if own else dns.message.AUTHORITY, apex, dns.rdataclass.IN, dns.rdatatype.NS
    )
    if rrset is None:
        return None
    targets = [rdata.target for rdata in rrset if isinstance(rdata, NS)]
    names = frozenset(target.to_text(omit_final_dot=True).lower() for target in targets)
    glue = frozenset(
        (target.to_text(omit_final_dot=True).lower(), rdata.to_text())
        for target in targets
        for type_ in (dns.rdatatype.A, dns.rdatatype.AAAA)
        for rdata in answer.get_rrset(dns.message.ADDITIONAL, target, dns.rdataclass.IN, type_) or ()
    )
    if own:
        return Referral(names, glue, None)
    ds = answer.get_rrset(dns.message.AUTHORITY, apex, dns.rdataclass.IN, dns.rdatatype.DS)
    return Referral(names, glue, frozenset(rdata.to_text() for rdata in ds) if ds is not None else frozenset())
