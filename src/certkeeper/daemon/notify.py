"""What systemd is told of a service (sd_notify(3)): lines of text, in a datagram to the socket of NOTIFY_SOCKET."""

import os
import socket
from collections.abc import Mapping
from typing import Protocol

SOCKET, WATCHDOG, WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
OURS = frozenset({SOCKET, WATCHDOG, WATCHDOG_PID})
"""Variables that are about this process, and about none that it starts."""


class Notify(Protocol):
    """Who is told. None of these ever fails: a service works without anybody who listens."""

    def ready(self, status: str) -> None: ...

    def status(self, text: str) -> None: ...

    def alive(self) -> None: ...

    def reloading(self, steady: float) -> None: ...

    def stopping(self, text: str) -> None: ...


class NotifySocket:
    """Implements Notify; where no socket is named nobody is told."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        name = environment.get(SOCKET, "")
        # An address that begins with @ is an abstract one.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name if name.startswith("/") else ""

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def reloading(self, steady: float) -> None:
        """`steady` are seconds of CLOCK_MONOTONIC."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(steady * 1_000_000)}")

    def stopping(self, text: str) -> None:
        self._send(f"STOPPING=1\nSTATUS={text}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # Whoever does not read must not hold us up.
                sender.setblocking(False)
                sender.sendto(message.encode(errors="replace"), self._address)
        except OSError:
            pass


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """How long we may be silent; None where nobody watches this process."""
    pid, text = environment.get(WATCHDOG_PID, ""), environment.get(WATCHDOG, "")
    if pid not in {"", str(os.getpid())} or not (text.isascii() and text.isdigit() and int(text)):
        return None
    return int(text) / 1_000_000
