"""An HTTP proxy as clients know them, on loopback: it connects them (CONNECT), or asks in their place."""

import base64
import http.client
import select
import socket
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit, urlunsplit

from bed.recorder import HOP_BY_HOP
from bed.serving import OwnServer, Serving

Address = tuple[str, int]


class ForwardProxy(Serving):
    """Every host and port is allowed, and found where `places` says, else at 127.0.0.1 and the same port.

    `password` is the `user:password` that it wants; `refuses` is the status of its answer to every CONNECT.
    """

    def __init__(
        self, *, places: Mapping[str, Address] | None = None, password: str = "", refuses: int | None = None
    ) -> None:
        self.places = dict(places or {})
        self.wanted = f"Basic {base64.b64encode(password.encode()).decode()}" if password else None
        self.refuses = refuses
        self.asked: list[str] = []
        """`CONNECT host:port`, or method and URL."""
        self.serve(_Handler)
        self.url = f"http://127.0.0.1:{self.port}"

    def place(self, host: str, port: int) -> Address:
        return self.places.get(f"{host}:{port}", ("127.0.0.1", port))


class _Handler(BaseHTTPRequestHandler):
    server: OwnServer[ForwardProxy]
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_CONNECT(self) -> None:
        proxy = self.server.owner
        proxy.asked.append(f"CONNECT {self.path}")
        if not self._welcome():
            return
        if proxy.refuses is not None:
            self._say(proxy.refuses)
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection(proxy.place(host.strip("[]"), int(port)), timeout=30) as server:
            self.send_response_only(200)
            self.end_headers()
            self._join(server)
        self.close_connection = True

    def do_GET(self) -> None:
        proxy = self.server.owner
        proxy.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._welcome():
            return
        url = urlsplit(self.path)
        server = http.client.HTTPConnection(*proxy.place(url.hostname or "", url.port or 80), timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        server.request(self.command, urlunsplit(("", "", *url[2:])) or "/", body or None, headers)
        reply = server.getresponse()
        content = reply.read()
        server.close()
        self._say(reply.status, content, reply.getheader("Content-Type") or "text/plain")

    do_POST = do_PUT = do_PATCH = do_HEAD = do_DELETE = do_GET  # noqa: N815 (names of the base class)

    def _welcome(self) -> bool:
        if self.server.owner.wanted in (None, self.headers.get("Proxy-Authorization")):
            return True
        self._say(407)
        return False

    def _say(self, status: int, content: bytes = b"", kind: str = "text/plain") -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _join(self, server: socket.socket) -> None:
        """Carry octets both ways until one side has no more."""
        client = self.connection
        while True:
            ready, _, _ = select.select([client, server], [], [], 30)
            if not ready:
                return
            for source in ready:
                octets = source.recv(65536)
                if not octets:
                    return
                (server if source is client else client).sendall(octets)

    def log_message(self, *_: object) -> None:
        """Tests say what they want to know."""
