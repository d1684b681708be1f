"""Bounds on what a stranger can do to a conversation."""

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.message
import dns.rdatatype
import pytest

from certkeeper.adapters.dnslines import ServerSilent, TcpLine, lines
from certkeeper.adapters.dnsmessage import query
from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import Server

QUERY = query(DnsName("example.org"), dns.rdatatype.TXT, 4711)


@contextmanager
def peer(serve: Callable[[socket.socket], None]) -> Iterator[Server]:
    """A TCP server that does this with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                    with connection:
                        serve(connection)
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield Server("peer", *listening.getsockname())
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def drip(connection: socket.socket) -> None:
    """Octet by octet, without end."""
    connection.recv(4096)
    while True:
        connection.send(b"\x01")
        select.select([], [], [], 0.01)


def chatter(connection: socket.socket) -> None:
    """Answers to questions that nobody asked, without end."""
    query = dns.message.from_wire(connection.recv(4096)[2:])
    wire = dns.message.make_response(query).to_wire()
    other = struct.pack("!H", query.id ^ 1) + wire[2:]
    while True:
        connection.send(struct.pack("!H", len(other)) + other)
        select.select([], [], [], 0.01)


def hang_up(connection: socket.socket) -> None:
    connection.recv(4096)


@pytest.mark.parametrize("serve", [drip, chatter])
def test_who_goes_on_for_ever_is_left(serve: Callable[[socket.socket], None]) -> None:
    with peer(serve) as server, lines(server) as (tcp, _):
        tcp.seconds = 0.3
        with pytest.raises((TimeoutError, ServerSilent)):
            tcp.ask([QUERY])


def test_who_hangs_up_without_an_answer_is_asked_once() -> None:
    connections = []

    def counted(connection: socket.socket) -> None:
        connections.append(connection)
        hang_up(connection)

    with peer(counted) as server:
        line = TcpLine(server)
        with pytest.raises(ConnectionError):
            line.ask([QUERY])
        line.close()
    assert len(connections) == 1
