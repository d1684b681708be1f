"""How many requests it takes to find zones, and that none is overlooked for it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bed.faults import Answer, Asked, Fault, FaultProxy
from contract.dns.providers import RealPowerDns, name, powerdns

pytestmark = pytest.mark.real

Proxied = Callable[[RealPowerDns, Callable[[Asked], Fault | None]], FaultProxy]


@pytest.fixture
def proxied() -> Iterator[Proxied]:
    with ExitStack() as stack:
        yield lambda real, rule: stack.enter_context(FaultProxy(real.server.api_url, rule))


def prepare(real: RealPowerDns) -> tuple[str, dict[str, str]]:
    """A zone, and fifty owners in it and in zones of other sorts below it that it does not delegate."""
    zone = real.make_zone()
    child = real.make_zone(f"n7.{zone}")
    challenge = real.make_zone(f"_acme-challenge.n8.{zone}")
    expected = {f"_acme-challenge.n{number}.{zone}": zone for number in range(50)}
    expected |= {f"_acme-challenge.n7.{zone}": child, f"_acme-challenge.n8.{zone}": challenge}
    return zone, expected


def find(url: str, owners: dict[str, str]) -> dict[str, str]:
    found = powerdns(url).zones([name(owner) for owner in owners])
    return {owner.text: zone.name.text for owner, zone in found.items()}


def test_fifty_names_of_one_zone_take_a_handful_of_requests(real: RealPowerDns, proxied: Proxied) -> None:
    zone, expected = prepare(real)
    proxy = proxied(real, lambda _: None)
    assert find(proxy.url, expected) == expected
    # ids are opaque: the server writes =5F for the underscore in one
    paths = [asked.path.removeprefix("/api/v1/servers/localhost").replace("=5F", "_") for asked in proxy.requests()]
    assert sorted(paths) == sorted(
        [f"/search-data?q=*.{zone}&object_type=zone&max=1000"]
        + [
            path
            for found in (zone, f"n7.{zone}", f"_acme-challenge.n8.{zone}")
            for path in (f"/zones?zone={found}.&dnssec=false", f"/zones/{found}.?rrsets=false")
        ]
    )


def test_few_names_are_not_searched_for(real: RealPowerDns, proxied: Proxied) -> None:
    zone = real.make_zone()
    expected = {f"_acme-challenge.n{number}.{zone}": zone for number in range(15)}
    proxy = proxied(real, lambda _: None)
    assert find(proxy.url, expected) == expected
    assert not [asked for asked in proxy.requests() if "search-data" in asked.path]
    assert len(proxy.requests()) == 15 * 2 + 2


FULL = json.dumps([{"object_type": "zone", "name": f"z{number}.example."} for number in range(1000)]).encode()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(403, b'{"error":"not for you"}'), id="forbidden"),
        pytest.param(Answer(404, b"Not Found"), id="missing"),
        pytest.param(Answer(200, b"{}"), id="no list"),
        pytest.param(Answer(200, b"<html>"), id="no JSON"),
        pytest.param(Answer(200, bytes(50_000_000)), id="too large"),
        pytest.param(Answer(200, FULL), id="cut short"),
    ],
)
def test_a_search_that_does_not_tell_is_made_up_for_by_look_ups(
    real: RealPowerDns, proxied: Proxied, answer: Answer
) -> None:
    _, expected = prepare(real)
    proxy = proxied(real, lambda asked: answer if "search-data" in asked.path else None)
    assert find(proxy.url, expected) == expected
    assert len([asked for asked in proxy.requests() if "search-data" in asked.path]) <= 2


def test_names_of_many_zones_are_searched_for_together(real: RealPowerDns, proxied: Proxied) -> None:
    above = real.make_zone()
    zones = [real.make_zone(f"z{number}.{above}") for number in range(20)]
    expected = {f"_acme-challenge.{zone}": zone for zone in zones}
    proxy = proxied(real, lambda _: None)
    assert find(proxy.url, expected) == expected
    assert len(proxy.requests()) == 1 + 2 * 20
