"""Plain questions to one name server, without recursion, and single messages with their answer."""

import secrets
import socket
import struct
import time
from collections.abc import Collection, Mapping
from typing import TypeAlias

import dns.message
import dns.rdatatype

from certkeeper.adapters.dnslines import Reply, ServerSilent, lines, trouble, until
from certkeeper.adapters.dnsmessage import query
from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import Server

Question: TypeAlias = tuple[DnsName, str]
"""An owner, and the type of the records asked for."""


def ask(
    server: Server,
    questions: Collection[Question],
    *,
    flags: int = 0,
    edns_flags: int = 0,
    seconds: float | None = None,
) -> Mapping[Question, dns.message.Message]:
    """The server's answers, as `replies` has them."""
    found = replies(server, questions, flags=flags, edns_flags=edns_flags, seconds=seconds)
    return {question: reply.message for question, reply in found.items()}


def replies(
    server: Server,
    questions: Collection[Question],
    *,
    flags: int = 0,
    edns_flags: int = 0,
    seconds: float | None = None,
) -> Mapping[Question, Reply]:
    """What the server answers, whatever that says: over TCP, and over UDP where that fails.

    `seconds` is how long it may say nothing over TCP.

    Raises:
        ServerSilent: some question has no answer, or one that is no DNS message.
        OutOfDescriptors: it was not asked.
    """
    first_id = secrets.randbelow(65536)
    queries = {
        (owner, type_): query(owner, dns.rdatatype.from_text(type_), (first_id + index) % 65536, flags, edns_flags)
        for index, (owner, type_) in enumerate(questions)
    }
    with lines(server) as (tcp, udp):
        tcp.seconds = seconds or tcp.seconds
        try:
            answers = tcp.ask(list(queries.values()))
        except OSError:
            try:
                answers = udp.ask(list(queries.values()))
            except OSError as error:
                raise ServerSilent(trouble(error)) from error
    return {question: answers[asked.id] for question, asked in queries.items()}


def exchange(server: Server, wire: bytes, seconds: float) -> bytes:
    """One message over TCP, and the one that comes back, as octets.

    Raises:
        OSError: there is no answer in time.
    """
    deadline = time.monotonic() + seconds
    with socket.create_connection((server.address, server.port), timeout=seconds) as connection:
        connection.settimeout(until(deadline))
        connection.sendall(struct.pack("!H", len(wire)) + wire)
        size = struct.unpack("!H", _exactly(connection, 2, deadline))[0]
        return _exactly(connection, size, deadline)


def _exactly(connection: socket.socket, size: int, deadline: float) -> bytes:
    """So many octets, all of them before the deadline, however slowly they drip."""
    data = b""
    while len(data) < size:
        connection.settimeout(until(deadline))
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionResetError("the server closed the connection")
        data += piece
    return data
