"""Free ports on loopback that stay free until a daemon binds them.

A port is reserved by an abstract unix socket of its number: exclusive among all processes of the network namespace,
and gone with its owner, however that ends. Ports lie below the kernel's ephemeral range, so that no client of
anybody takes one by chance. A stranger may still bind one in between: `on_free_ports` then tries others.
"""

import contextlib
import os
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bed.process import AddressInUseError

LOWEST = 10_000
HIGHEST = 32_000
ATTEMPTS = 5

T = TypeVar("T")

_reserved: dict[int, socket.socket] = {}
_random = random.Random(os.urandom(8))  # noqa: S311 (ports are no secrets)


def _highest() -> int:
    with contextlib.suppress(OSError, ValueError):
        ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()
        if int(ephemeral[0]) > LOWEST + 1000:
            return int(ephemeral[0])
    return HIGHEST


def _unused(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:  # connections of a daemon stopped just now do not count
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def reserve(address: str = "127.0.0.1") -> int:
    """A port that is free for TCP and UDP, ours until `release`."""
    for _ in range(1000):
        port = _random.randrange(LOWEST, _highest())
        if port in _reserved:  # in another network namespace, whose marks are its own
            continue
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            mark.bind(f"\0certkeeper-bed-port-{port}")
        except OSError:
            mark.close()
            continue
        if _unused(address, port):
            _reserved[port] = mark
            return port
        mark.close()
    raise OSError(f"no free port found on {address}")


def release(*ports: int) -> None:
    for port in ports:
        mark = _reserved.pop(port, None)
        if mark:
            mark.close()


def on_free_ports(count: int, start: Callable[[tuple[int, ...]], T], *, address: str = "127.0.0.1") -> T:
    """Starts something on so many free ports; on others when a stranger was faster."""
    for attempt in range(1, ATTEMPTS + 1):
        ports = tuple(reserve(address) for _ in range(count))
        try:
            return start(ports)
        except AddressInUseError:
            release(*ports)
            if attempt == ATTEMPTS:
                raise
        except BaseException:  # an interruption, too, would keep the ports from the other tests
            release(*ports)
            raise
    raise AssertionError("unreachable")


def accepts_tcp(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True
