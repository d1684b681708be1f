"""A page of dehydrated's that certkeeper-pdns-hook is the hook of."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page
from builders.pdnshook import PdnsHook


@pytest.fixture
def make_hook(tmp_path: Path, shared_world: World) -> Callable[..., PdnsHook]:
    """The hook in the worker's world: `make_hook(PDNS_NO_NOTIFY="yes")`; `without=` names settings that go."""

    def make(*, world: World = shared_world, without: tuple[str, ...] = (), **settings: str) -> PdnsHook:
        number = sum(1 for path in tmp_path.iterdir() if path.name.startswith("page"))
        page = Page(tmp_path / f"page{number + 1}", world, **settings)
        page.unset(*without)
        return PdnsHook(page.config)

    return make


@pytest.fixture
def hook(make_hook: Callable[..., PdnsHook]) -> PdnsHook:
    return make_hook()
