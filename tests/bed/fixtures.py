"""pytest's view of the bed. A failing test's report carries the log tails of the servers that were up."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.bind import Bind
from bed.process import Process
from bed.world import World


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Worlds to order, with World's own keywords."""
    with ExitStack() as stack:
        made: list[World] = []

        def make(**options: object) -> World:
            world = World(tmp_path / f"world{len(made) + 1}", **options)  # type: ignore[arg-type]
            made.append(stack.enter_context(world))
            return world

        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A fresh world with the zone example.org, for this test alone."""
    return make_world()


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world per worker process: for tests that keep to zones of their own (`world.new_zone()`)."""
    with World(tmp_path_factory.mktemp("shared-world"), zones=()) as world:
        yield world


@pytest.fixture(scope="session")
def believer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world per worker process without zones, whose CA finds every challenge valid."""
    folder = tmp_path_factory.mktemp("believer")
    with World(folder, zones=(), secondaries=0, dnssec=False, pebble={"always_valid": True}) as world:
        yield world


@pytest.fixture(scope="session")
def shared_bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    """One BIND per worker process: for tests that keep to zones of their own (`bind.new_zone()`)."""
    with Bind(tmp_path_factory.mktemp("shared-bind")) as bind:
        yield bind


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        report.sections += [(f"log of {each.name}: {each.log}", each.tail()) for each in Process.running]
    return report
