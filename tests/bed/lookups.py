"""DNS questions put to one server, without any resolver in between."""

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.rdtypes.ANY.TXT

Server = tuple[str, int]


def ask(server: Server, owner: str, kind: str, *, dnssec: bool = False, timeout: float = 3.0) -> dns.message.Message:
    """The reply, asked for with RD and AD: authoritative servers ignore both, resolvers need them."""
    question = dns.message.make_query(owner, kind, want_dnssec=dnssec)
    question.flags |= dns.flags.AD
    reply, _ = dns.query.udp_with_fallback(question, server[0], port=server[1], timeout=timeout)
    return reply


def answers(server: Server) -> bool:
    """Whether anything that speaks DNS listens there."""
    try:
        ask(server, ".", "SOA", timeout=0.5)
    except (dns.exception.DNSException, OSError):
        return False
    return True


def txt(server: Server, owner: str) -> frozenset[str]:
    """The TXT values that the server answers with; empty also where the name or the zone is unknown."""
    return frozenset(
        b"".join(rdata.strings).decode()
        for rrset in ask(server, owner, "TXT").answer
        for rdata in rrset
        if isinstance(rdata, dns.rdtypes.ANY.TXT.TXT)
    )


def serial(server: Server, zone: str) -> int | None:
    """The SOA serial as served; None where the server does not answer for the zone."""
    reply = ask(server, zone, "SOA")
    if reply.rcode() != dns.rcode.NOERROR:
        return None
    for rrset in reply.answer:
        for rdata in rrset:
            if isinstance(rdata, dns.rdtypes.ANY.SOA.SOA):
                return int(rdata.serial)
    return None


def signed(server: Server, owner: str, kind: str) -> bool:
    """Whether the answer comes with an RRSIG over the type asked for."""
    covered = dns.rdatatype.from_text(kind)
    return any(
        rrset.rdtype == dns.rdatatype.RRSIG and rrset.covers == covered
        for rrset in ask(server, owner, kind, dnssec=True).answer
    )
