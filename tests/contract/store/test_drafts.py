"""Versions in the making."""

import errno
from contextlib import suppress
from pathlib import Path

import pytest

from builders.certificates import new_key, version_files
from builders.effects import failing_at, recorded
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.store import Store
from certkeeper.lineage.model import Draft
from contract.store.folders import (
    ALIAS,
    NOW_STAMP,
    issue,
    link,
    private_file,
)


def test_an_interrupted_draft_is_taken_up_with_its_key(store: Store) -> None:
    key = new_key()
    draft = store.begin(ALIAS, NOW_STAMP)
    assert draft == Draft(ALIAS, NOW_STAMP)
    store.save_key(draft, key)
    again = store.begin(ALIAS, NOW_STAMP + 1000)
    assert again.stamp == NOW_STAMP
    assert again.key is not None
    assert (again.key.key_id, again.key.pem) == (key.key_id, key.pem)


def test_a_drafts_unreadable_key_is_no_key(store: Store, folder: Path) -> None:
    draft = store.begin(ALIAS, NOW_STAMP)
    private_file(folder / ".versions" / f"{NOW_STAMP}.partial" / "privkey.pem", b"half a k")
    assert store.begin(ALIAS, NOW_STAMP) == draft
    key = new_key()
    store.save_key(draft, key)
    taken_up = store.begin(ALIAS, NOW_STAMP).key
    assert taken_up is not None
    assert taken_up.key_id == key.key_id


def test_a_drafts_key_can_be_saved_twice(store: Store) -> None:
    key = new_key()
    draft = store.begin(ALIAS, NOW_STAMP)
    store.save_key(draft, key)
    assert "write" not in recorded(lambda: store.save_key(draft, key))


def test_a_draft_that_was_exchanged_for_a_link_is_refused(store: Store, folder: Path, tmp_path: Path) -> None:
    draft = store.begin(ALIAS, NOW_STAMP)
    (tmp_path / "away").mkdir()
    (folder / ".versions" / f"{NOW_STAMP}.partial").rmdir()
    link(folder / ".versions" / f"{NOW_STAMP}.partial", str(tmp_path / "away"))
    with pytest.raises(FileTrouble):
        store.save_key(draft, new_key())
    with pytest.raises(FileTrouble):
        store.stage(draft, version_files(new_key()))
    with pytest.raises(FileTrouble):
        store.discard(draft)
    assert not list((tmp_path / "away").iterdir())


def test_discarding_removes_the_draft_only(store: Store, folder: Path) -> None:
    issue(store, new_key())
    before = set(folder.rglob("*"))
    draft = store.begin(ALIAS, NOW_STAMP + 5)
    store.save_key(draft, new_key())
    store.discard(draft)
    assert set(folder.rglob("*")) == before
    store.discard(draft)


def test_discarding_leaves_what_somebody_else_put_there(store: Store, folder: Path) -> None:
    draft = store.begin(ALIAS, NOW_STAMP)
    note = folder / ".versions" / f"{NOW_STAMP}.partial" / "note.txt"
    note.write_text("mine")
    with pytest.raises(FileTrouble, match="cannot remove the folder: directory not empty"):
        store.discard(draft)
    assert note.read_text() == "mine"


def test_a_killed_writers_temporary_files_are_swept_and_a_running_ones_are_not(store: Store, folder: Path) -> None:
    folder.mkdir(parents=True)
    gone, running = folder / ".cert.pem.4194305.certkeeper-tmp", folder / ".cert.pem.1.certkeeper-tmp"
    for path in (gone, running):
        path.write_bytes(b"half")
    issue(store, new_key())
    assert not gone.exists()
    assert running.exists()


def test_a_draft_whose_key_cannot_be_read_just_now_does_not_lose_it(store: Store) -> None:
    key = new_key()
    store.save_key(store.begin(ALIAS, NOW_STAMP), key)
    for number in range(50):
        drafts: list[Draft] = []

        def begin(drafts: list[Draft] = drafts) -> None:
            drafts.append(store.begin(ALIAS, NOW_STAMP))

        with suppress(FileTrouble):
            if not failing_at(number, errno.EIO, begin):
                return
        assert all(draft.key is not None for draft in drafts)
    pytest.fail("beginning has more than 50 effects")
