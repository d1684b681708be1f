"""What the port Dns promises (apply/ports.py), kept by every provider.

A provider under test is a Provider: the port, and a way to make zones and records behind its back.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from bed.powerdns import PowerDns as Server
from bed.powerdns import rrset
from bed.recorder import Recorded
from bed.world import World
from builders.dnsworld import DnsWorld
from builders.fakes import FakeClock
from certkeeper.adapters.dns.powerdns import PowerDns
from certkeeper.adapters.dns.powerdns_api import PowerDnsError
from certkeeper.adapters.http import HttpClient
from certkeeper.apply.ports import Dns
from certkeeper.base.names import DnsName
from certkeeper.base.wire import TransportError
from certkeeper.config.settings import PowerDnsSettings, Secret
from certkeeper.zone.apex import OwnersRefused
from certkeeper.zone.changes import ChangeSet, Key, RecordChange
from certkeeper.zone.rrset import RRset, Zone, ZoneKind, canonical_txt, txt_rdata


class Provider(Protocol):
    """One provider with zones of its own to play with."""

    dns: Dns

    def make_zone(self, name: str = "", *, kind: ZoneKind = ZoneKind.PRIMARY) -> str:
        """A zone of that name, or of one not used before; without the final dot."""

    def put(self, zone: str, owner: str, *contents: str, ttl: int = 60) -> None:
        """A whole TXT RRset, contents as the provider's users write them."""

    def get(self, zone: str, owner: str) -> frozenset[str]:
        """The TXT contents, in canonical form."""

    def ttl(self, zone: str, owner: str) -> int: ...

    def writes(self) -> int:
        """How many changes reached the provider so far."""


@dataclass
class RealPowerDns:
    world: World
    server: Server = field(init=False)
    dns: Dns = field(init=False)

    def __post_init__(self) -> None:
        self.server = self.world.primary
        self.dns = powerdns(self.server.api_url)

    def make_zone(self, name: str = "", *, kind: ZoneKind = ZoneKind.PRIMARY) -> str:
        if kind is ZoneKind.PRIMARY and not name:
            return self.world.new_zone().removesuffix(".")
        if not name:
            name = self.world.new_zone().replace("zone", "other")
        words = {ZoneKind.PRIMARY: "Master", ZoneKind.NATIVE: "Native", ZoneKind.SECONDARY: "Slave"}
        body: dict[str, object] = {"name": f"{name.removesuffix('.')}.", "kind": words[kind], "nameservers": []}
        if kind is ZoneKind.SECONDARY:
            body["masters"] = ["127.0.0.1:9"]
        self.server.api.call("POST", "/zones", body)
        return name.removesuffix(".")

    def put(self, zone: str, owner: str, *contents: str, ttl: int = 60) -> None:
        self.server.patch(zone, rrset(owner, "TXT", contents, ttl=ttl))

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


@pytest.fixture(params=[pytest.param("powerdns", marks=pytest.mark.real), "fake"])
def provider(request: pytest.FixtureRequest) -> Provider:
    return FakeDns() if request.param == "fake" else RealPowerDns(request.getfixturevalue("shared_world"))


def name(text: str) -> DnsName:
    return DnsName.parse(text)


def zone_of(provider: Provider, owner: str) -> Zone:
    return provider.dns.zones([name(owner)])[name(owner)]


def add(owner: str, *values: str, ttl: int = 60) -> ChangeSet:
    return ChangeSet.of([RecordChange(name(owner), "TXT", add=frozenset(map(txt_rdata, values)), ttl=ttl)])


# --- zones ------------------------------------------------------------------------------------------------------------


def test_the_longest_zone_that_holds_a_name_is_its_zone(provider: Provider) -> None:
    zone = provider.make_zone()
    sub = provider.make_zone(f"sub.{zone}")
    own = provider.make_zone(f"_acme-challenge.www.{zone}")
    owners = {
        f"_acme-challenge.{zone}": zone,
        f"_acme-challenge.deep.below.{zone}": zone,
        f"_acme-challenge.{sub}": sub,
        f"_acme-challenge.x.{sub}": sub,
        f"_acme-challenge.www.{zone}": own,
        f"_acme-challenge.notsub.{zone}": zone,
    }
    found = provider.dns.zones([name(owner) for owner in owners])
    assert {owner.text: zone.name.text for owner, zone in found.items()} == owners


def test_names_without_a_zone_are_left_out(provider: Provider) -> None:
    zone = provider.make_zone()
    known, unknown = name(f"a.{zone}"), name(f"a.not-{zone}")
    assert set(provider.dns.zones([known, unknown])) == {known}
    assert provider.dns.zones([]) == {}


