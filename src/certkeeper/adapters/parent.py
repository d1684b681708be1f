"""What a zone's parent says of it: that is where a CA's resolver begins.

The parent's own servers are asked, without recursion, for a referral (RFC 1034 §4.2.1): NS names, glue, and the DS
records in the same answer (RFC 4035 §3.1.4.1). Three questions as a rule, two of them to this host's resolver, which
knows the answers of most days. A server that holds the zone, too, answers as the zone itself, and one whose own zone is
not signed leaves the DS records out: whoever is after these asks for them in a question of their own.
"""

from collections.abc import Iterable, Iterator, Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.rrset
from dns.rdtypes.ANY.NS import NS

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, replace

_SECONDS = 1.5
_MOST_SERVERS = 3
"""Names and addresses of the parent's that are tried, as this must not take long."""


class ParentSilent(CertkeeperError):
    """Nobody can be asked what the parent says."""

    label = "dns-server"
    fault = Fault.REMOTE


@dataclass(frozen=True, slots=True)
class Referral:
    """`names` are NS names in lower case, `glue` their addresses as the parent tells them; `server` said so.

    `ds` is None where that server holds the zone, too: then the names are those that the zone itself has. `exists` is
    False where the parent knows no such name.
    """

    parent: DnsName
    server: str
    names: frozenset[str] = frozenset()
    glue: frozenset[tuple[str, str]] = frozenset()
    ds: frozenset[str] | None = None
    exists: bool = True


def referral(zone: DnsName, resolver: dns.resolver.Resolver) -> Referral:
    """What the first of the parent's servers says that says anything of use.

    Raises:
        ParentSilent: none of them can be found, or none knows the zone.
    """
    apex = dns.name.from_text(zone.absolute)
    above, servers = _parent(apex, resolver)
    parent = DnsName.parse(above.to_text())
    trouble = "none of them has an address"
    for _, address in zip(range(_MOST_SERVERS), _addresses(servers, resolver), strict=False):
        try:
            answer = _ask(apex, dns.rdatatype.NS, address)
        except (dns.exception.DNSException, OSError, ValueError):
            trouble = f"{address}: no answer"
            continue
        found = _read(Referral(parent, address), apex, answer)
        if found is not None:
            return found
        trouble = f"{address}: {_useless(answer)}"
    raise ParentSilent(f"no name server of its parent {parent.text or '.'} answers: {trouble}")


def ds_at_parent(zone: DnsName, above: Referral) -> frozenset[str]:
    """The zone's DS records, from the server that told the rest.

    Raises:
        ParentSilent: it does not answer that.
    """
    apex = dns.name.from_text(zone.absolute)
    try:
        return _ds(apex, _ask(apex, dns.rdatatype.DS, above.server).answer)
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise ParentSilent(f"its parent's name server {above.server} says nothing of DS records") from error


def _ask(apex: dns.name.Name, kind: dns.rdatatype.RdataType, address: str) -> dns.message.Message:
    query = dns.message.make_query(apex, kind, use_edns=0, want_dnssec=True, payload=1232)
    query.flags &= ~dns.flags.RD
    answer, _ = dns.query.udp_with_fallback(query, address, timeout=_SECONDS)
    return answer


def _addresses(servers: Sequence[dns.name.Name], resolver: dns.resolver.Resolver) -> Iterator[str]:
    for name in servers[:_MOST_SERVERS]:
        for type_ in (dns.rdatatype.A, dns.rdatatype.AAAA):
            try:
                answer = resolver.resolve(name, type_, raise_on_no_answer=False, lifetime=_SECONDS)
            except dns.exception.DNSException:
                continue
            yield from (rdata.to_text() for rdata in answer)


def _parent(apex: dns.name.Name, resolver: dns.resolver.Resolver) -> tuple[dns.name.Name, list[dns.name.Name]]:
    """The nearest zone above and its NS names; a name between the two may be no zone."""
    above = apex
    while above != dns.name.root:
        above = above.parent()
        try:
            answer = resolver.resolve(above, dns.rdatatype.NS, lifetime=_SECONDS)
        except dns.resolver.NoAnswer:
            continue
        except (dns.exception.DNSException, OSError) as error:
            raise ParentSilent("this host's resolver does not find its parent zone") from error
        return above, sorted(rdata.target for rdata in answer if isinstance(rdata, NS))
    raise ParentSilent("this host's resolver does not find its parent zone")


def _read(asked: Referral, apex: dns.name.Name, answer: dns.message.Message) -> Referral | None:
    """None where it says nothing of the zone."""
    own = bool(answer.flags & dns.flags.AA)
    if answer.rcode() == dns.rcode.NXDOMAIN and own:
        return replace(asked, exists=False)
    if answer.rcode() != dns.rcode.NOERROR:
        return None
    rrset = answer.get_rrset(
        dns.message.ANSWER if own else dns.message.AUTHORITY, apex, dns.rdataclass.IN, dns.rdatatype.NS
    )
    if rrset is None:
        # A name inside the parent that is no zone.
        return asked if own else None
    targets = [rdata.target for rdata in rrset if isinstance(rdata, NS)]
    names = frozenset(target.to_text(omit_final_dot=True).lower() for target in targets)
    glue = frozenset(
        (target.to_text(omit_final_dot=True).lower(), rdata.to_text())
        for target in targets
        for type_ in (dns.rdatatype.A, dns.rdatatype.AAAA)
        for rdata in answer.get_rrset(dns.message.ADDITIONAL, target, dns.rdataclass.IN, type_) or ()
    )
    return replace(asked, names=names, glue=glue, ds=None if own else _ds(apex, answer.authority))


def _ds(apex: dns.name.Name, section: Iterable[dns.rrset.RRset]) -> frozenset[str]:
    return frozenset(
        rdata.to_text()
        for rrset in section
        if rrset.name == apex and rrset.rdtype == dns.rdatatype.DS
        for rdata in rrset
    )


def _useless(answer: dns.message.Message) -> str:
    rcode = answer.rcode()
    return f"answers {dns.rcode.to_text(rcode)}" if rcode != dns.rcode.NOERROR else "says nothing of the zone"
