"""Ports ServiceLookup and SecureLookup: what recursive resolvers say, and whether DNSSEC proves it.

A validating resolver is asked where there is one. Elsewhere this host's own is asked with CD, and what it says is
proven from a trust anchor; that there is nothing cannot be proven then, so it counts as secure where the zone is.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.RRSIG import RRSIG

from certkeeper.adapters.chainproof import ChainProof
from certkeeper.adapters.dnsquestions import Question
from certkeeper.adapters.tlsalooks import Homes
from certkeeper.adapters.tlsaserved import alias_part, ask_all, signed_part
from certkeeper.adapters.tlsatrust import Validation
from certkeeper.adapters.validators import ask_validators
from certkeeper.apply.daneports import Resolved
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.dane.facts import Trust
from certkeeper.zone.propagation import ServerSet

_RECURSE = int(dns.flags.RD | dns.flags.CD)
_SECONDS = 6.0
_LONGEST_CHAIN = 12
_MOST_RECORDS = 64
_NOWHERE = DnsName("")


class Resolving:
    """Implements both ports. `now` is when signatures are to hold."""

    def __init__(
        self, validation: Validation, homes: Homes, servers_of: Callable[[DnsName], ServerSet], now: datetime
    ) -> None:
        self._validation = validation
        self._homes = homes
        self._proof = ChainProof(validation.anchors, validation.recursors, servers_of, now)

    def mail_exchangers(self, domains: Collection[DnsName]) -> Mapping[DnsName, tuple[DnsName, ...] | None]:
        found = self.resolve([(domain, "MX") for domain in domains])
        return {domain: exchangers_of(found[domain, "MX"]) for domain in domains}

    def services(self, names: Collection[DnsName]) -> Mapping[DnsName, tuple[tuple[DnsName, int], ...] | None]:
        found = self.resolve([(name, "SRV") for name in names])
        return {name: targets_of(found[name, "SRV"]) for name in names}

    def resolve(self, questions: Collection[Question]) -> Mapping[Question, Resolved]:
        wanted = tuple(dict.fromkeys(questions))
        said = ask_validators(self._validation.validators, wanted)
        found = {
            question: _resolved(question, one.answer, one.trust, one.flaw)
            for question, one in said.items()
            if one.answer is not None or one.trust is not Trust.UNPROVEN
        }
        left = [question for question in wanted if question not in found]
        for recursor in self._validation.recursors:
            if not left:
                break
            replies = ask_all(recursor, left, flags=_RECURSE, seconds=_SECONDS)
            for question, reply in replies.items():
                if not isinstance(reply, str) and reply.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
                    found[question] = self._proven(question, reply)
            left = [question for question in left if question not in found]
        return found | {question: Resolved(trouble=said[question].flaw or "no resolver answers") for question in left}

    def _proven(self, question: Question, answer: dns.message.Message) -> Resolved:
        if not self._validation.anchors:
            return _resolved(question, answer, Trust.UNPROVEN, "no validating resolver and no trust anchor is known")
        chain = _chain(question, answer)
        for rrset in chain:
            trust, flaw = self._judged(rrset, answer)
            if trust is not Trust.SECURE:
                return _resolved(question, answer, trust, flaw)
        trust, flaw = (Trust.SECURE, "") if chain else self._zone(question[0])
        return _resolved(question, answer, trust, flaw)

    def _judged(self, rrset: dns.rrset.RRset, answer: dns.message.Message) -> tuple[Trust, str]:
        owner = DnsName(rrset.name.to_text(omit_final_dot=True).lower())
        alias = rrset.rdtype == dns.rdatatype.CNAME
        signed = alias_part(owner, answer, rrset) if alias else signed_part(owner, answer, rrset)
        signers = signed.rrsets()[1] if signed is not None else ()
        zones = {item.signer for item in signers if isinstance(item, RRSIG) and rrset.name.is_subdomain(item.signer)}
        if signed is None or not zones:
            trust, flaw = self._zone(owner)
            return (Trust.BOGUS, f"{owner} comes without a signature") if trust is Trust.SECURE else (trust, flaw)
        words = ""
        for zone in zones:
            found = self._proof.ring(DnsName(zone.to_text(omit_final_dot=True).lower()))
            if isinstance(found, tuple):
                return found
            if not (words := found.flaw(signed)):
                return Trust.SECURE, ""
        return Trust.BOGUS, f"{owner} comes {words}"

    def _zone(self, name: DnsName) -> tuple[Trust, str]:
        """What is proven of the zone that a name is in."""
        try:
            zone = self._homes([name]).get(name)
        except CertkeeperError as error:
            return Trust.UNPROVEN, str(error)
        if zone is None:
            return Trust.UNPROVEN, f"the zone of {name} is not found"
        proven = self._proof.of(zone)
        return proven.trust, proven.flaw


def exchangers_of(found: Resolved) -> tuple[DnsName, ...] | None:
    """MX hosts in the order of their preference; the single dot of RFC 7505 is none."""
    return None if found.trouble else tuple(dict.fromkeys(host for host, _ in _sorted(found)))


def targets_of(found: Resolved) -> tuple[tuple[DnsName, int], ...] | None:
    """SRV targets with their ports in the order of their priority (RFC 2782)."""
    return None if found.trouble else tuple((host, int(words[2])) for host, words in _sorted(found))


def _sorted(found: Resolved) -> list[tuple[DnsName, list[str]]]:
    """Records of either type: the preference comes first, the host last. Hosts with odd names are passed over."""
    hosts = []
    for words in sorted((text.split() for text in found.texts), key=lambda words: (int(words[0]), words)):
        try:
            host = DnsName.parse(words[-1])
        except InvalidName:
            continue
        if host != _NOWHERE:
            hosts.append((host, words))
    return hosts


def _chain(question: Question, answer: dns.message.Message) -> list[dns.rrset.RRset]:
    """The RRsets of an answer that lead from the name to what was asked for."""
    at, wanted = dns.name.from_text(question[0].absolute), dns.rdatatype.from_text(question[1])
    found: list[dns.rrset.RRset] = []
    while len(found) < _LONGEST_CHAIN:
        rrset = answer.get_rrset(dns.message.ANSWER, at, dns.rdataclass.IN, wanted)
        if rrset is not None:
            return [*found, rrset]
        alias = answer.get_rrset(dns.message.ANSWER, at, dns.rdataclass.IN, dns.rdatatype.CNAME)
        first = alias[0] if alias is not None else None
        if alias is None or not isinstance(first, CNAME):
            break
        found.append(alias)
        at = first.target
    return found


def _resolved(question: Question, answer: dns.message.Message | None, trust: Trust, flaw: str) -> Resolved:
    """HIDDEN, a proof that there is nothing, is as good as any."""
    trust, flaw = (Trust.SECURE, "") if trust is Trust.HIDDEN else (trust, flaw)
    if answer is None:
        return Resolved(trust=trust, flaw=flaw, trouble=flaw)
    chain = _chain(question, answer)
    ends = chain[-1] if chain and chain[-1].rdtype == dns.rdatatype.from_text(question[1]) else None
    texts = tuple(sorted(rdata.to_text() for rdata in ends))[:_MOST_RECORDS] if ends is not None else ()
    alias = chain[-1].name.to_text(omit_final_dot=True).lower() if len(chain) > 1 else ""
    try:
        target = DnsName.parse(alias) if alias else None
    except InvalidName:
        target = None
    return Resolved(texts, trust, flaw, target)
