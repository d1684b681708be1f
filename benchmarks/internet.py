"""A small internet on the real ports: name servers, a resolver and a CA, in a network namespace of their own.

`benchmarks/run` has made the namespace and a resolv.conf that names RESOLVER. So every program finds the zone's name
servers in the way that it would find them anywhere.
"""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bed.lag import NotifyForwarder
from bed.pebble import Pebble
from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from benchmarks.model import Pace, Scenario

RESOLVER, PRIMARY, SECONDARY = "127.0.0.1", "127.0.0.2", "127.0.0.3"
API_KEY = "secret"
SETTLE = 0.2
"""Seconds until a server has written down what it did."""


def late(lag: float) -> NotifyForwarder:
    """Passes NOTIFYs on to the secondary. Its own address is the primary's: the secondary listens to nobody else."""
    forwarder = NotifyForwarder((PRIMARY, 53), lag=lag)
    forwarder._target = (SECONDARY, 53)  # noqa: SLF001 - in the tests it has the address of its target
    return forwarder


class Internet:
    """The CA asks the primary; the secondary where there is one, so that one who does not wait for it fails."""

    def __init__(self, folder: Path, scenario: Scenario, pace: Pace) -> None:
        with ExitStack() as stack:
            self.primary = stack.enter_context(PowerDns(folder / "primary", address=PRIMARY, port=53, api_key=API_KEY))
            asked = self.primary
            if scenario.lag is not None:
                secondary = PowerDns(
                    folder / "secondary", role="secondary", address=SECONDARY, port=53, primary=self.primary
                )
                asked = stack.enter_context(secondary)
                secondary.forwarder = late(scenario.lag)
            for zone in scenario.zones:
                self._create(zone, with_secondary=scenario.lag is not None)
            stack.enter_context(
                Resolver(
                    folder / "resolver",
                    zones={zone: [self.primary.dns] for zone in scenario.zones},
                    port=53,
                    address=RESOLVER,
                    max_ttl=0,
                )
            )
            self.pebble = stack.enter_context(
                Pebble(folder / "pebble", dns_server=asked.dns, sleep=pace.sleeps, retry_after=pace.retry_after)
            )
            self._stack = stack.pop_all()

    def _create(self, zone: str, *, with_secondary: bool) -> None:
        servers = {f"ns1.{zone}.": PRIMARY} | ({f"ns2.{zone}.": SECONDARY} if with_secondary else {})
        addresses = [rrset(server, "A", [address]) for server, address in servers.items()]
        self.primary.create_zone(zone, nameservers=servers, records=addresses)

    @property
    def api_url(self) -> str:
        """PowerDNS itself; the bed's own `primary.api_url` is a proxy, which takes time."""
        return self.primary.api.url.partition("/api/")[0]

    def forget(self) -> None:
        """Requests are counted from here on."""
        self.pebble.forget()
        self._forgotten = self._api_requests()

    def ca_requests(self) -> int:
        return len(self.pebble.requests())

    def api_requests(self) -> int:
        """Of PowerDNS's HTTP API, from its log. It logs after it has answered, so the last may still be missing."""
        time.sleep(SETTLE)
        return self._api_requests() - self._forgotten

    def _api_requests(self) -> int:
        return self.primary.log.read_text(errors="replace").count(" [webserver] ")

    def stop(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
