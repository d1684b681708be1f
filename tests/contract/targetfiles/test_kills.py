"""Copies for a service, and a run that is killed, a full disk, a plug that is pulled: the old set or the new one."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from builders.disk import Recorder, materialise
from builders.effects import failing_at, killed_before
from certkeeper.adapters import files
from certkeeper.base.errors import CertkeeperError
from contract.targetfiles.placed import NEW, SCENES, SECRET, Scene, View, emptied, install, shown, view


@pytest.fixture
def place() -> Iterator[Path]:
    """In memory where there is such a place: thousands of fsyncs on a disk take minutes."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def arranged(place: Path, scene: Scene) -> tuple[Path, View]:
    folder = emptied(place / "certs")
    scene.arrange(folder)
    return folder, view(folder)


def assert_sound_and_finished(folder: Path, before: View, when: str) -> None:
    assert view(folder) in (before, shown(NEW)), f"mixed or missing {when}"
    kept = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in kept if SECRET in path.read_bytes() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    install(folder, NEW)
    assert view(folder) == shown(NEW), f"not finished {when}"
    assert not [path for path in folder.rglob("*") if path.name.endswith(("-tmp", ".partial", ".adopting"))]


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_a_kill_before_any_change(place: Path, scene: Scene) -> None:
    for number in range(1000):
        folder, before = arranged(place, scene)
        alive = not killed_before(number, partial(install, folder, NEW))
        assert_sound_and_finished(folder, before, f"after a kill before change {number}")
        if alive:
            assert number > 5, "the sweep saw next to nothing"
            return
    pytest.fail("an installation has more than 1000 effects")


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_a_full_disk_at_any_effect(place: Path, scene: Scene) -> None:
    for number in range(1000):
        folder, before = arranged(place, scene)
        going = True
        with suppress(CertkeeperError):
            going = failing_at(number, errno.ENOSPC, partial(install, folder, NEW))
        assert_sound_and_finished(folder, before, f"after effect {number} failed")
        if not going:
            return
    pytest.fail("an installation has more than 1000 effects")


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_a_power_cut_after_any_operation(place: Path, scene: Scene) -> None:
    folder, before = arranged(emptied(place / "disk"), scene)
    recorder = Recorder(place / "disk")
    with recorder.instead_of_os_in(files):
        install(folder, NEW)
    seen = set()
    for number, disk in enumerate(recorder.disks()):
        for state in disk.after_a_power_cut():
            if state not in seen:
                seen.add(state)
                materialise(state, emptied(place / "cut"))
                assert_sound_and_finished(place / "cut" / "certs", before, f"after a cut after operation {number}")
    assert len(seen) > 10, "next to no state of the disk was seen"
