"""An HTTP proxy on loopback that remembers what was asked of the server behind it.

PowerDNS writes its own request log after the reply has left, so counting there races with the test. Here a request
is on record before it is passed on.
"""

import http.client
import threading
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bed import ports

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-connection"})


@dataclass(frozen=True, slots=True)
class Recorded:
    method: str
    path: str
    """With the query string, as sent."""
    body: bytes = b""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], upstream: tuple[str, int]) -> None:
        super().__init__(address, _Handler)
        self.upstream = upstream
        self.requests: list[Recorded] = []

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (signature of the base class)
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append(Recorded(self.command, self.path, body))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        upstream = http.client.HTTPConnection(*self.server.upstream, timeout=30)
        try:
            upstream.request(self.command, self.path, body or None, headers)
            reply = upstream.getresponse()
            content = reply.read()
        except OSError as error:
            self.send_error(502, str(error))
            return
        finally:
            upstream.close()
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.getheaders():
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _pass_on  # noqa: N815 (names of the base class)

    def log_message(self, *_: object) -> None:
        """Standard error belongs to the tests."""


class Recorder:
    """Started by its constructor; `url` is what clients are told."""

    def __init__(self, upstream: tuple[str, int], *, address: str = "127.0.0.1") -> None:
        self.port = ports.reserve(address)
        self._server = _Server((address, self.port), upstream)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://{address}:{self.port}"

    def requests(self) -> list[Recorded]:
        return list(self._server.requests)

    def counts(self) -> Counter[tuple[str, str]]:
        """How often each method and path was asked for; the query string does not count."""
        return Counter((request.method, request.path.partition("?")[0]) for request in self.requests())

    def forget(self) -> None:
        self._server.requests.clear()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        ports.release(self.port)
