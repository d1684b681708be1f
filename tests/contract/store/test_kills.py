"""Pulling the plug, or failing, before every single effect: old set or new set, and the next run finishes."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from builders.effects import failing_at, killed_before
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.store import Store
from certkeeper.base.errors import CertkeeperError
from certkeeper.lineage import layout
from contract.store.folders import ALIAS
from contract.store.scenes import OLD_KEY, SCENES, Scene, View, renew, view


@pytest.fixture
def certs() -> Iterator[Path]:
    """CERTDIR in memory where there is such a place: thousands of fsyncs on a disk take minutes."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def arranged(certs: Path, scene: Scene) -> tuple[Store, Path]:
    for left in certs.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    folder = certs / ALIAS.text
    scene.arrange(folder)
    return Store(str(certs)), folder


def wanted(scene: Scene) -> View:
    return dict(layout.by_name(scene.files))


def assert_finished(scene: Scene, store: Store, folder: Path, before: View) -> None:
    """The new set is live, nothing is left over, and no key is lost."""
    stamp = renew(scene, store)
    assert view(folder) == wanted(scene)
    lineage = store.lineage(ALIAS)
    assert (lineage.stamp, lineage.key_id, lineage.torn) == (stamp, scene.key.key_id, False)
    names = [name for _, folders, files in os.walk(folder) for name in folders + files]
    assert not [name for name in names if name.endswith((".certkeeper-tmp", ".partial", ".adopting"))]
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    if before[layout.PRIVKEY] is not None:
        assert before[layout.PRIVKEY] in [path.read_bytes() for path in files if path.name.startswith("privkey")]


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_a_kill_before_any_change_leaves_the_old_set_or_the_new_one(certs: Path, scene: Scene) -> None:
    for number in range(1000):
        store, folder = arranged(certs, scene)
        before = view(folder)
        alive = not killed_before(number, partial(renew, scene, store))
        assert view(folder) in (before, wanted(scene)), f"after a kill before change {number}"
        assert_finished(scene, store, folder, before)
        if alive:
            assert number > 15, "the sweep saw next to nothing"
            return
    pytest.fail("an activation has more than 1000 effects")


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_a_full_disk_at_any_effect_leaves_the_old_set_or_the_new_one(certs: Path, scene: Scene) -> None:
    for number in range(1000):
        store, folder = arranged(certs, scene)
        before = view(folder)
        failed, said = True, "no space left"
        try:
            failed = failing_at(number, errno.ENOSPC, partial(renew, scene, store))
        except CertkeeperError as error:
            said = str(error)
        assert "no space left" in said
        assert "\n" not in said
        assert view(folder) in (before, wanted(scene)), f"after a failure of effect {number}"
        assert_finished(scene, store, folder, before)
        if not failed:
            return
    pytest.fail("an activation has more than 1000 effects")


@pytest.mark.parametrize(
    "scene", [scene for scene in SCENES if "plain" in scene.name and "same_key" in scene.name], ids=str
)
def test_a_plain_key_stays_the_very_file_while_it_is_used(certs: Path, scene: Scene) -> None:
    store, folder = arranged(certs, scene)
    key = folder / "privkey.pem"
    before = (key.lstat().st_ino, key.lstat().st_mtime_ns, key.read_bytes())
    stamp = renew(scene, store)
    assert (key.lstat().st_ino, key.lstat().st_mtime_ns, key.read_bytes()) == before
    assert key.lstat().st_nlink == 1, "a version shares the file: writing into one would change the other"
    assert not (folder / f"privkey-{stamp}.pem").exists()


def test_a_plain_keys_readers_are_told_of_a_failure_to_read_it(certs: Path) -> None:
    scene = next(scene for scene in SCENES if scene.name == "links_and_plain_key-same_key")
    for number in range(1000):
        store, folder = arranged(certs, scene)
        try:
            if not failing_at(number, errno.EIO, partial(renew, scene, store)):
                return
        except FileTrouble:
            pass
        assert not (folder / "privkey.pem").is_symlink(), f"effect {number} failed, and the plain key was replaced"
        assert (folder / "privkey.pem").read_bytes() == OLD_KEY.pem
