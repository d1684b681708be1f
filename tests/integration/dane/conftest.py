import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.powerdns import rrset
from bed.world import World
from integration.dane.published import TTL, Published

MakePublished = Callable[..., Published]


@pytest.fixture
def make_published(shared_world: World) -> Iterator[MakePublished]:
    """Pages with TLSA records in zones of their own, in folders that everybody gets through."""
    with ExitStack() as stack:

        def make(
            *, dnssec: bool = True, linked: bool = True, world: World = shared_world, ttl: int = TTL, **settings: str
        ) -> Published:
            """`linked`: no zone above it that is signed lacks its DS record."""
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bed-dane-")))
            place.chmod(0o755)
            zone = world.new_zone(dnssec=dnssec).removesuffix(".")
            above = "" if linked else zone
            if above:
                zone = f"below.{above}"
                world.primary.create_zone(zone)
                delegation = rrset(zone, "NS", [f"ns1.{zone}.", f"ns2.{zone}."])
                world.primary.patch(above, delegation, rrset(f"ns1.{zone}", "A", ["127.0.0.1"]))
            return Published(place, stack, world, zone, above=above, ports=None, ttl=ttl, **settings)

        yield make


@pytest.fixture
def page(make_published: MakePublished) -> Published:
    return make_published()
