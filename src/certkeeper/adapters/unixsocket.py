"""HTTP over a unix socket, for urllib3."""

import socket

from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError


class _UnixConnection(HTTPConnection):
    path: str

    def _new_conn(self) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        timeout = self.timeout
        try:
            line.settimeout(timeout if isinstance(timeout, int | float) else None)
            line.connect(self.path)
        except OSError as error:
            line.close()
            raise NewConnectionError(self, f"{self.path}: {error}") from error
        return line


def unix_pool(path: str, **settings: object) -> HTTPConnectionPool:
    """Connections to the server that listens there; `settings` are HTTPConnectionPool's."""
    pool = HTTPConnectionPool("localhost", **settings)  # type: ignore[arg-type]
    pool.ConnectionCls = type("_UnixConnection", (_UnixConnection,), {"path": path})
    return pool
