"""Questions to one name server, straight to it and without recursion; and single messages with their answer."""

import secrets
import socket
import struct
import time
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import Server

Question: TypeAlias = tuple[DnsName, str]
"""An owner, and the type of the records asked for."""

_SECONDS = 3.0
_BATCH = 50
_EDNS_PAYLOAD = 1232
"""Octets; what fits every path unfragmented (DNS flag day 2020)."""


class ServerSilent(CertkeeperError):
    """A name server that gives no usable answer."""

    fault = Fault.REMOTE


def ask_txt(server: Server, owners: Collection[DnsName]) -> Mapping[DnsName, frozenset[str]]:
    """The TXT values that the server serves, per owner.

    Asks over TCP, as CAs do for large answers, with many questions in flight; over UDP where TCP fails.

    Raises:
        ServerSilent: no answer, an error answer, or one that is not authoritative.
        OutOfDescriptors: it was not asked.
    """
    answers = ask(server, [(owner, "TXT") for owner in owners])
    return {owner: _values(owner, answers[owner, "TXT"]) for owner in owners}


def ask(server: Server, questions: Collection[Question]) -> Mapping[Question, dns.message.Message]:
    """The server's answers, whatever they say.

    Raises:
        ServerSilent: some question has no answer, or one that is no DNS message.
    """
    first_id = secrets.randbelow(65536)
    queries = [(question, _query(question, (first_id + index) % 65536)) for index, question in enumerate(questions)]
    try:
        answers = _ask_tcp(server, [query for _, query in queries])
    except OSError as error:
        if (starved := out_of_descriptors(str(server), error)) is not None:
            raise starved from error
        answers = _ask_udp(server, [query for _, query in queries])
    return {question: answers[query.id] for question, query in queries}


def exchange(server: Server, wire: bytes, seconds: float) -> bytes:
    """One message over TCP, and the one that comes back, as octets.

    Raises:
        OSError: there is no answer in time.
    """
    deadline = time.monotonic() + seconds
    with socket.create_connection((server.address, server.port), timeout=seconds) as connection:
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        connection.sendall(struct.pack("!H", len(wire)) + wire)
        size = struct.unpack("!H", _exactly(connection, 2, deadline))[0]
        return _exactly(connection, size, deadline)


def silence(error: OSError) -> str:
    """Why there is no answer, in words."""
    return "no answer" if isinstance(error, TimeoutError) else (error.strerror or "no answer").lower()


def _query(question: Question, id_: int) -> dns.message.Message:
    owner, type_ = question
    query = dns.message.make_query(dns.name.from_text(owner.absolute), type_, use_edns=0, payload=_EDNS_PAYLOAD, id=id_)
    query.flags &= ~dns.flags.RD
    return query


def _ask_tcp(server: Server, queries: Sequence[dns.message.Message]) -> dict[int, dns.message.Message]:
    """Pipelined over one connection (RFC 7766 §6.2.1.1); answers may come in any order and are matched by id."""
    answers: dict[int, dns.message.Message] = {}
    with socket.create_connection((server.address, server.port), timeout=_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(queries), _BATCH):
            batch = {query.id: query for query in queries[at : at + _BATCH]}
            deadline = time.monotonic() + _SECONDS
            wires = [query.to_wire() for query in batch.values()]
            connection.sendall(b"".join(struct.pack("!H", len(wire)) + wire for wire in wires))
            while batch:
                size = struct.unpack("!H", _exactly(connection, 2, deadline))[0]
                answer = _parse(_exactly(connection, size, deadline))
                if batch.pop(answer.id, None) is not None:
                    answers[answer.id] = answer
    return answers


def _ask_udp(server: Server, queries: Sequence[dns.message.Message]) -> dict[int, dns.message.Message]:
    answers = {}
    family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as connection:
            # Connected, so that a closed port is heard of at once and nobody else's datagrams are.
            connection.connect((server.address, server.port))
            for query in queries:
                answers[query.id] = _one_datagram(connection, query)
    except OSError as error:
        raise out_of_descriptors(str(server), error) or ServerSilent(silence(error)) from error
    return answers


def _one_datagram(connection: socket.socket, query: dns.message.Message) -> dns.message.Message:
    connection.send(query.to_wire())
    deadline = time.monotonic() + _SECONDS
    while True:
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        answer = _parse(connection.recv(65535))
        if answer.id == query.id:
            return answer


def _exactly(connection: socket.socket, size: int, deadline: float) -> bytes:
    """So many octets, all of them before the deadline, however slowly they drip."""
    data = b""
    while len(data) < size:
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionResetError("the server closed the connection")
        data += piece
    return data


def _parse(wire: bytes) -> dns.message.Message:
    try:
        return dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError) as error:
        raise ServerSilent("answers with something that is no DNS message") from error


def _values(owner: DnsName, answer: dns.message.Message) -> frozenset[str]:
    """The TXT values at the owner; NXDOMAIN and an empty answer both mean none.

    CNAMEs are followed as far as the server put them into the answer.
    """
    rcode = answer.rcode()
    if rcode not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        raise ServerSilent(f"answers {dns.rcode.to_text(rcode)} for {owner}")
    if answer.flags & dns.flags.TC:
        raise ServerSilent(f"cuts its answer for {owner} short, and does not speak TCP")
    if not answer.flags & dns.flags.AA:
        raise ServerSilent(f"is not authoritative for {owner}")
    return frozenset(
        b"".join(rdata.strings).decode("utf-8", "replace")
        for rrset in answer.answer
        if rrset.rdtype == dns.rdatatype.TXT
        for rdata in rrset
        if isinstance(rdata, TXT)
    )
