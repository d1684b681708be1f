"""Renewals of which every operation is recorded, and what has to hold wherever the power is cut."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TypeAlias

import pytest

from builders.disk import GONE, Kind, Named, PlugPulled, Recorder, State, materialise
from certkeeper.adapters import files, store
from certkeeper.adapters.files import FILE_MODE, FOLDER_MODE, Folder
from certkeeper.adapters.store import Store
from certkeeper.lineage import layout
from contract.store.folders import ALIAS, NOW_STAMP, OLD_STAMP
from contract.store.scenes import Scene, View, renew, view

LEFT_OVER = (".certkeeper-tmp", ".partial", ".adopting")


class Step(IntEnum):
    """What a renewal has done so far; what it promised lasts from then on."""

    NOTHING = 0
    BEGUN = 1
    KEY_SAVED = 2
    """The CA may hear of the key."""
    STAGED = 3
    LIVE = 4


@dataclass(frozen=True, slots=True)
class Parts:
    """What a renewal is made of. Mutants exchange some."""

    store: type[Store] = Store
    folder: type[Folder] = Folder
    recorder: type[Recorder] = Recorder


GOOD = Parts()


@dataclass(slots=True)
class Recording:
    """A scene, its renewal, and the numbers of operations after which each step was done."""

    scene: Scene
    before: View
    versions: list[View]
    recorder: Recorder
    stamp: int = 0
    done: dict[Step, int] = field(default_factory=dict)

    def reached(self, number: int) -> Step:
        return max((step for step, end in self.done.items() if end <= number), default=Step.NOTHING)


Judge: TypeAlias = Callable[[Recording, State, Step, Path], None]


@contextmanager
def memory() -> Iterator[Path]:
    """A folder in memory where there is such a place: thousands of fsyncs on a disk take minutes."""
    place = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=place if os.access(place, os.W_OK) else None) as folder:
        yield Path(folder)


def emptied(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    return place


def wanted(scene: Scene) -> View:
    return dict(layout.by_name(scene.files))


def versions_of(folder: Path) -> list[View]:
    """The contents of the versions that have their names."""
    found = [path for path in folder.glob(f"{layout.VERSIONS}/*") if path.name.isdigit()]
    return [view(path) for path in sorted(found)]


def arranged(scene: Scene, root: Path, parts: Parts = GOOD, *, fresh: bool = False) -> Recording:
    """A scene, ready to be renewed. In a `fresh` one, nothing of the folder's names and contents lasts yet."""
    folder = emptied(root) / ALIAS.text
    scene.arrange(folder)
    for path in root.rglob("*"):
        # The same in each arrangement, so that equal states are looked at once.
        os.utime(path, (OLD_STAMP + 7, OLD_STAMP + 7), follow_symlinks=False)
    recorder = parts.recorder(root, folder if fresh else None)
    return Recording(scene, view(folder), versions_of(folder), recorder)


def carried_out(recording: Recording, root: Path, parts: Parts = GOOD) -> None:
    """What the engine does, from the beginning, or with a version that an earlier run completed."""
    scene, recorder, certificates = recording.scene, recording.recorder, parts.store(str(root))

    def done(step: Step) -> None:
        recording.done[step] = len(recorder.log)

    recording.done.clear()
    with pytest.MonkeyPatch.context() as patch, recorder.instead_of_os_in(files):
        for module in (files, store):
            patch.setattr(module, "Folder", parts.folder)
        if recording.stamp and certificates.version(ALIAS, recording.stamp) is not None:
            certificates.activate(ALIAS, recording.stamp)
            return done(Step.LIVE)
        draft = certificates.begin(ALIAS, NOW_STAMP)
        recording.stamp = draft.stamp
        done(Step.BEGUN)
        if draft.key is None or draft.key.key_id != scene.key.key_id:
            certificates.save_key(draft, scene.key)
        done(Step.KEY_SAVED)
        certificates.stage(draft, scene.files)
        done(Step.STAGED)
        certificates.activate(ALIAS, draft.stamp)
        return done(Step.LIVE)


def recorded(scene: Scene, root: Path, parts: Parts = GOOD, *, fresh: bool = False) -> Recording:
    recording = arranged(scene, root, parts, fresh=fresh)
    carried_out(recording, root, parts)
    return recording


def killed_and_carried_out_again(scene: Scene, root: Path, stop: int, next_process: int = GONE - 1) -> Recording:
    """A renewal that was killed before operation `stop`, and the next run, which ends well."""
    recording = arranged(scene, root)
    recording.recorder.stop = stop
    with pytest.raises(PlugPulled):
        carried_out(recording, root)
    recording.recorder.stop = None
    recording.recorder.process = next_process
    carried_out(recording, root)
    return recording


