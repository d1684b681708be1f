"""What NSEC and NSEC3 records prove of a name without DS records (RFC 4035 §5.2, RFC 5155 §8.9): is there a delegation?

Only that is asked here: a proof that a name is no delegation may say that it is no name at all.
"""

import base64
from collections.abc import Callable, Iterator
from enum import StrEnum

import dns.dnssec
import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.NSEC import NSEC
from dns.rdtypes.ANY.NSEC3 import NSEC3

from certkeeper.adapters.dnsreading import Signed
from certkeeper.adapters.tlsaserved import signed_part
from certkeeper.base.names import DnsName

_MOST_RECORDS = 8
_MOST_ITERATIONS = 150
"""Above it validators take a zone for insecure (RFC 9276 §3.2); it is work that a stranger gives us."""
_OPT_OUT = 1
_DECODE = bytes.maketrans(b"0123456789abcdefghijklmnopqrstuv", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


class Denied(StrEnum):
    """What is proven."""

    INSECURE = "a delegation without DS"
    NO_CUT = "no delegation"
    NOTHING = "nothing"


def denied(zone: DnsName, name: DnsName, answer: dns.message.Message, flaw: Callable[[Signed], str]) -> Denied:
    """What the answer of `zone` to a question for DS proves of `name`; `flaw` says why a signature does not count."""
    wanted = dns.name.from_text(name.absolute)
    found = Denied.NOTHING
    for rrset in _proofs(zone, answer, flaw):
        for rdata in rrset:
            if isinstance(rdata, NSEC):
                said = _nsec(rrset.name, rdata, wanted)
            elif isinstance(rdata, NSEC3):
                said = _nsec3(zone, rrset.name, rdata, wanted)
            else:
                continue
            if said is Denied.INSECURE:
                return said
            found = said if found is Denied.NOTHING else found
    return found


def _proofs(zone: DnsName, answer: dns.message.Message, flaw: Callable[[Signed], str]) -> Iterator[dns.rrset.RRset]:
    kinds = {dns.rdatatype.NSEC, dns.rdatatype.NSEC3}
    for rrset in [item for item in answer.authority if item.rdtype in kinds][:_MOST_RECORDS]:
        signed = signed_part(zone, answer, rrset)
        if signed is not None and not flaw(signed):
            yield rrset


def _nsec(owner: dns.name.Name, rdata: NSEC, wanted: dns.name.Name) -> Denied:
    if owner == wanted:
        return _by_types(_types(rdata.windows))
    after = rdata.next
    # The last record of a zone leads back to its first.
    covers = owner < wanted < after if owner < after else (owner < wanted or wanted < after)
    return Denied.NO_CUT if covers else Denied.NOTHING


def _nsec3(zone: DnsName, owner: dns.name.Name, rdata: NSEC3, wanted: dns.name.Name) -> Denied:
    if rdata.iterations > _MOST_ITERATIONS or owner.parent() != dns.name.from_text(zone.absolute):
        return Denied.NOTHING
    try:
        hashed = _octets(dns.dnssec.nsec3_hash(wanted, rdata.salt, rdata.iterations, rdata.algorithm).encode())
        here = _octets(owner.labels[0])
    except (dns.exception.DNSException, ValueError):
        return Denied.NOTHING
    if here == hashed:
        return _by_types(_types(rdata.windows))
    covers = here < hashed < rdata.next if here < rdata.next else (here < hashed or hashed < rdata.next)
    if not covers:
        return Denied.NOTHING
    return Denied.INSECURE if rdata.flags & _OPT_OUT else Denied.NO_CUT


def _by_types(types: frozenset[int]) -> Denied:
    if dns.rdatatype.DS in types or dns.rdatatype.SOA in types:
        # It is the zone's own word on its apex, or says that there is a DS.
        return Denied.NOTHING
    return Denied.INSECURE if dns.rdatatype.NS in types else Denied.NO_CUT


def _types(windows: tuple[tuple[int, bytes], ...]) -> frozenset[int]:
    return frozenset(
        window * 256 + at * 8 + bit
        for window, octets in windows
        for at, octet in enumerate(octets)
        for bit in range(8)
        if octet & (0x80 >> bit)
    )


def _octets(text: bytes) -> bytes:
    """Base32 with the extended hex alphabet (RFC 4648 §7)."""
    return base64.b32decode(text.lower().translate(_DECODE) + b"=" * (-len(text) % 8))
