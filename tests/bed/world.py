"""A small internet: one primary, its secondaries, and a CA that believes the primary."""

import itertools
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bed.pebble import Options, Pebble
from bed.powerdns import PowerDns
from bed.resolver import Resolver

API_KEY = "secret"


class World:
    """Primary, secondaries and Pebble, wired together; everything they write stays in `folder`.

    `lag`: seconds that NOTIFY comes late to each secondary, None: never. `pebble`: its options.
    """

    def __init__(
        self,
        folder: Path,
        *,
        zones: Iterable[str] = ("example.org",),
        pebble: Options | None = None,
        lag: float | None = 0.0,
        secondaries: int = 1,
        dnssec: bool = True,
    ) -> None:
        self.folder = folder
        self.dnssec = dnssec
        self._numbers = itertools.count(1)
        with ExitStack() as stack:
            self.primary = stack.enter_context(PowerDns(folder / "primary", api_key=API_KEY))
            self.secondaries = [
                stack.enter_context(
                    PowerDns(folder / f"secondary{number}", role="secondary", primary=self.primary, lag=lag)
                )
                for number in range(1, secondaries + 1)
            ]
            self.pebble = stack.enter_context(
                Pebble(folder / "pebble", dns_server=self.primary.dns, **(pebble or Options()))
            )
            self.zones = [self.primary.create_zone(zone, dnssec=dnssec) for zone in zones]
            self._stack = stack.pop_all()

    @property
    def secondary(self) -> PowerDns:
        return self.secondaries[0]

    @property
    def zone(self) -> str:
        """The first zone, absolute."""
        return self.zones[0]

    @property
    def nameservers(self) -> str:
        """All of them, as NAMESERVERS wants it: `ADDR:PORT ADDR:PORT`."""
        return " ".join(server.server for server in (self.primary, *self.secondaries))

    def new_zone(self, label: str = "zone", *, soa_edit_api: str | None = None, dnssec: bool | None = None) -> str:
        """A zone with a name not used before in this world."""
        name = f"{label}{next(self._numbers)}.example"
        signed = self.dnssec if dnssec is None else dnssec
        self.zones.append(self.primary.create_zone(name, dnssec=signed, soa_edit_api=soa_edit_api))
        return self.zones[-1]

    def resolver(self, *, max_ttl: int | None = None) -> Resolver:
        """A validating resolver that knows the zones made so far; lives as long as the world."""
        everybody = [server.dns for server in (self.primary, *self.secondaries)]
        anchors = [anchor for zone in self.zones for anchor in self.primary.trust_anchors(zone)]
        return self._stack.enter_context(
            Resolver(
                self.folder / f"resolver{next(self._numbers)}",
                zones=dict.fromkeys(self.zones, everybody),
                trust_anchors=anchors,
                max_ttl=max_ttl,
            )
        )

    def stop(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