class Sweep:
    """Looks at every different state once."""

    def __init__(self, place: Path, judge: Judge) -> None:
        self._place = place
        self._judge = judge
        self._looked: set[tuple[State, Step]] = set()

    def __len__(self) -> int:
        return len(self._looked)

    def over(self, recording: Recording, first: int = 0) -> None:
        """Cut the power after operation `first`, after the next one, …"""
        for number, disk in enumerate(recording.recorder.disks()):
            reached = recording.reached(number)
            for state in disk.after_a_power_cut() if number >= first else ():
                if (state, reached) in self._looked:
                    continue
                self._looked.add((state, reached))
                try:
                    self._judge(recording, state, reached, self._place)
                except BaseException as error:
                    error.add_note(told(recording, number, state))
                    raise


def told(recording: Recording, number: int, state: State) -> str:
    """What was done, and what was found."""
    last = recording.recorder.log[max(number - 3, 0) : number]
    shown = [f"  {operation.call} {_subject(operation)}" for operation in last]
    found = [f"  {name} -> {item.said.decode()}" if item.kind is Kind.LINK else f"  {name}" for name, item in state]
    return "\n".join([f"power cut after operation {number}:", *shown, "found:", *found])


def _subject(operation: object) -> str:
    return ", ".join(operation.changes) if isinstance(operation, Named) else ""


def assert_private(recording: Recording) -> None:
    """Whatever was made was its owner's from the beginning."""
    for operation in recording.recorder.log:
        if isinstance(operation, Named) and operation.call in {"open", "mkdir"}:
            for name, node in operation.changes.items():
                allowed = FOLDER_MODE if operation.call == "mkdir" else FILE_MODE
                assert node is not None
                assert node.mode == allowed, f"{name} was made with mode {node.mode:o}"


def restored(state: State, place: Path) -> Path:
    """The folder of the lineage, as it is found."""
    materialise(state, emptied(place))
    return place / ALIAS.text


def assert_survived(recording: Recording, state: State, reached: Step, place: Path) -> None:
    """The old set or the new one, whole; what was promised is there; and the next run finishes."""
    assert_whole(recording, state, reached, place)
    assert_kept(recording, state, reached, place)
    assert_finished(recording.scene, place, recording.before)


def assert_whole(recording: Recording, state: State, reached: Step, place: Path) -> None:
    """The old set or the new one, whole."""
    folder, new = restored(state, place), wanted(recording.scene)
    seen = view(folder)
    if reached is Step.LIVE:
        assert seen == new, "it was live, and is no more"
    else:
        assert seen in (recording.before, new), "neither the old set nor the new one"
    for version in versions_of(folder):
        assert version in (*recording.versions, recording.before, new), "a version that is not whole"


def assert_led_to_a_whole_set(recording: Recording, state: State, reached: Step, place: Path) -> None:
    """What is lost before we touch it was never ours to keep; what our links lead to is."""
    folder, new = restored(state, place), wanted(recording.scene)
    if any((folder / name).is_symlink() and (folder / name).readlink().parent.name == layout.LIVE for name in new):
        assert view(folder) in (recording.before, new), "a name leads to what did not last"
    if reached is Step.LIVE:
        assert view(folder) == new
    renew(recording.scene, Store(str(place)))
    assert view(folder) == new


def assert_kept(recording: Recording, state: State, reached: Step, place: Path) -> None:
    """The key that the CA may know, and the version that is complete."""
    restored(state, place)
    scene, certificates = recording.scene, Store(str(place))
    completed = certificates.version(ALIAS, recording.stamp)
    if reached >= Step.STAGED:
        assert completed == scene.files, "a complete version is gone"
    if reached >= Step.KEY_SAVED and completed is None:
        draft = certificates.begin(ALIAS, NOW_STAMP)
        assert draft.key is not None, "the key of an order is gone"
        assert (draft.stamp, draft.key.key_id) == (recording.stamp, scene.key.key_id)


def assert_finished(scene: Scene, place: Path, before: View) -> None:
    """The next run brings the new set live, nothing is left over, and no key is lost."""
    certificates, folder = Store(str(place)), place / ALIAS.text
    stamp = renew(scene, certificates)
    assert view(folder) == wanted(scene)
    lineage = certificates.lineage(ALIAS)
    assert (lineage.stamp, lineage.key_id, lineage.torn) == (stamp, scene.key.key_id, False)
    entries = [path for path in folder.rglob("*") if not path.is_symlink()]
    left = [str(path.relative_to(folder)) for path in entries if path.name.endswith(LEFT_OVER)]
    assert not left, "left over"
    regular = [path for path in entries if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in regular} == {FILE_MODE}
    if before[layout.PRIVKEY] is not None:
        assert before[layout.PRIVKEY] in [path.read_bytes() for path in regular if path.name.startswith("privkey")]
