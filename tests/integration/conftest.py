from collections.abc import Callable
from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page

MakePage = Callable[..., Page]


@pytest.fixture
def zone(shared_world: World) -> str:
    """A zone of the test's own in the worker's world, without the final dot."""
    return shared_world.new_zone().removesuffix(".")


@pytest.fixture
def make_page(tmp_path: Path, shared_world: World) -> MakePage:
    """Pages in the worker's world: `make_page("example.org www.example.org", RENEW_DAYS="30")`."""

    def make(*lines: str, world: World = shared_world, **settings: str) -> Page:
        number = sum(1 for path in tmp_path.iterdir() if path.name.startswith("page"))
        return Page(tmp_path / f"page{number + 1}", world, *lines, **settings)

    return make
