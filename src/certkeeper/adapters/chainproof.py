"""Proof of a zone's keys from a trust anchor down (RFC 4035 §5), where no validating resolver's word can be had.

DS records are followed from the anchor to the zone. Whoever tells them is not trusted, so this host's resolver is
asked first, with CD, and the zones' own servers where it leaves signatures out. A name is never asked for below the
zone in question: resolvers remember that it was not there.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from certkeeper.adapters.anchors import Anchors
from certkeeper.adapters.denial import Denied, denied
from certkeeper.adapters.signatures import Keyring
from certkeeper.adapters.tlsaserved import ask_all, signed_part
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass
from certkeeper.dane.facts import Trust
from certkeeper.zone.propagation import Server, ServerSet

_RECURSE = int(dns.flags.RD | dns.flags.CD)
_SECONDS = 5.0
_MOST_SERVERS = 3
_KNOWN_DIGESTS = {"1", "2", "4"}
_KNOWN_ALGORITHMS = {"5", "7", "8", "10", "13", "14", "15", "16"}


@dataclass(frozen=True, slots=True)
class Proven:
    """What is proven of a zone. `ds` names its keys where it is secure, else `flaw` says why it is not."""

    trust: Trust
    ds: frozenset[str] = frozenset()
    flaw: str = ""


class ChainProof:
    """Proofs of one look, at one time. `recursors` are this host's resolvers; `servers_of` finds a zone's servers."""

    def __init__(
        self,
        anchors: Anchors,
        recursors: Sequence[Server],
        servers_of: Callable[[DnsName], ServerSet],
        now: datetime,
    ) -> None:
        self._anchors = anchors
        self._recursors = recursors
        self._servers_of = servers_of
        self._now = now
        self._known: dict[DnsName, Proven | None] = {}
        self._rings: dict[DnsName, Keyring | Proven] = {}

    def of(self, zone: DnsName) -> Proven:
        """Is the zone secure, and by which DS records? Raises nothing."""
        above = [name for name in self._anchors if zone.is_within(name)]
        if not above:
            return Proven(Trust.UNPROVEN, flaw=f"no trust anchor is for {zone}")
        at = max(above, key=lambda name: len(name.labels))
        secure = _usable(at, self._anchors[at])
        if secure.trust is not Trust.SECURE:
            return secure
        for depth in range(len(at.labels) + 1, len(zone.labels) + 1):
            child = DnsName(".".join(zone.labels[-depth:]))
            if child not in self._known:
                self._known[child] = self._below(at, secure, child)
            found = self._known[child]
            if found is None:
                continue
            if found.trust is not Trust.SECURE:
                return found
            at, secure = child, found
        if at != zone:
            return Proven(Trust.BOGUS, flaw=f"{at.text or '.'} proves that it does not delegate {zone}")
        return secure

    def ring(self, zone: DnsName) -> Keyring | tuple[Trust, str]:
        """The keys of a secure zone, or what is to be said of it instead. Raises nothing."""
        proven = self.of(zone)
        if proven.trust is not Trust.SECURE:
            return proven.trust, proven.flaw
        ring = self._ring(zone, proven)
        return (ring.trust, ring.flaw) if isinstance(ring, Proven) else ring

    def _below(self, zone: DnsName, secure: Proven, child: DnsName) -> Proven | None:
        """What a secure zone says of a name below it; None where that is no zone."""
        ring = self._ring(zone, secure)
        if isinstance(ring, Proven):
            return ring
        answers = list(self._asked(zone, child, "DS"))
        if not answers:
            return Proven(Trust.UNPROVEN, flaw=f"nobody says whether {child} has DS records")
        flaw = ""
        for answer in answers:
            name = dns.name.from_text(child.absolute)
            rrset = answer.get_rrset(dns.message.ANSWER, name, dns.rdataclass.IN, dns.rdatatype.DS)
            if rrset is None:
                match denied(zone, child, answer, ring.flaw):
                    case Denied.INSECURE:
                        return Proven(Trust.NO_DS, flaw=f"{zone.text or '.'} has no DS records for {child}")
                    case Denied.NO_CUT:
                        return None
                flaw = flaw or f"nothing proves that {child} has no DS records"
                continue
            signed = signed_part(child, answer, rrset)
            words = ring.flaw(signed) if signed is not None else "without a signature"
            if not words:
                return _usable(child, frozenset(rdata.to_text() for rdata in rrset))
            flaw = f"the DS records of {child} are {words}"
        return Proven(Trust.BOGUS, flaw=flaw)

    def _ring(self, zone: DnsName, secure: Proven) -> Keyring | Proven:
        """The zone's proven keys, or what is to be said of it without them."""
        if zone not in self._rings:
            found: Keyring | Proven = Proven(Trust.UNPROVEN, flaw=f"nobody tells the DNSKEY of {zone.text or '.'}")
            for answer in self._asked(zone, zone, "DNSKEY"):
                ring = Keyring(zone, answer, secure.ds, self._now)
                words = f"zone {zone.text or '.'} is {ring.trouble}"
                found = Proven(Trust.BOGUS, flaw=words) if ring.trouble else ring
                if not ring.trouble:
                    break
            self._rings[zone] = found
        return self._rings[zone]

    def _asked(self, zone: DnsName, name: DnsName, type_: str) -> Sequence[dns.message.Message]:
        """The answers of those who can tell, the first that has signatures alone where there is one."""
        found = []
        for server, flags in self._tellers(zone):
            answer = ask_all(server, [(name, type_)], flags=flags, seconds=_SECONDS)[name, type_]
            if isinstance(answer, str) or answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
                continue
            if any(item.rdtype == dns.rdatatype.RRSIG for item in (*answer.answer, *answer.authority)):
                return [answer]
            found.append(answer)
        return found

    def _tellers(self, zone: DnsName) -> Iterator[tuple[Server, int]]:
        yield from ((server, _RECURSE) for server in self._recursors[:_MOST_SERVERS])
        try:
            servers = self._servers_of(zone).servers
        except CertkeeperError:
            return
        yield from ((server, 0) for server in servers[:_MOST_SERVERS])


def _usable(zone: DnsName, texts: frozenset[str]) -> Proven:
    """Without an algorithm that is known here, a zone counts as insecure (RFC 4035 §5.2)."""
    words = {text: text.split() for text in texts}
    known = [
        text
        for text, (_, algorithm, digest, *_) in words.items()
        if algorithm in _KNOWN_ALGORITHMS and digest in _KNOWN_DIGESTS
    ]
    if not known:
        return Proven(Trust.NO_DS, flaw=f"the DS records of {zone.text or '.'} are of kinds that are not known here")
    return Proven(Trust.SECURE, frozenset(known))
