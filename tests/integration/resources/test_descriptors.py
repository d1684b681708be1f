"""A process that may open only so many files."""

from collections.abc import Iterable

import pytest

from bed import binaries
from integration.resources.scene import Fault, Scene

pytestmark = pytest.mark.real

FEW = Fault(("too many open files",))


def sweep(scene: Scene, limits: Iterable[int]) -> dict[int, int]:
    """The exit code under each limit."""
    codes, wrong = {}, []
    for limit in limits:
        scene.restore()
        done = scene.page.run(prefix=[binaries.require("prlimit"), f"--nofile={limit}"])
        codes[limit] = done.code
        try:
            scene.assert_let_down(done, FEW)
            if done.code:
                assert "ulimit -n" in "".join(done.hints), done.text
            scene.assert_next_run_finishes()
        except AssertionError as error:
            wrong.append(f"with {limit} descriptors: {error}")
    assert not wrong, "\n".join(wrong)
    return codes


def test_few_descriptors_are_enough_or_the_reason_is_said(scene: Scene) -> None:
    codes = sweep(scene, [20, 64])
    assert codes[64] == 0


@pytest.mark.long
def test_any_number_of_descriptors(scene: Scene) -> None:
    assert set(sweep(scene, range(20, 48)).values()) <= {0, 1}


@pytest.mark.long
def test_hardly_any_descriptors(scene: Scene) -> None:
    # Below ten Python itself does not get through its imports.
    assert set(sweep(scene, range(10, 20)).values()) <= {0, 1}
