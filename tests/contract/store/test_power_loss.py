"""The power is cut after every single operation, and what was not made to last is lost: old set or new set."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from builders.certificates import NOW
from builders.disk import GONE, Recorder, State
from builders.effects import CHANGES
from builders.effects import recorded as effects_of
from certkeeper.adapters import files
from certkeeper.adapters.store import Store
from certkeeper.lineage.mending import Mended
from certkeeper.lineage.retention import Retention
from contract.store.cuts import (
    Judge,
    Sweep,
    arranged,
    assert_kept,
    assert_led_to_a_whole_set,
    assert_private,
    assert_survived,
    assert_whole,
    carried_out,
    emptied,
    killed_and_carried_out_again,
    memory,
    recorded,
    restored,
    versions_of,
    wanted,
)
from contract.store.folders import ALIAS, NOW_STAMP, OLD_STAMP, dehydrated_folder, issue, link
from contract.store.scenes import NEW_KEY, OLD, OLD_KEY, SCENES, Scene, view

LATER = NOW + timedelta(days=500)
# What stays in its place is not ours to flush, so these are scenes in which everything moves.
FRESH = ("dehydrateds-new_key", "plain-new_key", "links_and_plain_key-new_key")
USUAL = (
    "nothing-new_key",
    "ours-new_key",
    "ours-same_key",
    "dehydrateds-new_key",
    "plain-same_key",
    "plain-new_key",
    "links_and_plain_key-new_key",
    "dehydrated_wrote_last-new_key",
)
KILLED = ("nothing-new_key", "ours-new_key", "dehydrateds-new_key")


def scenes(*usual: str) -> pytest.MarkDecorator:
    """All scenes; those that are not named wait for --long."""
    long = {False: (), True: (pytest.mark.long,)}
    found = [pytest.param(scene, id=scene.name, marks=long[scene.name not in usual]) for scene in SCENES]
    return pytest.mark.parametrize("scene", found)


@pytest.fixture
def place() -> Iterator[Path]:
    with memory() as folder:
        yield folder


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_the_recorder_misses_nothing(place: Path, scene: Scene) -> None:
    root = place / "certs"
    recording = arranged(scene, root)
    effects = effects_of(lambda: carried_out(recording, root))
    seen = [operation.call for operation in recording.recorder.log if operation.call != "open"]
    assert seen == [name for name in effects if name in CHANGES | {"fsync"}]
    *_, disk = recording.recorder.disks()
    assert disk.now() == strip(Recorder(root).start.now(), disk.now())


def strip(state: State, like: State) -> State:
    """Times are those of the recording's beginning, and numbers are given in the order of names."""
    times = {name: item.modified for name, item in like}
    return tuple((name, type(item)(item.kind, item.mode, item.said, item.number, times[name])) for name, item in state)


@scenes(*USUAL)
def test_a_power_cut_leaves_the_old_set_or_the_new_one(place: Path, scene: Scene) -> None:
    recording = recorded(scene, place / "certs")
    assert_private(recording)
    sweep = Sweep(place / "cut", assert_survived)
    sweep.over(recording)
    assert len(sweep) > 70, "the sweep saw next to nothing"


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene.name in FRESH], ids=str)
def test_what_others_wrote_lasts_before_names_lead_to_it(place: Path, scene: Scene) -> None:
    recording = recorded(scene, place / "certs", fresh=True)
    sweep = Sweep(place / "cut", assert_led_to_a_whole_set)
    sweep.over(recording)
    assert len(sweep) > 70, "the sweep saw next to nothing"


@scenes(*KILLED)
def test_a_run_makes_the_sets_last_that_a_killed_one_left(place: Path, scene: Scene) -> None:
    after_a_kill(place, scene, assert_whole)


@scenes("nothing-new_key")
def test_a_run_makes_the_key_last_that_a_killed_one_left(place: Path, scene: Scene) -> None:
    after_a_kill(place, scene, assert_kept)


def after_a_kill(place: Path, scene: Scene, judge: Judge) -> None:
    """A run is killed, the power stays; the next run goes on with what it sees, and then the power is cut."""
    sweep = Sweep(place / "cut", judge)
    log = recorded(scene, place / "certs").recorder.log
    for stop in range(1, len(log)):
        sweep.over(killed_and_carried_out_again(scene, place / "certs", stop), stop)


@scenes("ours-new_key")
def test_a_run_with_the_process_id_of_a_killed_one_finishes(place: Path, scene: Scene) -> None:
    """As in a container, where the first process has the same number each time."""
    log = recorded(scene, place / "certs").recorder.log
    for stop in range(len(log)):
        killed_and_carried_out_again(scene, place / "certs", stop, next_process=GONE)
        assert view(place / "certs" / ALIAS.text) == wanted(scene)


def test_a_power_cut_while_pruning_leaves_the_live_set_and_the_next_prune_finishes(place: Path) -> None:
    root = emptied(place / "certs")
    folder = root / ALIAS.text
    dehydrated_folder(folder, OLD)
    for number in range(4):
        issue(Store(str(root)), NEW_KEY, NOW_STAMP + number)
    before, kept = view(folder), versions_of(folder)
    recorder = Recorder(root)
    with recorder.instead_of_os_in(files):
        prune(root)
    left = names(folder)
    assert len(versions_of(folder)) < len(kept)
    looked = set()
    for disk in recorder.disks():
        for state in disk.after_a_power_cut():
            if state not in looked:
                looked.add(state)
                found = restored(state, place / "cut")
                assert view(found) == before
                assert all(version in kept for version in versions_of(found)), "half a version has a version's name"
                prune(place / "cut")
                assert names(found) == left
    assert len(looked) > 50


def prune(root: Path) -> None:
    store = Store(str(root))
    for removal in store.removable(ALIAS, Retention(versions=1, days=1), LATER):
        store.remove(ALIAS, removal)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_power_cut_while_mending_is_no_worse_and_the_next_mending_finishes(place: Path) -> None:
    root = emptied(place / "certs")
    folder = root / ALIAS.text
    store = Store(str(root))
    issue(store, OLD_KEY, OLD_STAMP)
    issue(store, NEW_KEY)
    link(folder / "privkey.pem", f"privkey-{OLD_STAMP}.pem")
    before = view(folder)
    recorder = Recorder(root)
    with recorder.instead_of_os_in(files):
        assert isinstance(store.mend(ALIAS, NOW), Mended)
    after = view(folder)
    assert after != before
    *rest, (number, last) = enumerate(disk.copy() for disk in recorder.disks())
    assert number > 5
    for state in last.after_a_power_cut():
        assert view(restored(state, place / "cut")) == after
    for state in {state for _, disk in rest for state in disk.after_a_power_cut()}:
        found = restored(state, place / "cut")
        assert view(found) in (before, after, {**before, "privkey.pem": after["privkey.pem"]})
        Store(str(place / "cut")).mend(ALIAS, NOW)
        assert view(found) == after
