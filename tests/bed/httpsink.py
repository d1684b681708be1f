"""An HTTP server on loopback that takes whatever it is sent, remembers it, and answers as it is told to."""

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Taken:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    status = 200
    silent = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[Taken] = []
        self.over = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (signature of the base class)
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.taken.append(Taken(self.command, self.path, dict(self.headers.items()), body))
        if self.server.silent:
            self.server.over.wait(60)
            return
        self.send_response_only(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_HEAD = _take  # noqa: N815 (names of the base class)

    def log_message(self, *_: object) -> None:
        """Standard error belongs to the tests."""


class HttpSink:
    """Started by its constructor. `status` is what it answers; where it is `silent` it never does."""

    def __init__(self) -> None:
        self._server = _Server()
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, status: int = 200, *, silent: bool = False) -> None:
        self._server.status, self._server.silent = status, silent

    def taken(self) -> list[Taken]:
        return list(self._server.taken)

    def forget(self) -> None:
        self._server.taken.clear()

    def stop(self) -> None:
        self._server.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
