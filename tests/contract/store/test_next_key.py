"""privkey.roll.pem: the key of the next certificate, which is replaced only once it is live."""

import stat
from pathlib import Path

import pytest

from builders.certificates import new_key
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.store import Store
from certkeeper.base.names import Alias
from certkeeper.lineage.model import UnusableKey
from contract.store.folders import ALIAS, issue

NEXT = "privkey.roll.pem"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def test_the_next_key_is_kept_beside_the_live_set_and_is_private(store: Store, tmp_path: Path) -> None:
    issue(store, new_key())
    coming = new_key()
    assert store.lineage(ALIAS).next_key_id is None
    store.save_next_key(ALIAS, coming)
    assert store.next_key(ALIAS).key_id == coming.key_id
    assert store.lineage(ALIAS).next_key_id == coming.key_id
    assert not store.lineage(ALIAS).next_key_used
    assert stat.S_IMODE((tmp_path / ALIAS.text / NEXT).stat().st_mode) == 0o600


def test_a_next_key_that_is_live_gives_way_to_its_successor(store: Store) -> None:
    coming = new_key()
    issue(store, coming)
    store.save_next_key(ALIAS, coming)
    assert store.lineage(ALIAS).next_key_used
    later = new_key()
    store.save_next_key(ALIAS, later)
    assert store.next_key(ALIAS).key_id == later.key_id


def test_a_next_key_that_nobody_has_used_stays(store: Store) -> None:
    issue(store, new_key())
    coming = new_key()
    store.save_next_key(ALIAS, coming)
    with pytest.raises(FileTrouble, match="not in use yet"):
        store.save_next_key(ALIAS, new_key())
    assert store.next_key(ALIAS).key_id == coming.key_id


def test_what_is_no_key_is_said_and_stays(store: Store, tmp_path: Path) -> None:
    issue(store, new_key())
    (tmp_path / ALIAS.text / NEXT).write_text("hello", encoding="ascii")
    assert NEXT in store.lineage(ALIAS).next_key_trouble
    with pytest.raises(UnusableKey):
        store.next_key(ALIAS)
    with pytest.raises(FileTrouble):
        store.save_next_key(ALIAS, new_key())
    assert (tmp_path / ALIAS.text / NEXT).read_text(encoding="ascii") == "hello"


def test_there_is_none(store: Store) -> None:
    issue(store, new_key())
    with pytest.raises(UnusableKey, match=NEXT):
        store.next_key(ALIAS)
    assert store.lineage(Alias("nobody.example.org")).next_key_id is None


def test_it_is_removed_and_what_is_no_key_stays(store: Store, tmp_path: Path) -> None:
    issue(store, new_key())
    store.remove_next_key(ALIAS)
    store.save_next_key(ALIAS, new_key())
    store.remove_next_key(ALIAS)
    assert store.lineage(ALIAS).next_key_id is None
    (tmp_path / ALIAS.text / NEXT).write_text("hello", encoding="ascii")
    store.remove_next_key(ALIAS)
    assert (tmp_path / ALIAS.text / NEXT).exists()
