"""Stores that are wrong in one way each. The checks that the real one passes catch every one of them."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from builders.disk import Disk, Kind, Node, Operation, Recorder, Synced, Wrote
from certkeeper.adapters.files import Folder
from certkeeper.adapters.store import Store
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias
from certkeeper.lineage import layout
from certkeeper.lineage.model import Draft, VersionFiles
from contract.store.cuts import (
    GOOD,
    Parts,
    Sweep,
    assert_led_to_a_whole_set,
    assert_private,
    assert_survived,
    memory,
    recorded,
)
from contract.store.scenes import SCENES

ALL = {scene.name: scene for scene in SCENES}
FIRST, RENEWAL, ADOPTION = "nothing-new_key", "ours-new_key", "dehydrateds-new_key"


class UnlinksFirst(Folder):
    """Between the two, the name is missing."""

    def point(self, name: str, target: str) -> None:
        self.remove(name)
        super().point(name, target)


class TakesUnflushed(Folder):
    """What dehydrated wrote just now gets its new names before its contents last."""

    def _flush(self, name: str) -> None:
        self.status(name)


class ForgetsFiles(Recorder):
    def fsync(self, fd: int) -> None:
        if self._opened[fd].kind is Kind.FOLDER:
            super().fsync(fd)


class ForgetsFolders(Recorder):
    def fsync(self, fd: int) -> None:
        if self._opened[fd].kind is Kind.FILE:
            super().fsync(fd)


class OpenToAll(Recorder):
    """The mode that open() has in most programs."""

    def open(self, path: str, flags: int, mode: int = 0o666, *, dir_fd: int | None = None) -> int:
        return super().open(path, flags, mode | 0o066, dir_fd=dir_fd)


class OpenAtFirst(OpenToAll):
    """Private in the end, and not from the first byte."""

    def close(self, fd: int) -> None:
        if fd in self._opened and self._opened[fd].kind is Kind.FILE:
            os.fchmod(fd, 0o600)
        super().close(fd)


class FoldersOpenToAll(Recorder):
    def mkdir(self, path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        super().mkdir(path, mode | 0o055, dir_fd=dir_fd)


class NameByName(Store):
    """As dehydrated does it."""

    def activate(self, alias: Alias, stamp: int) -> None:
        with self._open(alias) as folder, folder.child(layout.VERSIONS) as versions:
            with versions.child(layout.version_name(stamp)) as version:
                for name in layout.NAMES:
                    folder.take(version, name, layout.stamped_name(name, stamp))
            for name in layout.NAMES:
                folder.point(name, layout.stamped_name(name, stamp))
            folder.sync()


class WithoutAdoption(Store):
    """The names lead through `.live` while there is something else behind it."""

    def activate(self, alias: Alias, stamp: int) -> None:
        with self._open(alias) as folder:
            for name in layout.NAMES:
                folder.point(name, layout.live_target(name))
            folder.sync()
            folder.point(layout.LIVE, layout.version_target(stamp))
            folder.sync()


class NamedTooEarly(Store):
    """The version has its name before its files are complete."""

    def stage(self, draft: Draft, files: VersionFiles) -> None:
        name = layout.version_name(draft.stamp)
        with self._versions(draft.alias) as versions:
            versions.rename(layout.partial_name(draft.stamp), name)
            versions.sync()
            with versions.child(name) as version:
                for file, content in layout.by_name(files).items():
                    version.put(file, content)
                version.sync()


class ForgetsTheName(Store):
    """The version is complete, and its name does not last."""

    def stage(self, draft: Draft, files: VersionFiles) -> None:
        with self._versions(draft.alias) as versions, versions.child(layout.partial_name(draft.stamp)) as partial:
            for file, content in layout.by_name(files).items():
                partial.put(file, content)
            partial.sync()
            versions.rename(layout.partial_name(draft.stamp), layout.version_name(draft.stamp))


class ForgetsTheKey(Store):
    """The CA hears of a key that a power cut takes away."""

    def save_key(self, draft: Draft, key: KeyPair) -> None:
        with self._versions(draft.alias) as versions, versions.child(layout.partial_name(draft.stamp)) as partial:
            partial.put(layout.PRIVKEY, key.pem)


@dataclass(frozen=True, slots=True)
class Mutant:
    parts: Parts
    scene: str
    caught: str
    """What the check says of it."""
    fresh: bool = False

    def __str__(self) -> str:
        changed = [part.__name__ for part in (self.parts.store, self.parts.folder, self.parts.recorder)]
        return "-".join([*(name for name in changed if name not in {"Store", "Folder", "Recorder"}), self.scene])


NEITHER = "neither the old set nor the new one"
MUTANTS = (
    Mutant(Parts(folder=UnlinksFirst), RENEWAL, NEITHER),
    Mutant(Parts(folder=UnlinksFirst), ADOPTION, NEITHER),
    Mutant(Parts(folder=TakesUnflushed), ADOPTION, "a name leads to what did not last", fresh=True),
    Mutant(Parts(recorder=ForgetsFiles), FIRST, "the key of an order is gone|not whole"),
    Mutant(Parts(recorder=ForgetsFiles), RENEWAL, "the key of an order is gone|not whole"),
    Mutant(Parts(recorder=ForgetsFolders), FIRST, "the key of an order is gone"),
    Mutant(Parts(recorder=ForgetsFolders), RENEWAL, "the key of an order is gone"),
    Mutant(Parts(recorder=OpenToAll), FIRST, "was made with mode 644"),
    Mutant(Parts(recorder=OpenAtFirst), FIRST, "was made with mode 644"),
    Mutant(Parts(recorder=FoldersOpenToAll), FIRST, "was made with mode 755"),
    Mutant(Parts(store=NameByName), RENEWAL, NEITHER),
    Mutant(Parts(store=NameByName), ADOPTION, NEITHER),
    Mutant(Parts(store=WithoutAdoption), ADOPTION, NEITHER),
    Mutant(Parts(store=NamedTooEarly), RENEWAL, "a version that is not whole"),
    Mutant(Parts(store=ForgetsTheName), RENEWAL, "a complete version is gone"),
    Mutant(Parts(store=ForgetsTheKey), RENEWAL, "the key of an order is gone"),
)


@pytest.fixture
def place() -> Iterator[Path]:
    before = os.umask(0o022)
    try:
        with memory() as folder:
            yield folder
    finally:
        os.umask(before)


def judge(place: Path, scene: str, parts: Parts, *, fresh: bool) -> None:
    recording = recorded(ALL[scene], place / "certs", parts, fresh=fresh)
    assert_private(recording)
    Sweep(place / "cut", assert_led_to_a_whole_set if fresh else assert_survived).over(recording)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_is_caught(place: Path, mutant: Mutant) -> None:
    with pytest.raises((AssertionError, CertkeeperError), match=mutant.caught):
        judge(place, mutant.scene, mutant.parts, fresh=mutant.fresh)


@pytest.mark.parametrize(("scene", "fresh"), sorted({(mutant.scene, mutant.fresh) for mutant in MUTANTS}), ids=str)
def test_the_real_store_is_not(place: Path, scene: str, *, fresh: bool) -> None:
    judge(place, scene, GOOD, fresh=fresh)


@pytest.mark.parametrize("scene", [FIRST, RENEWAL, pytest.param(ADOPTION, marks=pytest.mark.long)])
def test_each_fsync_that_is_left_out_is_caught(place: Path, scene: str) -> None:
    recording = recorded(ALL[scene], place / "certs")
    log = recording.recorder.log
    needed = [number for number, disk in enumerate(recording.recorder.disks()) if loses(disk, log[number : number + 1])]
    assert len(needed) > 8
    for number in needed:
        operation, log[number] = log[number], Wrote(Node(Kind.FILE), b"")
        with pytest.raises((AssertionError, CertkeeperError)):
            Sweep(place / "cut", assert_survived).over(recording)
        log[number] = operation


def loses(disk: Disk, operations: Sequence[Operation]) -> bool:
    """Something is lost without this fsync. An adoption that was cut short begins anew: its folder need not last."""
    match operations:
        case [Synced(node)] if node.kind is Kind.FILE:
            return disk.lasting.get(node, b"") != disk.written.get(node, b"")
        case [Synced(node)]:
            names = [name for named in disk.pending if named.folder is node for name in named.changes]
            return any(not (name.endswith(".adopting") and name == names[-1]) for name in names)
    return False
