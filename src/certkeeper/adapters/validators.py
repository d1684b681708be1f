"""A validating resolver's word (RFC 4035 §3.2.3). It is taken from loopback, and from whom the operator names, alone:
on the way from anybody else AD could be set by anybody.

A resolver that never says AD does not validate, and one that says it unasked (RFC 6840 §5.8) copies a bit: neither
says anything of what is secure.
"""

import ipaddress
from collections.abc import Collection, Mapping, Sequence

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver

from certkeeper.adapters.dnsmessage import OPAQUE_TLSA
from certkeeper.adapters.dnsquestions import Question, ask
from certkeeper.adapters.tlsaserved import TLSA, ask_all
from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass
from certkeeper.dane.facts import Trust
from certkeeper.zone.propagation import Server

_ASK = int(dns.flags.RD | dns.flags.AD)
_ASK_UNCHECKED = int(dns.flags.RD | dns.flags.CD)
_SECONDS = 6.0
"""A resolver may have to ask many others first."""
ROOT = DnsName("")


@dataclass(frozen=True, slots=True)
class Said:
    """What a validating resolver says of one question.

    UNSIGNED means insecure: only the zone's servers show which of the two kinds it is. HIDDEN is a proof that there is
    nothing.
    """

    trust: Trust
    flaw: str = ""
    answer: dns.message.Message | None = None


def this_hosts_resolvers() -> tuple[Server, ...]:
    """Those of /etc/resolv.conf; none where it cannot be read."""
    try:
        found = dns.resolver.Resolver()
    except dns.exception.DNSException:
        return ()
    return tuple(Server(str(one), str(one), found.port) for one in found.nameservers if _is_address(str(one)))


def on_loopback(servers: Collection[Server]) -> tuple[Server, ...]:
    return tuple(server for server in servers if ipaddress.ip_address(server.address).is_loopback)


def ask_validators(validators: Sequence[Server], questions: Collection[Question]) -> Mapping[Question, Said]:
    """What the first of them says that validates; UNPROVEN of everything where none does. Raises nothing."""
    flaw = "no validating resolver is known: set VALIDATING_RESOLVER or TRUST_ANCHOR"
    for validator in validators if questions else ():
        found = _ask_one(validator, questions)
        if not isinstance(found, str):
            return found
        flaw = f"resolver {validator} {found}"
    return {question: Said(Trust.UNPROVEN, flaw) for question in questions}


def _ask_one(validator: Server, questions: Collection[Question]) -> dict[Question, Said] | str:
    """Why it has no say, else what it says."""
    replies = ask_all(validator, tuple(questions), flags=_ASK, seconds=_SECONDS)
    answers = {question: reply for question, reply in replies.items() if not isinstance(reply, str)}
    if not answers:
        return next((str(reply) for reply in replies.values()), "gives no answer")
    if words := _unfit(validator, answers):
        return words
    refused = [question for question, answer in answers.items() if answer.rcode() == dns.rcode.SERVFAIL]
    unchecked = ask_all(validator, refused, flags=_ASK_UNCHECKED, seconds=_SECONDS) if refused else {}
    found = {}
    for question in questions:
        answer = answers.get(question)
        if answer is None:
            found[question] = Said(Trust.UNPROVEN, f"resolver {validator}: {replies[question]}")
        elif question in refused:
            found[question] = _refused(validator, answer, unchecked[question])
        else:
            found[question] = _said(validator, question, answer)
    return found


def _unfit(validator: Server, answers: Mapping[Question, dns.message.Message]) -> str:
    """Why its word counts for nothing; empty where it validates."""
    secure = _with_ad(answers)
    if not secure:
        # Nothing of this is secure, maybe: what is above it is, more likely.
        secure = _with_ad(ask_all(validator, _zones_above(answers), flags=_ASK, seconds=_SECONDS))
    if not secure:
        return "does not validate: it says AD of nothing, not even of the root"
    return "says AD where nobody asked for it, so its word proves nothing" if _unasked(validator, secure[0]) else ""


def _with_ad(replies: Mapping[Question, dns.message.Message | str]) -> list[Question]:
    return [one for one, reply in replies.items() if not isinstance(reply, str) and reply.flags & dns.flags.AD]


def _zones_above(questions: Collection[Question]) -> list[Question]:
    """Names above these, and none with an underscore."""
    above = {ROOT: None}
    for name, _ in questions:
        labels = name.labels
        first = 1 + max((at for at, label in enumerate(labels) if label.startswith("_")), default=0)
        above |= {DnsName(".".join(labels[at:])): None for at in range(first, len(labels))}
    return [(name, "SOA") for name in above]


def _unasked(validator: Server, question: Question) -> bool:
    try:
        answer = ask(validator, [question], flags=int(dns.flags.RD), seconds=_SECONDS)[question]
    except CertkeeperError:
        return False
    return bool(answer.flags & dns.flags.AD)


def _refused(validator: Server, answer: dns.message.Message, unchecked: dns.message.Message | str) -> Said:
    """What it hands out unchecked only is bogus."""
    reasons = [option for option in answer.options if isinstance(option, dns.edns.EDEOption)]
    words = f" ({printable(reasons[0].to_text(), 120)})" if reasons else ""
    if not isinstance(unchecked, str) and unchecked.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        return Said(Trust.BOGUS, f"resolver {validator} refuses it as bogus{words}")
    return Said(Trust.UNPROVEN, f"resolver {validator} answers SERVFAIL{words}")


def _said(validator: Server, question: Question, answer: dns.message.Message) -> Said:
    if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        return Said(Trust.UNPROVEN, f"resolver {validator} answers {dns.rcode.to_text(answer.rcode())}")
    if not answer.flags & dns.flags.AD:
        return Said(Trust.UNSIGNED, f"resolver {validator} finds it insecure", answer)
    kinds = {dns.rdatatype.from_text(question[1])} | ({OPAQUE_TLSA} if question[1] == TLSA else set())
    if not any(item.rdtype in kinds for item in answer.answer):
        return Said(Trust.HIDDEN, f"resolver {validator} proves that it is not there", answer)
    return Said(Trust.SECURE, answer=answer)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
