"""Whose word on DNSSEC counts: one that validates, and not one that sets a bit."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from builders import liars
from builders.liars import Contents, LyingServer, Message, Twist
from certkeeper.adapters.validators import ask_validators, on_loopback
from certkeeper.base.names import DnsName
from certkeeper.dane.facts import Trust
from certkeeper.zone.propagation import Server

ZONE = DnsName("example.org"), "SOA"
OWNER = DnsName("_25._tcp.mail.example.org"), "TLSA"
CONTENTS = Contents(more={(OWNER[0].text, "TLSA"): [f"3 1 1 {'ab' * 32}"]})

Serve = Callable[[Twist], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda twist: stack.enter_context(LyingServer(CONTENTS, twist)).server


def with_ad(query: Message, answer: Message, _transport: str) -> Message:
    """As a resolver does that validates: where it was asked for it (RFC 6840 §5.8)."""
    if query.flags & dns.flags.AD or query.ednsflags & dns.flags.DO:
        answer.flags |= dns.flags.AD
    return answer


def for_the_root_alone(query: Message, answer: Message, transport: str) -> Message:
    return with_ad(query, answer, transport) if query.question[0].name.to_text() == "." else answer


def refuses_unless_unchecked(query: Message, answer: Message, transport: str) -> Message:
    if query.question[0].rdtype == dns.rdatatype.TLSA and not query.flags & dns.flags.CD:
        answer.answer.clear()
        answer.set_rcode(dns.rcode.SERVFAIL)
        return answer
    return with_ad(query, answer, transport)


def refuses(query: Message, answer: Message, transport: str) -> Message:
    if query.question[0].rdtype == dns.rdatatype.TLSA:
        answer.answer.clear()
        answer.set_rcode(dns.rcode.SERVFAIL)
        return answer
    return with_ad(query, answer, transport)


def denies(query: Message, answer: Message, transport: str) -> Message:
    if query.question[0].rdtype == dns.rdatatype.TLSA:
        answer.answer.clear()
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return with_ad(query, answer, transport)


@pytest.mark.parametrize(
    ("twist", "trust"),
    [
        (with_ad, Trust.SECURE),
        (for_the_root_alone, Trust.UNSIGNED),
        (refuses_unless_unchecked, Trust.BOGUS),
        (refuses, Trust.UNPROVEN),
        (denies, Trust.HIDDEN),
        (liars.honest, Trust.UNPROVEN),
        (liars.garbage, Trust.UNPROVEN),
        (liars.rcode("REFUSED"), Trust.UNPROVEN),
    ],
)
def test_what_a_resolver_says_of_records(serve: Serve, twist: Twist, trust: Trust) -> None:
    found = ask_validators([serve(twist)], [ZONE, OWNER])

    assert found[OWNER].trust is trust
    assert bool(found[OWNER].flaw) == (trust is not Trust.SECURE)


def test_a_resolver_that_says_ad_unasked_proves_nothing(serve: Serve) -> None:
    def always(_query: Message, answer: Message, _transport: str) -> Message:
        answer.flags |= dns.flags.AD
        return answer

    found = ask_validators([serve(always)], [OWNER])[OWNER]
    assert found.trust is Trust.UNPROVEN
    assert found.flaw.endswith("says AD where nobody asked for it, so its word proves nothing")


def test_one_that_does_not_validate_gives_way_to_the_next(serve: Serve) -> None:
    found = ask_validators([serve(liars.honest), serve(with_ad)], [OWNER])

    assert found[OWNER].trust is Trust.SECURE


def test_only_loopback_is_trusted_without_a_word_of_the_operator() -> None:
    here = [Server(one, one) for one in ("127.0.0.53", "::1")]

    assert on_loopback([*here, Server("192.0.2.1", "192.0.2.1"), Server("::2", "::2")]) == tuple(here)
