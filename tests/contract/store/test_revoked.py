"""A mark beside the versions says what was revoked; what is served stays as it is."""

import stat
from pathlib import Path

import pytest

from builders.certificates import new_key, version_files
from certkeeper.adapters.store import Store
from certkeeper.base.keys import KeyPair
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.revocation import Revocation
from contract.store.folders import ALIAS, NOW_STAMP, dehydrated_folder, issue, look, plain_folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def revocation(store: Store, reason: int) -> Revocation:
    leaf = parse_leaf(store.certificate(ALIAS))
    return Revocation(leaf.serial, leaf.key_id, reason)


@pytest.mark.parametrize("layout", ["ours", "dehydrated", "plain"])
def test_a_marked_certificate_is_served_on_and_known_as_revoked(tmp_path: Path, store: Store, layout: str) -> None:
    key, folder = new_key(), tmp_path / ALIAS.text
    if layout == "ours":
        issue(store, key)
    else:
        (dehydrated_folder if layout == "dehydrated" else plain_folder)(folder, version_files(key))
    before = look(folder)
    assert before is not None
    assert (store.lineage(ALIAS).revoked, store.lineage(ALIAS).compromised) == (None, False)
    store.mark_revoked(ALIAS, revocation(store, 4))
    assert (store.lineage(ALIAS).revoked, store.lineage(ALIAS).compromised) == (4, False)
    store.mark_revoked(ALIAS, revocation(store, 1))
    assert (store.lineage(ALIAS).revoked, store.lineage(ALIAS).compromised) == (1, True)
    assert look(folder) == before
    assert stat.S_IMODE((folder / ".revoked").stat().st_mode) == 0o600


def renewed(store: Store, key: KeyPair) -> tuple[int | None, bool]:
    issue(store, key, NOW_STAMP + 1)
    lineage = store.lineage(ALIAS)
    return lineage.revoked, lineage.compromised


def test_the_next_certificate_is_not_revoked_but_a_compromised_key_stays_that(store: Store) -> None:
    key = new_key()
    issue(store, key)
    store.mark_revoked(ALIAS, revocation(store, 1))
    assert renewed(store, key) == (None, True)
    assert renewed(store, new_key()) == (None, False)


def test_a_mark_that_cannot_be_read_says_nothing(tmp_path: Path, store: Store) -> None:
    issue(store, new_key())
    (tmp_path / ALIAS.text / ".revoked").mkdir()
    assert store.lineage(ALIAS).revoked is None
