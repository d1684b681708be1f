"""Things that go wrong between a client and a healthy server, on purpose: over HTTP, and in the CA's DNS."""

import http.client
import socketserver
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import trustme

from bed import ports
from bed.pebble import Pebble
from bed.powerdns import PowerDns
from bed.recorder import HOP_BY_HOP
from bed.serving import OwnServer, Serving


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `nth` counts, from 1, those of the same method and kind (first part of the path)."""

    method: str
    path: str
    body: bytes
    nth: int

    @property
    def kind(self) -> str:
        return kind_of(self.path)


@dataclass(frozen=True, slots=True)
class Answer:
    """The proxy answers by itself; the server behind it never hears of the request."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection is closed without an answer, before or after the request was passed on."""

    passed_on: bool = False


@dataclass(frozen=True, slots=True)
class Late:
    """Passed on that many seconds later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The server's answer, with another body, with more headers, or `without` some."""

    change: Callable[[bytes], bytes] = bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    without: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Stall:
    """The server's answer begins, and does not go on."""


@dataclass(frozen=True, slots=True)
class OldNonce:
    """The server's answer with the nonce that the first answer of all brought."""


Fault = Answer | HangUp | Late | Rewrite | Stall | OldNonce
Rule = Callable[[Asked], Fault | None]
"""What happens to a request; None passes it on. Called from several threads, one at a time."""


def kind_of(path: str) -> str:
    return "/" + path.partition("?")[0].split("/")[1]


class FaultProxy(Serving):
    """A reverse proxy on loopback. The Host header goes through, so a CA behind it hands out URLs that lead here."""

    def __init__(
        self, upstream: str, rule: Rule, *, trust: Path | None = None, certificate: trustme.LeafCert | None = None
    ) -> None:
        """`trust` is the PEM file by which an https upstream is verified, `certificate` makes the proxy speak TLS."""
        parts = urlsplit(upstream)
        self.rule = rule
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._trust = ssl.create_default_context(cafile=str(trust)) if parts.scheme == "https" else None
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, str]] = Counter()
        self._asked: list[Asked] = []
        self._answered: list[tuple[str, int]] = []
        self._nonce = ""
        self.stopped = threading.Event()
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
        self.serve(_Handler, context)
        self.url = f"{'https' if certificate else 'http'}://localhost:{self.port}"

    def requests(self) -> list[Asked]:
        with self._lock:
            return list(self._asked)

    def follow(self, rule: Rule) -> None:
        """Another rule from now on, and nothing on record."""
        with self._lock:
            self.rule = rule
            self._seen.clear()
            self._asked.clear()
            self._answered.clear()
            self._nonce = ""

    def answered(self) -> list[tuple[str, int]]:
        """Kind and status of what the server behind answered, whether or not the client heard of it."""
        with self._lock:
            return list(self._answered)

    def note(self, path: str, status: int, nonce: str) -> str:
        """Put an answer on record; the first nonce of all."""
        with self._lock:
            self._answered.append((kind_of(path), status))
            self._nonce = self._nonce or nonce
            return self._nonce

    def decide(self, method: str, path: str, body: bytes) -> Fault | None:
        with self._lock:
            kind = kind_of(path)
            self._seen[method, kind] += 1
            asked = Asked(method, path, body, self._seen[method, kind])
            self._asked.append(asked)
            return self.rule(asked)

    def forward(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        if self._trust is not None:
            upstream: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._host, self._port, timeout=30, context=self._trust
            )
        else:
            upstream = http.client.HTTPConnection(self._host, self._port, timeout=30)
        try:
            upstream.request(method, path, body or None, dict(headers))
            reply = upstream.getresponse()
            return reply, reply.read()
        finally:
            upstream.close()

    def stop(self) -> None:
        self.stopped.set()
        super().stop()


