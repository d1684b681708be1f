"""Names between a new owner and its zone exist, whoever sees to it; servers behind caches follow."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from bed import builds, lookups
from bed.builds import Build
from bed.faults import Answer, Asked, Fault, FaultProxy
from bed.mariadb import MariaDb
from bed.powerdns import PowerDns as Server
from bed.waiting import wait_until
from certkeeper.adapters.dns.powerdns_api import PowerDnsError
from contract.dns.providers import RealPowerDns, add, name, powerdns

pytestmark = pytest.mark.real

BUILDS = {"debian": builds.debian, "trixie": builds.trixie}
CACHES = {"cache-ttl": 20, "query-cache-ttl": 20, "negquery-cache-ttl": 60}


def rcode(server: Server, owner: str) -> str:
    """What the server says about a name, which has no TXT record."""
    address, port = server.dns
    answer = dns.query.udp(dns.message.make_query(owner, "TXT"), address, port=port, timeout=5)
    return dns.rcode.to_text(answer.rcode())


@pytest.fixture(params=list(BUILDS))
def build(request: pytest.FixtureRequest) -> Build:
    return BUILDS[request.param]()


@pytest.fixture
def cached(tmp_path: Path, build: Build) -> Iterator[Server]:
    """A server whose caches work."""
    with Server(tmp_path / "cached", build=build, settings=CACHES) as server:
        yield server


@pytest.fixture
def lazy(tmp_path: Path, build: Build) -> Iterator[Server]:
    """A server that rectifies only zones that say so themselves."""
    with Server(tmp_path / "lazy", build=build, settings={**CACHES, "default-api-rectify": "no"}) as server:
        yield server


def serves(server: Server, owner: str, values: set[str]) -> bool:
    return server.txt(owner) == values


def zone_of(server: Server, *, dnssec: bool = True, api_rectify: bool | None = None) -> str:
    real = RealPowerDns(server)
    zone = f"rectify{next(real._numbers)}.example"
    body: dict[str, object] = {"name": f"{zone}.", "kind": "Native", "dnssec": dnssec, "nameservers": []}
    if api_rectify is not None:
        body["api_rectify"] = api_rectify
    server.api.call("POST", "/zones", body)
    return zone


def puts(proxy: FaultProxy) -> list[str]:
    return [asked.path.rpartition("localhost")[2] for asked in proxy.requests() if asked.method == "PUT"]


def comes_and_goes(server: Server, zone: str, rule: Callable[[Asked], Fault | None] = lambda _: None) -> list[str]:
    """A record below names that did not exist, with somebody asking for these all the time; the PUT requests."""
    owner, between = f"_acme-challenge.a.b.{zone}", (f"a.b.{zone}", f"b.{zone}")

    def nosy(asked: Asked) -> Fault | None:
        for each in between:
            rcode(server, each)
        return rule(asked)

    with FaultProxy(server.api_url, nosy) as proxy:
        provider = powerdns(proxy.url)
        handle = provider.zones([name(owner)])[name(owner)]
        provider.change(handle, add(owner, "value"))
        assert [rcode(server, each) for each in between] == ["NOERROR", "NOERROR"]
        assert server.txt(owner) == {"value"}
        provider.change(handle, add(owner, "value").invert())
        assert [rcode(server, each) for each in between] == ["NXDOMAIN", "NXDOMAIN"]
        return puts(proxy)


@pytest.mark.parametrize("dnssec", [True, False])
def test_a_zone_that_the_server_does_not_rectify(cached: Server, *, dnssec: bool) -> None:
    zone = zone_of(cached, dnssec=dnssec, api_rectify=False)
    assert comes_and_goes(cached, zone) == [f"/zones/{zone}./rectify", f"/cache/flush?domain={zone}."] * 2


@pytest.mark.parametrize("api_rectify", [None, True])
def test_a_zone_that_the_server_rectifies_itself(cached: Server, api_rectify: bool | None) -> None:  # noqa: FBT001 - a parameter of the case
    assert comes_and_goes(cached, zone_of(cached, api_rectify=api_rectify)) == []


@pytest.mark.parametrize(("api_rectify", "number"), [(None, 2), (True, 0)])
def test_a_server_that_rectifies_nothing_by_default(lazy: Server, api_rectify: bool | None, number: int) -> None:  # noqa: FBT001 - a parameter of the case
    zone = zone_of(lazy, api_rectify=api_rectify)
    assert comes_and_goes(lazy, zone) == [f"/zones/{zone}./rectify", f"/cache/flush?domain={zone}."] * number


def test_a_proxy_that_keeps_the_settings_from_us_counts_as_a_server_that_does_not_rectify(lazy: Server) -> None:
    def rule(asked: Asked) -> Fault | None:
        return Answer(403, b"{}") if asked.path.endswith(("/config", "/metadata", "/localhost")) else None

    zone = zone_of(lazy)
    assert len(comes_and_goes(lazy, zone, rule)) == 4


def test_rectifying_that_is_refused_is_an_error_only_where_it_is_needed(cached: Server) -> None:
    def refusing(hidden: tuple[str, ...]) -> Callable[[Asked], Fault | None]:
        def rule(asked: Asked) -> Fault | None:
            return Answer(403, b"{}") if asked.method == "PUT" or asked.path.endswith(hidden) else None

        return rule

    for api_rectify, hidden, fails in ((False, (), True), (None, ("/config",), False)):
        zone = zone_of(cached, api_rectify=api_rectify)
        owner = f"_acme-challenge.a.{zone}"
        with FaultProxy(cached.api_url, refusing(hidden or ("/nothing",))) as proxy:
            provider = powerdns(proxy.url)
            handle = provider.zones([name(owner)])[name(owner)]
            if fails:
                with pytest.raises(PowerDnsError, match=f"zone {zone}: HTTP 403"):
                    provider.change(handle, add(owner, "value"))
            else:
                provider.change(handle, add(owner, "value"))
            assert puts(proxy) == [f"/zones/{zone}./rectify"]


def test_a_replica_on_the_same_database_follows_when_its_caches_have_run_out(
    tmp_path: Path, mariadb: MariaDb, mariadb_server: Server
) -> None:
    caches = {"cache-ttl": 2, "query-cache-ttl": 2, "negquery-cache-ttl": 2, "zone-cache-refresh-interval": 1}
    zone = zone_of(mariadb_server, dnssec=False)
    owner = f"_acme-challenge.{zone}"
    with Server(tmp_path / "replica", backend=mariadb.backend, settings=caches) as replica:
        wait_until(lambda: lookups.serial(replica.dns, f"{zone}."), "the replica knows the zone")
        assert replica.txt(owner) == frozenset()
        provider = powerdns(mariadb_server.api_url)
        handle = provider.zones([name(owner)])[name(owner)]
        for changes, expected in ((add(owner, "value"), {"value"}), (add(owner, "value").invert(), set())):
            provider.change(handle, changes)
            assert mariadb_server.txt(owner) == expected
            wait_until(partial(serves, replica, owner, expected), f"the replica serves {expected}")
