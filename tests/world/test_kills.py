"""A run killed before and after every one of its effects: what is served stays whole, and the next run finishes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from world.kills import SCENES, Scene, check_lives, sweep

LIVES = st.tuples(st.sampled_from(SCENES), st.lists(st.integers(0, 140), min_size=1, max_size=4), st.integers(0, 2**16))
LONG_SEEDS = range(1, 9)
COVERED = "names that are served"
"""The scene after it is the same, and an order fails besides."""


@pytest.mark.parametrize(
    "scene",
    [pytest.param(scene, marks=[pytest.mark.long] if str(scene) == COVERED else []) for scene in SCENES],
    ids=str,
)
def test_a_kill_at_any_effect_breaks_nothing_and_the_next_run_finishes(scene: Scene) -> None:
    assert sweep(scene, seed=0) > 60


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_SEEDS)
@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_a_kill_at_any_effect_in_other_orders(scene: Scene, seed: int) -> None:
    assert sweep(scene, seed) > 60


@settings(max_examples=60, deadline=None)
@given(LIVES)
def test_runs_that_recover_may_be_killed_too(lives: tuple[Scene, list[int], int]) -> None:
    check_lives(*lives)


@pytest.mark.long
@settings(max_examples=2000, deadline=None)
@given(LIVES)
def test_many_lives(lives: tuple[Scene, list[int], int]) -> None:
    check_lives(*lives)
