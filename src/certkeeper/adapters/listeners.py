"""Listeners of a run's own: HTTP that knows challenges only, and TLS that speaks acme-tls/1 only.

They are open from the first lineage that needs them to the end of the run. Whoever connects gets a few seconds and a
few kilobytes; who comes when too many are there is turned away.
"""

import contextlib
import errno
import os
import select
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Sequence

from certkeeper.acme.alpn import PROTOCOL
from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.apply.ports import AnsweredChallenge
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import ServerAddress

SETTINGS = {ChallengeType.HTTP_01: "HTTP_LISTEN", ChallengeType.TLS_ALPN_01: "TLS_ALPN_LISTEN"}
_PATH = b"/.well-known/acme-challenge/"
_SECONDS = 10.0
_LARGEST_REQUEST = 8192
_MOST_CONNECTIONS = 64
_BACKLOG = 128
_ABSENT_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}
_ANSWER = b"HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"


class CannotListen(CertkeeperError):
    """An address of HTTP_LISTEN or TLS_ALPN_LISTEN that cannot be had."""

    label = "configuration"
    fault = Fault.OPERATOR
    local = True


class OwnListeners:
    """Implements the port Listeners. Threads may share it."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._open: dict[ChallengeType, _Doors] = {}
        self._tokens: dict[str, bytes] = {}
        self._contexts: dict[str, tuple[bytes, ssl.SSLContext]] = {}

    def listen(self, method: ChallengeType, addresses: Sequence[ServerAddress]) -> None:
        """Raises CannotListen, OutOfDescriptors."""
        serve = self._http if method is ChallengeType.HTTP_01 else self._tls
        with self._mutex:
            if method not in self._open:
                self._open[method] = _Doors(_bound(addresses, SETTINGS[method]), serve)

    def answer(self, challenge: AnsweredChallenge) -> None:
        if challenge.method is ChallengeType.HTTP_01:
            self._tokens[challenge.name] = challenge.content
        else:
            self._contexts[challenge.name.lower()] = challenge.content, _context(challenge.content)

    def unanswer(self, challenge: AnsweredChallenge) -> None:
        if challenge.method is ChallengeType.HTTP_01:
            self._tokens.pop(challenge.name, None)
        else:
            self._contexts.pop(challenge.name.lower(), None)

    def addresses(self, method: ChallengeType) -> tuple[tuple[str, int], ...]:
        """Where it listens now."""
        doors = self._open.get(method)
        return doors.addresses if doors is not None else ()

    def close(self) -> None:
        """Close everything; who is connected is cut off."""
        with self._mutex:
            doors, self._open = self._open, {}
        for each in doors.values():
            each.close()
        self._tokens.clear()
        self._contexts.clear()

    def _http(self, connection: socket.socket, deadline: float) -> None:
        request = b""
        while b"\r\n\r\n" not in request and len(request) <= _LARGEST_REQUEST:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            chunk = connection.recv(_LARGEST_REQUEST)
            if not chunk:
                return
            request += chunk
        words = request.partition(b"\r\n")[0].split(b" ")
        content = None
        if len(words) == 3 and words[0] == b"GET" and words[1].startswith(_PATH) and words[2].startswith(b"HTTP/1."):
            token = words[1].removeprefix(_PATH).decode("latin-1")
            content = self._tokens.get(token)
        if content is None:
            connection.sendall(_ANSWER % (b"404 Not Found", 0, b""))
        else:
            connection.sendall(_ANSWER % (b"200 OK", len(content), content))

    def _tls(self, connection: socket.socket, deadline: float) -> None:
        context = _empty_context()
        context.sni_callback = self._chosen
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        # The handshake is all there is (RFC 8737 §3).
        with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as tls:
            tls.settimeout(max(0.001, min(1.0, deadline - time.monotonic())))
            with contextlib.suppress(OSError):
                tls.unwrap()

    def _chosen(self, tls: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
        found = self._contexts.get((name or "").lower())
        if found is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        tls.context = found[1]
        return None


class _Doors:
    """Listening sockets of one kind, and a thread that lets people in."""

    def __init__(self, sockets: Sequence[socket.socket], serve: Callable[[socket.socket, float], None]) -> None:
        self._sockets = sockets
        self._serve = serve
        self._guests = threading.Semaphore(_MOST_CONNECTIONS)
        self._bell, self._ear = socket.socketpair()
        self.addresses = tuple((item.getsockname()[0], item.getsockname()[1]) for item in sockets)
        self._thread = threading.Thread(target=self._admit, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._bell.close()
        self._thread.join()
        for item in (*self._sockets, self._ear):
            item.close()

    def _admit(self) -> None:
        while True:
            ready, _, _ = select.select([self._ear, *self._sockets], [], [])
            if self._ear in ready:
                return
            for item in ready:
                # Whoever went away meanwhile, or found no descriptor left, comes again.
                with contextlib.suppress(OSError):
                    self._receive(item.accept()[0])

    def _receive(self, connection: socket.socket) -> None:
        if not self._guests.acquire(blocking=False):
            connection.close()
            return
        threading.Thread(target=self._attend, args=(connection,), name="listener", daemon=True).start()

    def _attend(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                self._serve(connection, time.monotonic() + _SECONDS)
                connection.shutdown(socket.SHUT_WR)
        finally:
            self._guests.release()


def _bound(addresses: Sequence[ServerAddress], setting: str) -> list[socket.socket]:
    """All of them, or none."""
    sockets: list[socket.socket] = []
    with contextlib.ExitStack() as stack:
        for address in addresses:
            hosts = [address.host] if address.host else ["0.0.0.0", "::"]  # noqa: S104 - what the operator asked for
            for host in hosts:
                with contextlib.suppress(_NoSuchFamily):
                    sockets.append(stack.enter_context(_listening(host, address, setting)))
        stack.pop_all()
    return sockets


class _NoSuchFamily(Exception):
    """This machine has no such addresses at all."""


def _listening(host: str, address: ServerAddress, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.create_server((host, address.port), family=family, backlog=_BACKLOG)
        made.setblocking(False)
    except OSError as error:
        if not address.host and error.errno in _ABSENT_FAMILY:
            raise _NoSuchFamily from error
        if (starved := out_of_descriptors(f"{setting} {address}", error)) is not None:
            raise starved from error
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise CannotListen(
            f"{setting} {address}: cannot listen: {reason}", hint=_hint(error.errno, address, setting)
        ) from error
    return made


def _hint(number: int | None, address: ServerAddress, setting: str) -> str:
    match number:
        case errno.EADDRINUSE:
            return (
                f"see who has it: ss -ltnp sport = :{address.port}; where that is your web server, "
                f"leave {setting} out and have it serve the files"
            )
        case errno.EACCES | errno.EPERM:
            return "run as root, or with AmbientCapabilities=CAP_NET_BIND_SERVICE"
        case _:
            return f'write addresses of this machine: {setting}=":{address.port}"'


def _empty_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols([PROTOCOL])
    return context


def _context(pem: bytes) -> ssl.SSLContext:
    """Python takes certificates from files only: a private one (0600), which is gone when it was read."""
    context = _empty_context()
    with tempfile.NamedTemporaryFile(prefix="certkeeper-") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context
