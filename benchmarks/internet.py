"""A small internet on the real ports: name servers, a resolver and a CA, in a network namespace of their own.

`benchmarks/run` has made the namespace and a resolv.conf that names RESOLVER. So every program finds the zone's name
servers in the way that it would find them anywhere.
"""

import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Self

from bed.lag import NotifyForwarder
from bed.pebble import Pebble
from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from bed.waiting import wait_until
from benchmarks.model import Pace, Scenario, ZoneTimes
from benchmarks.zonetimes import zone_times

RESOLVER, PRIMARY = "127.0.0.1", "127.0.0.2"
SECONDARIES = ("127.0.0.3", "127.0.0.4")
STAMPED = (sys.executable, "-I", "-S", str(Path(__file__).with_name("stamp.py")))
API_KEY = "secret"
SETTLE = 0.2
"""Seconds until a server has written down what it did."""


def late(lag: float, secondary: str) -> NotifyForwarder:
    """Passes NOTIFYs on to a secondary. Its own address is the primary's: the secondary listens to nobody else."""
    forwarder = NotifyForwarder((PRIMARY, 53), lag=lag)
    forwarder._target = (secondary, 53)  # noqa: SLF001 - in the tests it has the address of its target
    return forwarder


class Internet:
    """The CA asks the primary; the last secondary where there is one, so that one who does not wait for it fails."""

    def __init__(self, folder: Path, scenario: Scenario, pace: Pace) -> None:
        self._prefix = STAMPED if scenario.watched else ()
        self._addresses = (PRIMARY, *SECONDARIES[: scenario.secondaries])
        self.zones = scenario.zones
        with ExitStack() as stack:
            self.primary = stack.enter_context(
                PowerDns(folder / "primary", address=PRIMARY, port=53, api_key=API_KEY, prefix=self._prefix)
            )
            self.secondaries = [
                stack.enter_context(self._secondary(folder, address)) for address in self._addresses[1:]
            ]
            if scenario.lag is not None:
                for secondary in self.secondaries:
                    secondary.forwarder = late(scenario.lag, secondary.dns[0])
            for zone in scenario.zones:
                self._create(zone)
            self._read = dict.fromkeys(self._logs, 0)
            stack.enter_context(
                Resolver(
                    folder / "resolver",
                    zones={zone: [self.primary.dns] for zone in scenario.zones},
                    port=53,
                    address=RESOLVER,
                    max_ttl=0,
                )
            )
            asked = self.secondaries[-1] if self.secondaries else self.primary
            self.pebble = stack.enter_context(
                Pebble(folder / "pebble", dns_server=asked.dns, sleep=pace.sleeps, retry_after=pace.retry_after)
            )
            self._stack = stack.pop_all()

    def _secondary(self, folder: Path, address: str) -> PowerDns:
        place = folder / f"secondary-{address}"
        return PowerDns(place, role="secondary", address=address, port=53, primary=self.primary, prefix=self._prefix)

    def _create(self, zone: str) -> None:
        servers = {f"ns{number}.{zone}.": address for number, address in enumerate(self._addresses, start=1)}
        addresses = [rrset(server, "A", [address]) for server, address in servers.items()]
        self.primary.create_zone(zone, nameservers=servers, records=addresses)

    @property
    def api_url(self) -> str:
        """PowerDNS itself; the bed's own `primary.api_url` is a proxy, which takes time."""
        return self.primary.api.url.partition("/api/")[0]

    def forget(self) -> None:
        """Requests are counted, and logs read, from here on. The secondaries have caught up with what was before."""
        for zone in self.zones:
            for secondary in self.secondaries:
                wait_until(partial(self._caught_up, zone, secondary), f"{zone} on {secondary.server}", deadline=60)
        self.pebble.forget()
        self._read = {log: log.stat().st_size for log in self._logs}
        self._forgotten = self._api_requests()

    def _caught_up(self, zone: str, secondary: PowerDns) -> bool:
        return secondary.serial(zone) == self.primary.serial(zone)

    @property
    def _logs(self) -> tuple[Path, ...]:
        return tuple(server.log for server in (self.primary, *self.secondaries))

    def zone_times(self, output: str) -> tuple[ZoneTimes, ...]:
        """Of every zone that was changed; `output` is what the program said."""
        primary, *secondaries = (log.read_bytes()[start:].decode(errors="replace") for log, start in self._read.items())
        return zone_times(primary, secondaries, output)

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
