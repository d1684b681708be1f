"""A UDP forwarder in front of a secondary's NOTIFY port: it makes secondaries late, or deaf."""

import heapq
import select
import socket
import threading
import time

from bed import ports

QR = 0x80


class NotifyForwarder:
    """Answers each NOTIFY at once (the primary is content) and passes it on `lag` seconds later; None is never."""

    def __init__(self, target: tuple[str, int], *, lag: float | None) -> None:
        self.lag = lag
        self.received = 0
        self._target = target
        self.address = (target[0], ports.reserve(target[0]))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._wake, self._waker = socket.socketpair()
        self._late: list[tuple[float, bytes]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            wait = self._late[0][0] - time.monotonic() if self._late else None
            readable, _, _ = select.select([self._socket, self._wake], [], [], None if wait is None else max(wait, 0))
            if self._wake in readable:
                return
            if self._socket in readable:
                self._receive()
            while self._late and self._late[0][0] <= time.monotonic():
                self._socket.sendto(heapq.heappop(self._late)[1], self._target)

    def _receive(self) -> None:
        packet, source = self._socket.recvfrom(4096)
        if source == self._target or len(packet) < 12 or packet[2] & QR:
            return  # the secondary's answer to a NOTIFY passed on
        self.received += 1
        self._socket.sendto(packet[:2] + bytes([packet[2] | QR]) + packet[3:], source)
        if self.lag is not None:
            heapq.heappush(self._late, (time.monotonic() + self.lag, packet))

    def stop(self) -> None:
        self._waker.send(b"x")
        self._thread.join()
        for each in (self._socket, self._wake, self._waker):
            each.close()
        ports.release(self.address[1])
