import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.services.nginx import NginxHosts
from bed.world import World
from builders.oldfolders import leave_as_dehydrated
from integration.services.deployed import Served, described

MakeServed = Callable[..., Served]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody gets through."""
    with tempfile.TemporaryDirectory(prefix="bed-deploy-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def page(place: Path, shared_world: World, zone: str) -> Served:
    """Two certificates that dehydrated left, both due, for nginx."""
    made = Served(place / "page", shared_world, zone, f"www.{zone} > www", DEPLOY="nginx")
    leave_as_dehydrated(made.place(zone), [zone])
    leave_as_dehydrated(made.place("www"), [f"www.{zone}"])
    return made


@pytest.fixture
def nginx(page: Served, place: Path, zone: str) -> Iterator[NginxHosts]:
    """It reads both in place."""
    with NginxHosts(place / "nginx", {zone: page.pair(zone), f"www.{zone}": page.pair("www")}) as made:
        page.describe(nginx=described(made))
        yield made
