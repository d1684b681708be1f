"""Proof from a trust anchor down, before servers that tell the truth, forge, or leave things out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import dns.flags
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from builders import liars
from builders.certificates import NOW
from builders.liars import Contents, LyingServer, Message, Twist
from certkeeper.adapters.chainproof import ChainProof, Proven
from certkeeper.adapters.resolving import Resolving
from certkeeper.adapters.tlsatrust import Validation
from certkeeper.base.names import DnsName
from certkeeper.dane.facts import Trust
from certkeeper.zone.propagation import ServerSet

ORG, ZONE, DEEP = DnsName("org"), DnsName("example.org"), DnsName("example.deep.org")
Prove = Callable[..., Proven]


@pytest.fixture
def child() -> Contents:
    return Contents.signed(more={("mail.example.org", "A"): ["192.0.2.1"]})


@pytest.fixture
def parent(child: Contents) -> Contents:
    more = {(name.text, "DS"): sorted(child.ds) for name in (ZONE, DEEP)}
    return Contents.signed(zone="org", more=more)


@pytest.fixture
def prove(parent: Contents) -> Iterator[Prove]:
    """What is proven of a zone, with the key of org as anchor, when the servers of org behave like that."""
    with ExitStack() as stack:

        def made(twist: Twist = liars.honest, zone: DnsName = ZONE, *, anchors: bool = True) -> Proven:
            server = stack.enter_context(LyingServer(parent, twist)).server
            known = {ORG: parent.ds} if anchors else {}
            return ChainProof(known, (), lambda _zone: ServerSet((server,)), NOW).of(zone)

        yield made


def test_the_chain_holds(prove: Prove, child: Contents) -> None:
    assert prove() == Proven(Trust.SECURE, child.ds)


def test_no_anchor_is_above_it(prove: Prove) -> None:
    assert prove(anchors=False).trust is Trust.UNPROVEN
    assert prove(zone=DnsName("example.com")).trust is Trust.UNPROVEN


def test_a_forged_ds_is_bogus(prove: Prove) -> None:
    def forge(query: Message, answer: Message, _transport: str) -> Message:
        if query.question[0].rdtype == dns.rdatatype.DS:
            name = query.question[0].name
            answer.answer[0] = dns.rrset.from_text(name, 60, "IN", "DS", f"1 13 2 {'00' * 32}")
        return answer

    found = prove(forge)
    assert (found.trust, found.flaw) == (
        Trust.BOGUS,
        "the DS records of example.org are with a signature that does not verify",
    )


@pytest.mark.parametrize(
    "twist",
    [liars.without_signatures, liars.without_keys, liars.expired(NOW - liars.DAY)],
    ids=["bare", "keyless", "old"],
)
def test_what_nobody_who_validates_would_take(prove: Prove, twist: Twist) -> None:
    assert prove(twist).trust is Trust.BOGUS


@pytest.mark.parametrize("twist", [liars.garbage, liars.rcode("SERVFAIL")])
def test_nobody_answers(prove: Prove, twist: Twist) -> None:
    assert prove(twist).trust is Trust.UNPROVEN


def test_ds_records_that_vanish_without_a_proof_are_bogus(prove: Prove) -> None:
    def hide(query: Message, answer: Message, _transport: str) -> Message:
        if query.question[0].rdtype == dns.rdatatype.DS:
            answer.answer.clear()
        return answer

    found = prove(hide)
    assert (found.trust, found.flaw) == (Trust.BOGUS, "nothing proves that example.org has no DS records")


def test_ds_records_of_unknown_kinds_make_a_zone_insecure(prove: Prove, parent: Contents) -> None:
    parent.more[ZONE.text, "DS"] = [f"1 253 2 {'00' * 32}", f"1 13 99 {'00' * 32}"]

    assert prove().trust is Trust.NO_DS


def test_a_name_between_that_is_no_zone_is_passed_over(prove: Prove, parent: Contents, child: Contents) -> None:
    def deny(query: Message, answer: Message, _transport: str) -> Message:
        between = dns.name.from_text("deep.org.")
        if query.question[0].rdtype == dns.rdatatype.DS and query.question[0].name == between:
            answer.answer.clear()
            answer.set_rcode(dns.rcode.NOERROR)
            rrset = dns.rrset.from_text(between, 60, "IN", "NSEC", "example.deep.org. RRSIG NSEC")
            answer.authority += [rrset, dns.rrset.from_rdata(between, 60, parent._signature(rrset))]
        return answer

    assert prove(deny, DEEP) == Proven(Trust.SECURE, child.ds)


def test_an_answer_without_a_signature_from_a_secure_zone_is_bogus(parent: Contents, child: Contents) -> None:
    """A resolver that was lied to hands the lie on."""

    def lied_to(query: Message, answer: Message, transport: str) -> Message:
        answer.flags |= dns.flags.RA
        if query.question[0].rdtype == dns.rdatatype.A:
            return liars.without_signatures(query, child.answer(query), transport)
        return (
            child.answer(query)
            if query.question[0].name == dns.name.from_text(ZONE.absolute)
            and (query.question[0].rdtype == dns.rdatatype.DNSKEY)
            else answer
        )

    question = DnsName("mail.example.org"), "A"
    with LyingServer(parent, lied_to) as resolver:
        validation = Validation(anchors={ORG: parent.ds}, recursors=(resolver.server,))
        found = Resolving(
            validation, lambda hosts: dict.fromkeys(hosts, ZONE), lambda _zone: ServerSet((resolver.server,)), NOW
        ).resolve([question])[question]

    assert (found.trust, found.flaw) == (Trust.BOGUS, "mail.example.org comes without a signature")
