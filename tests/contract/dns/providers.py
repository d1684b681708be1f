"""The providers under test: each one's port, and ways to look and to reach behind its back."""

import itertools
from typing import Protocol

import pytest

from bed.powerdns import PowerDns as Server
from bed.powerdns import rrset
from bed.recorder import Recorded
from builders.dnsworld import DnsWorld
from builders.fakes import FakeClock
from certkeeper.adapters.dns.powerdns import PowerDns
from certkeeper.adapters.http import HttpClient
from certkeeper.apply.ports import Dns
from certkeeper.base.names import DnsName
from certkeeper.config.settings import PowerDnsSettings, Secret
from certkeeper.zone.changes import ChangeSet, Key, RecordChange
from certkeeper.zone.rrset import RRset, Zone, ZoneKind, canonical_txt, txt_rdata
from contract.dns.offers import EVERYTHING, Offer

KINDS: tuple[ZoneKind, ...] = (ZoneKind.PRIMARY, ZoneKind.NATIVE, ZoneKind.SECONDARY)


class Provider(Protocol):
    """One provider with zones of its own to play with."""

    dns: Dns
    offers: frozenset[Offer]
    """What the port leaves open, and this provider does."""
    kinds: tuple[ZoneKind, ...]
    """The kinds that it tells zones by."""

    def make_zone(self, name: str = "", *, kind: ZoneKind = ZoneKind.PRIMARY) -> str:
        """A zone of that name, or of one not used before; without the final dot."""

    def put(self, zone: str, owner: str, *contents: str, ttl: int = 60) -> None:
        """A whole TXT RRset, contents as the provider's users write them."""

    def put_alias(self, zone: str, owner: str, target: str) -> None:
        """A CNAME."""

    def get(self, zone: str, owner: str) -> frozenset[str]:
        """The TXT contents, in canonical form."""

    def ttl(self, zone: str, owner: str) -> int: ...

    def writes(self) -> int:
        """How many changes reached the provider so far."""


class RealPowerDns:
    """A running PowerDNS. Zones get names that were not used before on any server."""

    offers = EVERYTHING
    kinds = KINDS
    _numbers = itertools.count(1)

    def __init__(self, server: Server) -> None:
        self.server = server
        self.dns: Dns = powerdns(server.api_url)

    def make_zone(self, name: str = "", *, kind: ZoneKind = ZoneKind.PRIMARY) -> str:
        name = name or f"real{next(self._numbers)}.example"
        words = {ZoneKind.PRIMARY: "Master", ZoneKind.NATIVE: "Native", ZoneKind.SECONDARY: "Slave"}
        body: dict[str, object] = {"name": f"{name}.", "kind": words[kind], "nameservers": []}
        if kind is ZoneKind.SECONDARY:
            body["masters"] = ["127.0.0.1:9"]
        else:
            body["dnssec"] = kind is ZoneKind.PRIMARY
        self.server.api.call("POST", "/zones", body)
        return name

    def put(self, zone: str, owner: str, *contents: str, ttl: int = 60) -> None:
        self.server.patch(zone, rrset(owner, "TXT", contents, ttl=ttl))

    def put_alias(self, zone: str, owner: str, target: str) -> None:
        self.server.patch(zone, rrset(owner, "CNAME", [f"{target}."]))

    def get(self, zone: str, owner: str) -> frozenset[str]:
        return self.server.records(zone).get((f"{owner}.", "TXT"), frozenset())

    def ttl(self, zone: str, owner: str) -> int:
        (found,) = [each for each in self.server.api.rrsets(f"{zone}.") if each["name"] == f"{owner}."]
        return int(found["ttl"])

    def writes(self) -> int:
        return sum(1 for request in self.requests() if request.method == "PATCH")

    def requests(self) -> list[Recorded]:
        return self.server.recorder.requests()


class FakeDns:
    """The one of the simulated world. Single-threaded, as that world is."""

    offers = EVERYTHING
    kinds = KINDS

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.world = DnsWorld(self.clock, (), {})
        self.dns: Dns = self.world
        self._numbers = itertools.count(1)

    def make_zone(self, name: str = "", *, kind: ZoneKind = ZoneKind.PRIMARY) -> str:
        name = name or f"fake{next(self._numbers)}.example"
        zone = Zone(DnsName.parse(name), name, kind, 1, soa_edit_api="DEFAULT")
        self.world._zones |= DnsWorld(self.clock, [zone], {})._zones
        return name

    def put(self, zone: str, owner: str, *contents: str, ttl: int = 60) -> None:
        rdata = frozenset(map(canonical_txt, contents))
        self._contents(zone)[DnsName.parse(owner), "TXT"] = RRset(DnsName.parse(owner), "TXT", ttl, rdata)

    def put_alias(self, zone: str, owner: str, target: str) -> None:
        del zone
        self.world.aliased[DnsName.parse(owner)] = DnsName.parse(target)

    def get(self, zone: str, owner: str) -> frozenset[str]:
        found = self._contents(zone).get((DnsName.parse(owner), "TXT"))
        return found.rdata if found else frozenset()

    def ttl(self, zone: str, owner: str) -> int:
        return self._contents(zone)[DnsName.parse(owner), "TXT"].ttl

    def writes(self) -> int:
        histories = [held.history for held in self.world._zones.values()]
        return sum(before != after for states in histories for (_, before), (_, after) in itertools.pairwise(states))

    def _contents(self, zone: str) -> dict[Key, RRset]:
        return self.world._zones[DnsName.parse(zone)].history[-1][1]


def powerdns(url: str, key: str = "secret", *, notify: bool = True) -> PowerDns:
    return PowerDns(PowerDnsSettings(url, Secret(key), notify=notify), HttpClient())


def needs(provider: Provider, offer: Offer) -> None:
    if offer not in provider.offers:
        pytest.skip(f"{type(provider).__name__}: {offer}")


def name(text: str) -> DnsName:
    return DnsName.parse(text)


def zone_of(provider: Provider, owner: str) -> Zone:
    return provider.dns.zones([name(owner)])[name(owner)]


def add(owner: str, *values: str, ttl: int = 60) -> ChangeSet:
    return ChangeSet.of([RecordChange(name(owner), "TXT", add=frozenset(map(txt_rdata, values)), ttl=ttl)])
