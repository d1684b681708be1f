"""Name servers that answer oddly; those that answer well are real ones, in the integration tests."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from certkeeper.adapters.dnsfacts import ask_server
from certkeeper.base.names import DnsName
from certkeeper.zone.facts import Served
from certkeeper.zone.propagation import Server

ZONE = DnsName("example.org")
SOA = "ns1.example.org. host.example.org. 7 1 1 1 300"
Reply = Callable[[dns.message.Message], bytes]


@contextmanager
def answering(reply: Reply) -> Iterator[Server]:
    """A server that answers over UDP, and refuses TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.settimeout(20)

        def serve() -> None:
            while True:
                question, who = line.recvfrom(4096)
                if question == b"stop":
                    return
                line.sendto(reply(dns.message.from_wire(question)), who)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        server = Server("127.0.0.1", "127.0.0.1", line.getsockname()[1])
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.sendto(b"stop", line.getsockname())
            thread.join(10)


def answer(question: dns.message.Message, *records: tuple[str, str], flags: int = dns.flags.AA) -> dns.message.Message:
    made = dns.message.make_response(question)
    made.flags |= flags
    name = question.question[0].name
    made.answer = [dns.rrset.from_text(name, 600, "IN", kind, text) for kind, text in records]
    return made


def looked(reply: Reply) -> Served:
    with answering(reply) as server:
        return ask_server(ZONE, server)


def test_an_answer_is_read() -> None:
    def reply(question: dns.message.Message) -> bytes:
        soa = question.question[0].rdtype == 6
        records = [("SOA", SOA)] if soa else [("NS", "ns1.example.org."), ("NS", "odd\\032name.")]
        return answer(question, *records).to_wire()

    seen = looked(reply)
    assert (seen.trouble, seen.serial, seen.negative_ttl, seen.signed_until) == ("", 7, 300, None)
    assert seen.ns == {DnsName("ns1.example.org")}
    assert seen.ds == frozenset()


def rcode(question: dns.message.Message) -> bytes:
    made = answer(question)
    made.set_rcode(dns.rcode.REFUSED)
    return made.to_wire()


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (lambda _: b"", "answers with something that is no DNS message"),
        (lambda _: b"\x00" * 5, "answers with something that is no DNS message"),
        (rcode, "answers REFUSED"),
        (lambda question: answer(question, ("SOA", SOA), flags=0).to_wire(), "is not authoritative for the zone"),
        (lambda question: answer(question).to_wire(), "has no SOA record for the zone"),
        (lambda question: answer(question, flags=dns.flags.AA | dns.flags.TC).to_wire(), "connection refused"),
    ],
)
def test_an_answer_of_no_use_is_told_in_words(reply: Reply, trouble: str) -> None:
    assert looked(reply).trouble == trouble
