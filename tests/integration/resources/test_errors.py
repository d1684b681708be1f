"""A disk that reports errors: each single write and fsync fails, once or from then on."""

import errno
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from bed import binaries
from builders.page import Done
from integration.resources.scene import Fault, Scene

pytestmark = pytest.mark.real

EVER = 1 << 30
_RUNNER = Path(__file__).with_name("faulty.py")
_PRELOADED = Path("/usr/lib/fiu/fiu_posix_preload.so")
BAD = Fault(("input/output error", "disk I/O error", "disk reports errors", "unable to open database file"))


class BadDisk:
    """Runs of a scene's page on a disk whose calls from `first` to `last` fail."""

    def __init__(self, scene: Scene) -> None:
        if not _PRELOADED.exists():
            binaries.missing("libfiu is not here", "install the Debian package fiu-utils")
        self._scene = scene
        self._fiu = [binaries.require("fiu-run"), "-f", "", "-x", sys.executable, str(_RUNNER)]
        self._report = scene.page.folder / "report"

    def run(self, first: int, last: int, number: int = errno.EIO) -> tuple[Done, list[str]]:
        """How it ended, and the calls that were made."""
        page = self._scene.page
        self._report.unlink(missing_ok=True)
        done = page.run(prefix=[*self._fiu, str(number), str(first), str(last), str(self._report)])
        assert self._report.exists(), done.text
        return done, json.loads(self._report.read_text())

    def sweep(self, calls: Iterable[int], *, ever: bool) -> int:
        """Runs with each of these calls failing; how many of them failed."""
        failed = 0
        for first in calls:
            self._scene.restore()
            done, made = self.run(first, EVER if ever else first)
            where = made[first] if first < len(made) else "nothing"
            try:
                self._scene.assert_let_down(done, BAD)
                self._scene.assert_next_run_finishes()
            except AssertionError as error:
                raise AssertionError(f"call {first} ({where}) failed: {error}") from error
            failed += done.code != 0
        return failed


@pytest.fixture
def bad_disk(scene: Scene) -> BadDisk:
    return BadDisk(scene)


def spread(count: int, parts: int) -> list[int]:
    """That many numbers below `count`, the first and the last among them."""
    return sorted({round(part * (count - 1) / (parts - 1)) for part in range(parts)})


def calls_of_a_good_run(disk: BadDisk) -> int:
    done, made = disk.run(EVER, EVER)
    assert (done.code, done.err) == (0, ""), done.text
    assert any("journal" in call and "pwrite" in call for call in made), "SQLite's writes are not counted"
    assert any("fdatasync" in call for call in made), "nor is its syncing"
    assert any("files." in call and "fsync" in call for call in made), "nor are files"
    return len(made)


@pytest.mark.parametrize(
    "ever", [pytest.param(False, id="once"), pytest.param(True, id="from then on", marks=pytest.mark.long)]
)
def test_a_write_fails(bad_disk: BadDisk, *, ever: bool) -> None:
    assert bad_disk.sweep(spread(calls_of_a_good_run(bad_disk), 4), ever=ever)


@pytest.mark.long
@pytest.mark.parametrize("ever", [False, True], ids=["once", "from then on"])
def test_every_write_fails(bad_disk: BadDisk, *, ever: bool) -> None:
    count = calls_of_a_good_run(bad_disk)
    assert bad_disk.sweep(range(count), ever=ever) > count // 3