def test_a_zone_tells_its_kind(provider: Provider) -> None:
    for kind in ZoneKind:
        zone = provider.make_zone(kind=kind)
        assert zone_of(provider, f"_acme-challenge.{zone}").kind is kind


def test_a_zones_name_with_a_slash_like_rfc_2317s_does_not_disturb(provider: Provider) -> None:
    zone = provider.make_zone()
    odd = provider.make_zone(f"under_score.{zone}")
    assert zone_of(provider, f"_acme-challenge.{odd}").name.text == odd


# --- changes ----------------------------------------------------------------------------------------------------------


def test_values_are_added_and_taken_away_by_value(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    handle = zone_of(provider, owner)
    provider.dns.change(handle, add(owner, "one", "two"))
    assert provider.get(zone, owner) == {'"one"', '"two"'}
    provider.dns.change(handle, add(owner, "three"))
    provider.dns.change(handle, add(owner, "one", "two").invert())
    assert provider.get(zone, owner) == {'"three"'}
    provider.dns.change(handle, add(owner, "three").invert())
    assert provider.get(zone, owner) == frozenset()


@pytest.mark.parametrize("kind", [ZoneKind.PRIMARY, ZoneKind.NATIVE])
def test_many_owners_go_out_in_one_change(provider: Provider, kind: ZoneKind) -> None:
    zone = provider.make_zone(kind=kind)
    owners = [f"_acme-challenge.n{number}.{zone}" for number in range(50)]
    changes = ChangeSet.of(change for owner in owners for change in add(owner, f"v {owner}").changes)
    before = provider.writes()
    provider.dns.change(zone_of(provider, owners[0]), changes)
    assert provider.writes() - before == 1
    assert all(provider.get(zone, owner) == {f'"v {owner}"'} for owner in owners[::7])
    provider.dns.change(zone_of(provider, owners[0]), changes.invert())
    assert not any(provider.get(zone, owner) for owner in owners[::7])


def test_what_is_done_already_is_not_done_again(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    handle = zone_of(provider, owner)
    provider.dns.change(handle, add(owner, "value"))
    before = provider.writes()
    provider.dns.change(handle, add(owner, "value"))
    provider.dns.change(handle, add(owner, "never there").invert())
    assert provider.writes() == before
    assert provider.get(zone, owner) == {'"value"'}


def test_other_peoples_records_and_their_ttl_survive(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    provider.put(zone, owner, '"theirs"', ttl=777)
    handle = zone_of(provider, owner)
    provider.dns.change(handle, add(owner, "ours"))
    assert provider.get(zone, owner) == {'"theirs"', '"ours"'}
    assert provider.ttl(zone, owner) == 777
    provider.dns.change(handle, add(owner, "ours").invert())
    assert provider.get(zone, owner) == {'"theirs"'}
    assert provider.ttl(zone, owner) == 777


def test_a_new_record_gets_the_ttl_asked_for(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    provider.dns.change(zone_of(provider, owner), add(owner, "value", ttl=42))
    assert provider.ttl(zone, owner) == 42


def test_long_and_odd_texts_come_back_as_the_same_value(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    handle = zone_of(provider, owner)
    texts = ("x" * 255, "y" * 256, "z" * 700, 'quo"te', "back\\slash", "semi;colon", "blank blank", "-_aZ09")
    provider.dns.change(handle, add(owner, *texts))
    assert len(provider.get(zone, owner)) == len(texts)
    before = provider.writes()
    provider.dns.change(handle, add(owner, *texts))
    assert provider.writes() == before
    provider.dns.change(handle, add(owner, *texts).invert())
    assert provider.get(zone, owner) == frozenset()


def test_a_value_that_somebody_split_otherwise_is_the_same_value(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    provider.put(zone, owner, '"ab" "cd"', '"other"')
    handle = zone_of(provider, owner)
    before = provider.writes()
    provider.dns.change(handle, add(owner, "abcd"))
    assert provider.writes() == before
    provider.dns.change(handle, add(owner, "abcd").invert())
    assert provider.get(zone, owner) == {'"other"'}


def test_an_owner_that_somebody_wrote_in_capitals_is_the_same_owner(provider: Provider) -> None:
    zone = provider.make_zone()
    provider.put(zone, f"_ACME-Challenge.WWW.{zone}", '"theirs"')
    owner = f"_acme-challenge.www.{zone}"
    handle = zone_of(provider, owner.upper())
    provider.dns.change(handle, add(owner, "ours"))
    assert provider.get(zone, owner) == {'"theirs"', '"ours"'}


def test_notify_may_be_asked_for_at_any_time(provider: Provider) -> None:
    zone = provider.make_zone()
    provider.dns.notify(zone_of(provider, zone))


# --- PowerDNS only ----------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_two_that_change_one_zone_at_once_lose_nothing(shared_world: World) -> None:
    provider = RealPowerDns(shared_world)
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    handle = zone_of(provider, owner)
    values = [f"value {number}" for number in range(16)]
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(provider.dns.change, handle, add(owner, value)) for value in values]:
            done.result(timeout=60)
    assert provider.get(zone, owner) == {f'"{value}"' for value in values}
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(provider.dns.change, handle, add(owner, value).invert()) for value in values]:
            done.result(timeout=60)
    assert provider.get(zone, owner) == frozenset()


@pytest.mark.real
def test_a_change_that_powerdns_refuses_is_told_in_its_own_words(shared_world: World) -> None:
    provider = RealPowerDns(shared_world)
    zone = provider.make_zone()
    with pytest.raises(PowerDnsError, match=f"zone {zone}: HTTP 422: .*elsewhere.example"):
        provider.dns.change(zone_of(provider, zone), add("www.elsewhere.example", "out of zone"))


@pytest.mark.real
def test_a_name_that_is_a_cname_is_refused_and_named(shared_world: World) -> None:
    provider = RealPowerDns(shared_world)
    zone = provider.make_zone()
    owner = f"www.{zone}"
    shared_world.primary.patch(zone, rrset(owner, "CNAME", [f"x.{zone}."]))
    with pytest.raises(OwnersRefused, match=f"{owner} .to x.{zone}") as caught:
        provider.dns.change(zone_of(provider, owner), add(owner, "beside a CNAME"))
    assert caught.value.owners == {name(owner)}
    assert provider.get(zone, owner) == frozenset()


@pytest.mark.real
def test_records_that_somebody_keeps_disabled_survive(shared_world: World) -> None:
    provider = RealPowerDns(shared_world)
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    both = [{"content": '"on"', "disabled": False}, {"content": '"off"', "disabled": True}]
    shared_world.primary.patch(
        zone, {"name": f"{owner}.", "type": "TXT", "ttl": 60, "changetype": "REPLACE", "records": both}
    )
    change = add(owner, "ours")
    for step in (change, change.invert()):
        provider.dns.change(zone_of(provider, owner), step)
    (found,) = [item for item in shared_world.primary.api.rrsets(f"{zone}.") if item["type"] == "TXT"]
    assert {(record["content"], record["disabled"]) for record in found["records"]} == {
        ('"on"', False),
        ('"off"', True),
    }


@pytest.mark.real
def test_a_zone_that_went_away_is_an_error_that_names_it(shared_world: World) -> None:
    provider = RealPowerDns(shared_world)
    zone = provider.make_zone()
    handle = zone_of(provider, zone)
    shared_world.primary.api.call("DELETE", f"/zones/{zone}.")
    with pytest.raises(PowerDnsError, match=zone):
        provider.dns.change(handle, add(f"_acme-challenge.{zone}", "value"))


@pytest.mark.real
def test_a_server_id_that_powerdns_does_not_have(shared_world: World) -> None:
    dns = PowerDns(PowerDnsSettings(shared_world.primary.api_url, Secret("secret"), server="elsewhere"), HttpClient())
    with pytest.raises(PowerDnsError) as raised:
        dns.zones([name("example.org")])
    assert "PDNS_SERVER" in raised.value.hint


@pytest.mark.real
def test_a_wrong_key_and_a_closed_port_name_the_url(shared_world: World) -> None:
    url = shared_world.primary.api_url
    with pytest.raises(PowerDnsError, match=rf"{url}.*API key is refused"):
        powerdns(url, "guess").zones([name("example.org")])
    with pytest.raises(TransportError, match=r"127\.0\.0\.1:9.*connection refused"):
        powerdns("http://127.0.0.1:9").zones([name("example.org")])


@pytest.mark.real
def test_notify_is_left_out_where_the_operator_wants_none(shared_world: World) -> None:
    zone = shared_world.new_zone()
    dns = powerdns(shared_world.primary.api_url, notify=False)
    handle = dns.zones([name(zone)])[name(zone)]
    shared_world.primary.recorder.forget()
    dns.notify(handle)
    assert shared_world.primary.recorder.requests() == []
