"""How DNS questions travel: many at once over one TCP connection, and in datagrams that are sent again when lost."""

import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import dns.exception
import dns.message

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.adapters.dnsmessage import Query, read_plain, with_opaque_tlsa
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.zone.propagation import NotServing, Server

_CONNECT_SECONDS = 2.0
_SECONDS = 3.0
"""Without any answer to what was asked."""
_IN_FLIGHT = 64
_RESEND_SECONDS = (0.3, 0.7, 1.0)
"""A datagram is sent as often as this, and waited for that long each time."""
TURNS = len(_RESEND_SECONDS)
_MOST_RECONNECTS = 20


class ServerSilent(CertkeeperError):
    """A name server that gives no usable answer."""

    label = "dns-server"
    fault = Fault.REMOTE


class ErrorAnswer(ServerSilent, NotServing):
    """It answers, and not with what it serves."""


class Reply:
    """What came back for a question. Where it is not `plain`, dnspython has read it."""

    __slots__ = ("_message", "_wire", "plain")

    def __init__(self, query: Query, wire: bytes) -> None:
        """Raises ServerSilent: it is garbage, or answers something else."""
        self._wire = wire
        self.plain = read_plain(query, wire)
        self._message = None if self.plain is not None else parse(wire)
        if self._message is not None and not parse(query.wire).is_response(self._message):
            raise ServerSilent("answers another question than the one asked")

    @property
    def message(self) -> dns.message.Message:
        if self._message is None:
            self._message = parse(self._wire)
        return self._message


Replies = dict[int, Reply]


class TcpLine:
    """One TCP connection, with many questions in flight (RFC 7766 §6.2.1.1); answers are matched by id.

    A server may close it when it has answered enough (RFC 7766 §6.2.3): then it is opened again, as long as each
    connection brings something.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._socket: socket.socket | None = None
        self._buffer = b""
        self.seconds = _SECONDS

    def ask(self, queries: Sequence[Query]) -> Replies:
        """Every answer.

        Raises:
            OSError: no connection, or no answer in time.
            ServerSilent: garbage, or an answer to something else.
        """
        answers: Replies = {}
        for _ in range(_MOST_RECONNECTS):
            left = [query for query in queries if query.id not in answers]
            before = len(answers)
            try:
                self._ask(left, answers)
            except ConnectionError:
                self.close()
                if len(answers) == before:
                    raise
            else:
                return answers
        raise ConnectionResetError("the server closes its connections too soon")

    def _ask(self, queries: Sequence[Query], answers: Replies) -> None:
        connection = self._socket or self._connect()
        coming = iter(queries)
        open_: dict[int, Query] = {}
        self._send(connection, coming, open_, _IN_FLIGHT)
        deadline = time.monotonic() + self.seconds
        while open_:
            size = struct.unpack("!H", self._read(connection, 2, deadline))[0]
            wire = self._read(connection, size, deadline)
            query = _asked(open_, wire)
            if query is None:
                continue
            answers[query.id] = Reply(query, wire)
            deadline = time.monotonic() + self.seconds
            self._send(connection, coming, open_, 1)

    def _connect(self) -> socket.socket:
        self._buffer = b""
        with _counted(self._server):
            connection = socket.create_connection((self._server.address, self._server.port), timeout=_CONNECT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        return connection

    def _send(self, connection: socket.socket, coming: Iterator[Query], open_: dict[int, Query], most: int) -> None:
        data = b""
        for _, query in zip(range(most), coming, strict=False):
            data += struct.pack("!H", len(query.wire)) + query.wire
            open_[query.id] = query
        if data:
            connection.settimeout(self.seconds)
            connection.sendall(data)

    def _read(self, connection: socket.socket, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            connection.settimeout(until(deadline))
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionResetError("the server closed the connection")
            self._buffer += piece
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class UdpLine:
    """Datagrams to one server. The socket is connected, so that a closed port is heard of at once and nobody else's
    datagrams are.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._socket: socket.socket | None = None

    def send(self, queries: Sequence[Query]) -> None:
        """Raises OSError, also for what an earlier datagram met."""
        connection = self._open()
        for query in queries:
            connection.send(query.wire)

    def _open(self) -> socket.socket:
        if self._socket is None:
            family = socket.AF_INET6 if ":" in self._server.address else socket.AF_INET
            with _counted(self._server):
                self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.connect((self._server.address, self._server.port))
        return self._socket

    def collect(self, queries: Sequence[Query], turns: int = TURNS) -> Replies:
        """The answers to what `send` sent, which is sent again where nothing came, `turns` times in all.

        Raises:
            OSError: some answer did not come.
            ServerSilent: garbage, or an answer to something else.
        """
        connection = self._open()
        open_ = {query.id: query for query in queries}
        answers: Replies = {}
        for turn, seconds in enumerate(_RESEND_SECONDS[:turns]):
            if turn:
                self.send(list(open_.values()))
            deadline = time.monotonic() + seconds
            try:
                while open_:
                    connection.settimeout(until(deadline))
                    wire = connection.recv(65535)
                    query = _asked(open_, wire)
                    if query is not None:
                        answers[query.id] = Reply(query, wire)
            except TimeoutError:
                continue
            return answers
        raise TimeoutError

    def ask(self, queries: Sequence[Query], turns: int = TURNS) -> Replies:
        """Every answer, with few datagrams in flight at a time. Raises as `collect` does."""
        answers: Replies = {}
        for at in range(0, len(queries), _IN_FLIGHT):
            batch = queries[at : at + _IN_FLIGHT]
            self.send(batch)
            answers |= self.collect(batch, turns)
        return answers

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


@contextmanager
def lines(server: Server) -> Iterator[tuple[TcpLine, UdpLine]]:
    """Both ways to a server; nothing is opened before it is needed."""
    tcp, udp = TcpLine(server), UdpLine(server)
    try:
        yield tcp, udp
    finally:
        tcp.close()
        udp.close()


@contextmanager
def _counted(server: Server) -> Iterator[None]:
    """Where no descriptor is left for a socket, that says nothing about the server."""
    try:
        yield
    except OSError as error:
        if (starved := out_of_descriptors(str(server), error)) is not None:
            raise starved from error
        raise


def _asked(open_: dict[int, Query], wire: bytes) -> Query | None:
    """The question that this answers by its id, which is no longer open then.

    Raises ServerSilent: it is garbage.
    """
    query = open_.pop(int.from_bytes(wire[:2], "big"), None)
    if query is None:
        parse(wire)
    return query


def parse(wire: bytes) -> dns.message.Message:
    """Raises ServerSilent: it is no message. Where TLSA records are odd, all of them are of type OPAQUE_TLSA."""
    try:
        return dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError) as error:
        opaque = with_opaque_tlsa(wire)
        if opaque is not None:
            with suppress(dns.exception.DNSException, ValueError):
                return dns.message.from_wire(opaque)
        raise ServerSilent("answers with something that is no DNS message") from error


def trouble(error: OSError | ServerSilent) -> str:
    """Why a way to a server brought nothing, in a few words."""
    if isinstance(error, ServerSilent):
        return str(error)
    return "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error) or "no answer").lower()


def until(deadline: float) -> float:
    """What is left, so that somebody who sends byte by byte does not hold us for ever."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
