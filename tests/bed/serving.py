"""HTTP servers of the tests' own: on a free port of loopback, in threads, until they are told to stop."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, Self, TypeVar

from bed import ports

Owner = TypeVar("Owner")


class OwnServer(ThreadingHTTPServer, Generic[Owner]):
    """What a handler sees as its `server`: `owner` is whoever it works for."""

    daemon_threads = True

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], owner: Owner) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.owner = owner

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (signature of the base class)
        """A client that hangs up is no news."""


class Serving:
    """A server that is there from `serve` on, until `stop`."""

    port: int

    def serve(self, handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> None:
        self.port = ports.reserve()
        self._server = server = OwnServer(self.port, handler, self)
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        ports.release(self.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
