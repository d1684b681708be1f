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
PROVEN = re.compile(r"^zone (\S+): served by (.*) after ", re.MULTILINE)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A primary with two secondaries, both of which NOTIFY reaches."""
    with World(tmp_path_factory.mktemp("world"), zones=(), secondaries=2) as made:
        yield made


@pytest.fixture
def zones(world: World) -> list[str]:
    return [world.new_zone().removesuffix(".") for _ in range(ZONES)]


def changes(world: World) -> Counter[tuple[str, str]]:
    """PATCH and notify requests by zone."""
    found: Counter[tuple[str, str]] = Counter()
    for (method, path), number in world.primary.recorder.counts().items():
        if method != "GET":
            found[method, path.split("/")[6].removesuffix(".")] += number
    return found


def notified(world: World, zone: str) -> list[int]:
    """How many NOTIFYs each secondary had of the zone."""
    line = f"Received NOTIFY for {zone} "
    return [secondary.log.read_text(errors="replace").count(line) for secondary in world.secondaries]


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
    assert changes(world) == {(method, zone): 2 for zone in zones for method in ("PATCH", "PUT")}
    assert len(page.live()) == ZONES
    proven = {zone: servers.split(", ") for zone, servers in PROVEN.findall(done.out)}
    assert proven.keys() == set(zones)
    everybody = set(world.nameservers.split())
    assert all(set(servers) == everybody for servers in proven.values()), done.out
    assert_clean_dns(world, *zones)
    for zone in zones:
        # one for each change, and what a secondary is told it has soon written down
        wait_until(lambda name=zone: notified(world, name) == [2, 2], f"NOTIFYs of {zone}")  # type: ignore[misc]


def test_two_hundred_names_of_a_zone_are_one_change(tmp_path: Path, world: World) -> None:
    zone = world.new_zone().removesuffix(".")
    lines = (" ".join(f"n{number}.{letter}.{zone}" for number in range(100)) for letter in "ab")
    page = Page(tmp_path / "page", world, *lines)
    run(page)
    assert changes(world) == {("PATCH", zone): 2, ("PUT", zone): 2}
    assert len(page.live()) == 2
    patches = [request for request in world.primary.recorder.requests() if request.method == "PATCH"]
    assert [len(set(re.findall(rb"_acme-challenge\.n\d+\.[ab]\.", each.body))) for each in patches] == [200, 200]
    assert_clean_dns(world, zone)