class _Handler(BaseHTTPRequestHandler):
    server: OwnServer[FaultProxy]
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            # A client that was killed between the head and the body has asked for nothing.
            self._hang_up()
            return
        fault = self.server.owner.decide(self.command, self.path, body)
        match fault:
            case Answer(status, content, headers):
                self._answer(status, content, headers)
            case HangUp(passed_on=False):
                self._hang_up()
            case Late(seconds):
                self.server.owner.stopped.wait(seconds)
                self._pass_on(body, None)
            case _:
                self._pass_on(body, fault)

    def _pass_on(self, body: bytes, fault: Fault | None) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        try:
            reply, content = self.server.owner.forward(self.command, self.path, body, headers)
        except OSError as error:
            self._answer(502, str(error).encode(), {"Content-Type": "text/plain"})
            return
        first = self.server.owner.note(self.path, reply.status, reply.getheader("Replay-Nonce") or "")
        kept = {
            name: value for name, value in reply.getheaders() if name.lower() not in HOP_BY_HOP | {"content-length"}
        }
        match fault:
            case HangUp():
                self._hang_up()
                return
            case Stall():
                self._stall(content)
                return
            case OldNonce():
                kept["Replay-Nonce"] = first
            case Rewrite(change, more, without):
                left_out = {name.lower() for name in without}
                kept = {name: value for name, value in kept.items() if name.lower() not in left_out}
                content, kept = change(content), {**kept, **more}
        self._answer(reply.status, content, kept)

    def _stall(self, content: bytes) -> None:
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(content) + 1))
        self.end_headers()
        self.wfile.write(content[:1])
        self.wfile.flush()
        # until the client has had enough, which a TLS connection only shows by what can be read
        self.connection.settimeout(60)
        with suppress(OSError):
            self.rfile.read(1)
        self.close_connection = True

    def _answer(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _handle  # noqa: N815 (names of the base class)

    def log_message(self, *_: object) -> None:
        """Standard error belongs to the tests."""


class FaultyPebble(FaultProxy):
    """A proxy in front of Pebble, under a certificate of its own authority (`ca_bundle`)."""

    def __init__(self, pebble: Pebble, rule: Rule, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.ca_bundle = folder / "faulty-ca.pem"
        authority.cert_pem.write_to_path(self.ca_bundle)
        super().__init__(
            pebble.directory_url.removesuffix("/dir"),
            rule,
            trust=pebble.ca_bundle,
            certificate=authority.issue_cert("localhost", key_type=trustme.KeyType.ECDSA),
        )
        self.directory_url = f"{self.url}/dir"


class FaultyPowerDns(FaultProxy):
    """A proxy in front of PowerDNS's API; what it passes on is on record there."""

    def __init__(self, server: PowerDns, rule: Rule) -> None:
        super().__init__(server.api_url, rule)


class HoleyDns:
    """Passes questions on to a name server, over UDP and TCP, and knows nothing (NXDOMAIN) of the names in `holes`."""

    def __init__(
        self, upstream: tuple[str, int], holes: Collection[str], *, address: tuple[str, int] | None = None
    ) -> None:
        """`address` is where it listens; a free port on loopback by itself."""
        self._upstream = upstream
        self._holes = {dns.name.from_text(name) for name in holes}
        self.dns = address or ("127.0.0.1", ports.reserve())
        self._servers: list[socketserver.BaseServer] = [_Udp(self.dns, self), _Tcp(self.dns, self)]
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def reply(self, packet: bytes) -> bytes:
        query = dns.message.from_wire(packet)
        if any(question.name in self._holes for question in query.question):
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.AA
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            answer = dns.query.tcp(query, self._upstream[0], port=self._upstream[1], timeout=5)
        return answer.to_wire()

    def stop(self) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()
        ports.release(self.dns[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], holey: HoleyDns) -> None:
        super().__init__(address, _Datagram)
        self.holey = holey


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], holey: HoleyDns) -> None:
        super().__init__(address, _Stream)
        self.holey = holey


class _Datagram(socketserver.DatagramRequestHandler):
    server: _Udp

    def handle(self) -> None:
        self.wfile.write(self.server.holey.reply(self.rfile.read()))


class _Stream(socketserver.StreamRequestHandler):
    server: _Tcp
    timeout = 30

    def handle(self) -> None:
        while len(size := self.rfile.read(2)) == 2:
            answer = self.server.holey.reply(self.rfile.read(int.from_bytes(size)))
            self.wfile.write(len(answer).to_bytes(2) + answer)
