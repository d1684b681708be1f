"""Many zones, and many names of one zone: what PowerDNS is asked, and what its secondaries are told."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.waiting import wait_until
from bed.world import World
from builders.page import Done, Page, assert_clean_dns

pytestmark = pytest.mark.real

ZONES, NAMES = 20, 3
ANSWERED = re.compile(r'\[webserver\] .* "(PATCH|PUT) /\S*/zones/([^/ ]+)\.(?:/notify)? HTTP/1.1" (\d+)')
PROVEN = re.compile(r"^zone (\S+): served by (.*) after ", re.MULTILINE)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A primary with two secondaries, both of which NOTIFY reaches."""
    with World(tmp_path_factory.mktemp("world"), zones=(), secondaries=2) as made:
        yield made


@pytest.fixture
def zones(world: World) -> list[str]:
    return [world.new_zone().removesuffix(".") for _ in range(ZONES)]


def changes(world: World, *zones: str) -> Counter[tuple[str, str]]:
    """PATCH and notify requests by zone. Those that failed changed nothing: SQLite refuses a second writer, which may
    be PowerDNS itself, that writes down whom it has told.
    """
    asked = [request for request in world.primary.recorder.requests() if request.method != "GET"]
    # It logs after it has answered.
    answered = wait_until(lambda: _answered(world, zones, len(asked)), "every change is logged")
    return Counter((method, zone) for method, zone, status in answered if status.startswith("2"))


def _answered(world: World, zones: tuple[str, ...], number: int) -> list[tuple[str, str, str]]:
    """Method, zone and status of all requests, once there are so many."""
    found = [each for each in ANSWERED.findall(world.primary.log.read_text(errors="replace")) if each[1] in zones]
    return found if len(found) == number else []


def told(world: World, zone: str) -> Counter[str]:
    """How often each secondary was told of a change; a NOTIFY that is sent once more since it got lost is the same."""
    log = world.primary.log.read_text(errors="replace")
    return Counter(re.findall(rf"Queued also-notification of domain '{re.escape(zone)}' to (\S+)", log))


def run(page: Page) -> Done:
    page.world.primary.recorder.forget()
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    return done


def test_twenty_zones_are_changed_once_and_once_back_and_proven_on_all_servers(
    tmp_path: Path, world: World, zones: list[str]
) -> None:
    lines = (" ".join(f"n{number}.{zone}" for number in range(NAMES)) for zone in zones)
    page = Page(tmp_path / "page", world, *lines)
    done = run(page)
    assert changes(world, *zones) == {(method, zone): 2 for zone in zones for method in ("PATCH", "PUT")}
    assert len(page.live()) == ZONES
    proven = {zone: servers.split(", ") for zone, servers in PROVEN.findall(done.out)}
    assert proven.keys() == set(zones)
    everybody = set(world.nameservers.split())
    assert all(set(servers) == everybody for servers in proven.values()), done.out
    assert_clean_dns(world, *zones)
    secondaries = {secondary.notify_target for secondary in world.secondaries}
    assert {zone: told(world, zone) for zone in zones} == {zone: dict.fromkeys(secondaries, 2) for zone in zones}


def test_two_hundred_names_of_a_zone_are_one_change(tmp_path: Path, world: World) -> None:
    zone = world.new_zone().removesuffix(".")
    lines = (" ".join(f"n{number}.{letter}.{zone}" for number in range(100)) for letter in "ab")
    page = Page(tmp_path / "page", world, *lines)
    run(page)
    assert changes(world, zone) == {("PATCH", zone): 2, ("PUT", zone): 2}
    assert len(page.live()) == 2
    patches = [request for request in world.primary.recorder.requests() if request.method == "PATCH"]
    owners = [len(set(re.findall(rb"_acme-challenge\.n\d+\.[ab]\.", each.body))) for each in patches]
    assert set(owners) == {200}
    assert_clean_dns(world, zone)
