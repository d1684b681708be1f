"""Connections to addresses that the operator chose: `--resolve` and the version of IP, for urllib3."""

import socket

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from certkeeper.config.transport import IpVersion, Transport

_FAMILIES = {
    IpVersion.ANY: socket.AF_UNSPEC,
    IpVersion.FOUR: socket.AF_INET,
    IpVersion.SIX: socket.AF_INET6,
}


def pools_for(transport: Transport) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's pools by scheme, whose connections go where the transport says.

    TLS still asks for the host of the URL, and verifies that one.
    """

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, transport)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, transport)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _connected(line: HTTPConnection, transport: Transport) -> socket.socket:
    """A connection to the first address that takes one."""
    port = line.port or line.default_port
    timeout = line.timeout if isinstance(line.timeout, int | float) else None
    failure: OSError = OSError("no address of that version of IP")
    for family, address in _addresses(line, port, transport):
        found = socket.socket(family, socket.SOCK_STREAM)
        try:
            found.settimeout(timeout)
            for option in line.socket_options or ():
                found.setsockopt(*option)
            found.connect(address)
        except OSError as error:
            found.close()
            failure = error
        else:
            return found
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(line, f"connection to {line.host} timed out") from failure
    raise NewConnectionError(line, str(failure)) from failure


def _addresses(
    line: HTTPConnection, port: int, transport: Transport
) -> list[tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]]:
    family = _FAMILIES[transport.ip_version]
    pinned = transport.pinned(line.host, port)
    if pinned:
        # An address of the other version is none.
        found = [(socket.AF_INET6 if ":" in address else socket.AF_INET, (address, port)) for address in pinned]
        return [item for item in found if family in (socket.AF_UNSPEC, item[0])]
    try:
        infos = socket.getaddrinfo(line.host.strip("[]"), port, family, socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(line.host, line, error) from error
    return [(info[0], info[4]) for info in infos]
