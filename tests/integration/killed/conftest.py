from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.world import World
from integration.killed.held import Held
from integration.killed.mortal import Figures
from integration.killed.stage import Stage

MakeStage = Callable[[], Stage]
MakeHeld = Callable[..., Held]


@pytest.fixture(scope="session")
def figures(tmp_path_factory: pytest.TempPathFactory, shared_world: World) -> Figures:
    """Of an undisturbed renewal."""
    zones = [shared_world.new_zone().removesuffix(".") for _ in range(2)]
    with Stage(tmp_path_factory.mktemp("rehearsal"), shared_world, (zones[0], zones[1])) as stage:
        stage.new_round()
        stage.settle()
        return stage.learn()


@pytest.fixture
def make_stage(tmp_path: Path, shared_world: World) -> Iterator[MakeStage]:
    """Stages with an empty page and two zones of their own."""
    with ExitStack() as stack:
        made: list[Stage] = []

        def make() -> Stage:
            here, there = (shared_world.new_zone().removesuffix(".") for _ in range(2))
            made.append(stack.enter_context(Stage(tmp_path / f"stage{len(made) + 1}", shared_world, (here, there))))
            return made[-1]

        yield make


@pytest.fixture
def make_held(tmp_path: Path, shared_world: World) -> Iterator[MakeHeld]:
    """`make_held([NAME, ...], LINE, ..., SETTING=VALUE)`: a page whose runs wait for these names."""
    with ExitStack() as stack:

        def make(names: Iterable[str], *lines: str, **settings: str) -> Held:
            return stack.enter_context(Held(tmp_path / "held", shared_world, names, *lines, **settings))

        yield make
