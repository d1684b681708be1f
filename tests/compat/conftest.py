"""A CA for two installations beside each other, and names of a test's own."""

import itertools
from collections.abc import Iterator

import pytest

from bed.world import World

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A CA that finds every challenge valid, so that hooks only have to note their calls."""
    folder = tmp_path_factory.mktemp("beside")
    with World(folder, zones=("example.org",), secondaries=0, dnssec=False, pebble={"always_valid": True}) as world:
        yield world


@pytest.fixture
def zone(world: World) -> str:
    """A name below the world's zone that no other test has."""
    return f"t{next(NUMBERS)}.{world.zone.removesuffix('.')}"
