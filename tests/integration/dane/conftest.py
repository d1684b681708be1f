import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.world import World
from integration.dane.published import Published

MakePublished = Callable[..., Published]


@pytest.fixture
def make_published(shared_world: World) -> Iterator[MakePublished]:
    """Pages with TLSA records in zones of their own, in folders that everybody gets through."""
    with ExitStack() as stack:

        def make(
            *, dnssec: bool = True, anchored: bool = True, world: World = shared_world, **settings: str
        ) -> Published:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bed-dane-")))
            place.chmod(0o755)
            zone = world.new_zone(dnssec=dnssec).removesuffix(".")
            return Published(place, stack, world, zone, anchored=anchored, **settings)

        yield make


@pytest.fixture
def page(make_published: MakePublished) -> Published:
    return make_published()
