"""A client as DANE knows them: it resolves through a validating cache, connects, and compares; over and over."""

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Self

import dns.flags
import dns.rcode
from dns.exception import DNSException
from dns.rdtypes.ANY.TLSA import TLSA

from bed import lookups
from integration.dane.published import of_leaf

PERIOD = 0.1
"""Seconds from one connection to the next."""


class Clients:
    """Connects from `with` on until its end. `failed` has a line for each handshake that no record matched.

    Combinations are those of TLSA records that are published: of each of them, one record has to match.
    """

    def __init__(self, resolver: lookups.Server, owner: str, port: int, name: str) -> None:
        self.resolver, self.owner, self.port, self.name = resolver, owner, port, name
        self.failed: list[str] = []
        self.seen: Counter[str] = Counter()
        self.trouble: list[str] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    def _loop(self) -> None:
        while not self._end.wait(PERIOD):
            try:
                self._once()
            except (OSError, DNSException) as error:
                self.trouble.append(repr(error))

    def _once(self) -> None:
        records = self.records()
        leaf = of_leaf(self._leaf())
        self.seen[leaf] += 1
        if records and leaf not in records:
            self.failed.append(f"shown {leaf}, in the cache {sorted(records)}")

    def records(self) -> set[str]:
        """As validated; what is proven to be nothing is nothing."""
        reply = lookups.ask(self.resolver, self.owner, "TLSA")
        if reply.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN} or not reply.flags & dns.flags.AD:
            raise OSError(f"not proven: {dns.rcode.to_text(reply.rcode())}")
        return {str(item).lower() for rrset in reply.answer for item in rrset if isinstance(item, TLSA)}

    def _leaf(self) -> bytes:
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=3) as plain,
            self._context.wrap_socket(plain, server_hostname=self.name) as secure,
        ):
            leaf = secure.getpeercert(binary_form=True)
        if leaf is None:
            raise OSError("no certificate")
        return leaf

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def count(clients: Sequence[Clients]) -> int:
    return sum(one.seen.total() for one in clients)
