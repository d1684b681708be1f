"""A look with the index gives what one without it gives, after any change to a folder."""

import time
from pathlib import Path

import pytest

from builders.certificates import new_key, version_files
from certkeeper.adapters.folders import Folders
from certkeeper.adapters.index import SETTLED, Index
from certkeeper.adapters.looks import Looks, lineage_of, row_of
from certkeeper.adapters.store import Store
from certkeeper.base.names import Identifier
from certkeeper.base.times import from_epoch
from certkeeper.base.value import field_names, replace
from certkeeper.lineage import layout
from certkeeper.lineage.model import Dropped, Lineage, Origin
from certkeeper.lineage.revocation import KEY_COMPROMISE, Revocation, write_revocations
from contract.store.folders import ALIAS, NOW_STAMP, issue
from contract.store.scenes import SCENES, Scene


def looks(tmp_path: Path) -> Looks:
    return Looks(Folders(str(tmp_path / "certs")), index_of(tmp_path))


def index_of(tmp_path: Path) -> Index:
    return Index(str(tmp_path / "state"), lambda: time.time_ns() + 2 * SETTLED)


def looked(tmp_path: Path) -> Lineage:
    """What is known after this goes into the index, as at the end of a run."""
    index = index_of(tmp_path)
    found = Looks(Folders(str(tmp_path / "certs")), index).lineage(ALIAS)
    assert found == Store(str(tmp_path / "certs")).lineage(ALIAS)
    index.keep()
    return found


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_it_is_what_the_store_says_before_and_after_any_file_changes(tmp_path: Path, scene: Scene) -> None:
    certs = tmp_path / "certs"
    certs.mkdir()
    scene.arrange(certs / ALIAS.text)
    store = Store(str(certs))
    first = looked(tmp_path)
    assert looked(tmp_path) == first
    if first.sound:
        assert store.mend(ALIAS, from_epoch(NOW_STAMP)) is None, "what is sound needs no mending"
    other = version_files(new_key())
    swaps = {layout.PRIVKEY: other.privkey, layout.CERT: other.cert, layout.CHAIN: b"", layout.FULLCHAIN: other.cert}
    for name in (*swaps, layout.NEXT_KEY, layout.REVOKED, layout.live_target(layout.ORIGIN)):
        path = certs / ALIAS.text / name
        if not path.parent.is_dir():
            continue
        before = path.read_bytes() if path.is_file() else None
        path.write_bytes(swaps.get(name, other.privkey))
        looked(tmp_path)
        path.write_bytes(b"nothing")
        looked(tmp_path)
        path.unlink()
        looked(tmp_path)
        if before is not None:
            path.write_bytes(before)
            looked(tmp_path)


def test_what_was_swapped_behind_the_link_is_noticed(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "certs"))
    first = issue(store, new_key())
    issue(store, new_key(), first + 10)
    before = looked(tmp_path)
    store.activate(ALIAS, first)
    assert looked(tmp_path) != before


def test_a_sound_lineage_is_not_opened_again(tmp_path: Path) -> None:
    issue(Store(str(tmp_path / "certs")), new_key())
    before = looked(tmp_path)
    again = looks(tmp_path)
    assert again.lineage(ALIAS) == before
    assert "_store" not in vars(again)


def test_whatever_is_odd_is_looked_at_anew(tmp_path: Path) -> None:
    folder = tmp_path / "certs" / ALIAS.text
    issue(Store(str(tmp_path / "certs")), new_key())
    (folder / layout.NEXT_KEY).write_bytes(b"no key")
    assert looked(tmp_path).next_key_trouble
    again = looks(tmp_path)
    again.lineage(ALIAS)
    assert "_store" in vars(again)


def test_everything_that_a_lineage_says_is_remembered(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "certs"))
    key = new_key()
    issue(store, key)
    found = store.lineage(ALIAS)
    assert found.leaf is not None
    folder = tmp_path / "certs" / ALIAS.text
    (folder / layout.NEXT_KEY).write_bytes(new_key().pem)
    revoked = Revocation(found.leaf.serial, key.key_id, KEY_COMPROMISE)
    (folder / layout.REVOKED).write_bytes(write_revocations((), revoked))
    dropped = (Dropped(Identifier.parse("ip:192.0.2.1"), "inputs", "why"),)
    origin = Origin("https://ca.example/dir", "profile", must_staple=True, test=True, dropped=dropped)
    leaf = replace(found.leaf, ocsp_url="http://ocsp.example/", must_staple=True, authority_key_id="ab")
    whole = replace(store.lineage(ALIAS), origin=origin, leaf=leaf)
    troubles = {"trouble", "key_trouble", "disagreement", "next_key_trouble"}
    for name in set(field_names(whole) or ()) - troubles:
        assert getattr(whole, name) not in {None, False, ""}, name
    assert lineage_of(ALIAS, row_of(whole)) == whole
