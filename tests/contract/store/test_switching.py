"""Versions in the making, staged, switched, switched back; seen by readers, by dehydrated and under odd conditions."""

import errno
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pytest

from builders.certificates import new_key, version_files
from builders.effects import in_child, recorded, watched
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.keys import parse_own
from certkeeper.adapters.store import Store
from certkeeper.lineage import layout
from certkeeper.lineage.model import BadChain, Draft, UnusableKey
from contract.store.folders import (
    ALIAS,
    NOW_STAMP,
    OLD_STAMP,
    Pair,
    dehydrated_folder,
    issue,
    key_id_of_chain,
    link,
    look,
    pair_of,
    plain_folder,
    private_file,
)


def test_a_first_version_has_dehydrateds_names_and_ours(store: Store, folder: Path) -> None:
    key = new_key()
    stamp = issue(store, key)
    assert store.lineage(ALIAS).key_id == key.key_id
    assert (folder / ".live").readlink() == Path(f".versions/{stamp}")
    for name in layout.NAMES:
        assert (folder / name).readlink() == Path(f".live/{name}")
        stamped = folder / layout.stamped_name(name, stamp)
        assert stamped.samefile(folder / name)
        assert not stamped.is_symlink()


def test_a_staged_version_is_shown_under_stamped_names_before_it_is_live(store: Store, folder: Path) -> None:
    issue(store, new_key(), OLD_STAMP)
    before = {name: (folder / name).read_bytes() for name in layout.NAMES}
    key = new_key()
    draft = store.begin(ALIAS, NOW_STAMP)
    store.save_key(draft, key)
    files = version_files(key)
    store.stage(draft, files)
    shown = store.show(ALIAS, draft.stamp)
    assert shown == {name: layout.stamped_name(name, draft.stamp) for name in layout.NAMES}
    assert {name: (folder / shown[name]).read_bytes() for name in layout.NAMES} == {
        name: content for name, content in layout.by_name(files).items() if name in layout.NAMES
    }
    assert {name: (folder / name).read_bytes() for name in layout.NAMES} == before


def test_a_key_that_a_person_put_there_is_shown_as_the_versions(store: Store, folder: Path) -> None:
    key = new_key()
    folder.mkdir(parents=True)
    private_file(folder / "privkey.pem", key.pem)
    draft = store.begin(ALIAS, NOW_STAMP)
    store.save_key(draft, key)
    store.stage(draft, version_files(key))
    shown = store.show(ALIAS, draft.stamp)
    assert (folder / shown[layout.PRIVKEY]).read_bytes() == key.pem
    assert not (folder / layout.stamped_name(layout.PRIVKEY, draft.stamp)).exists()


@pytest.mark.parametrize("umask", [0o000, 0o077], ids=oct)
def test_modes_do_not_depend_on_the_umask(store: Store, folder: Path, umask: int) -> None:
    def child() -> None:
        os.umask(umask)
        issue(store, new_key())

    assert in_child(child) == 0
    entries = [folder.parent, folder, *folder.rglob("*")]
    real = [entry for entry in entries if not entry.is_symlink()]
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in real if entry.is_dir()} == {0o700}
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in real if entry.is_file()} == {0o600}


def test_files_are_private_from_the_first_byte(store: Store, folder: Path) -> None:
    seen: set[int] = set()

    def act(name: str, _: FrameType) -> None:
        if name in {"write", "fsync", "rename"}:
            files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
            seen.update(stat.S_IMODE(path.stat().st_mode) for path in files)

    before = os.umask(0)
    try:
        with watched(act):
            issue(store, new_key())
    finally:
        os.umask(before)
    assert seen == {0o600}


def test_an_existing_folders_mode_is_left_alone(store: Store, folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o750)
    issue(store, new_key())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_a_stamp_that_exists_is_increased_by_one(store: Store, folder: Path) -> None:
    first = issue(store, new_key())
    dehydrated_folder(folder, version_files(new_key()), NOW_STAMP + 1)
    assert (first, issue(store, new_key())) == (NOW_STAMP, NOW_STAMP + 2)


def test_a_staged_version_is_not_live(store: Store, folder: Path) -> None:
    issue(store, new_key())
    before = look(folder)
    draft = store.begin(ALIAS, NOW_STAMP + 5)
    store.stage(draft, version_files(new_key()))
    assert look(folder) == before


def test_staging_twice_is_staging_once(store: Store) -> None:
    draft = store.begin(ALIAS, NOW_STAMP)
    files = version_files(new_key())
    store.stage(draft, files)
    again = replace(files, csr=b"signed once more\n")
    assert "write" not in recorded(lambda: store.stage(draft, again))
    with pytest.raises(FileTrouble, match="is there already, with other contents"):
        store.stage(draft, version_files(new_key()))


def test_activating_twice_is_activating_once(store: Store, folder: Path) -> None:
    stamp = issue(store, new_key())
    before = {path: path.lstat().st_ino for path in folder.rglob("*") if path.name != ".live"}
    store.activate(ALIAS, stamp)
    assert {path: path.lstat().st_ino for path in folder.rglob("*") if path.name != ".live"} == before


def test_what_must_last_is_fsynced_before_it_is_shown(store: Store) -> None:
    issue(store, new_key())
    draft = Draft(ALIAS, NOW_STAMP + 5)
    files = version_files(new_key())
    staging = [name for name in recorded(lambda: store.stage(draft, files)) if name != "open"]
    assert staging == ["mkdir", "fsync"] + ["write", "fsync", "rename"] * 5 + ["fsync", "rename", "fsync"]
    switching = [name for name in recorded(lambda: store.activate(ALIAS, draft.stamp)) if name != "open"]
    assert switching == ["fsync"] * 3 + ["fsync", "link"] * 5 + ["symlink", "rename", "fsync"]


def test_links_of_dehydrateds_are_durable_before_the_switch(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, version_files(new_key()))
    draft = store.begin(ALIAS, NOW_STAMP)
    store.stage(draft, version_files(new_key()))
    effects = [name for name in recorded(lambda: store.activate(ALIAS, draft.stamp)) if name != "open"]
    adopting = ["mkdir", "fsync", "fsync", "rename"] + ["fsync", "link"] * 5 + ["fsync", "rename", "fsync"]
    leading = ["symlink", "rename", "fsync"] + ["symlink", "rename"] * 5 + ["fsync"]
    assert effects == ["fsync"] * 3 + adopting + leading + ["fsync", "link"] * 5 + ["symlink", "rename", "fsync"]


def test_rolling_back_is_the_same_rename(store: Store, folder: Path) -> None:
    first = issue(store, new_key())
    before = look(folder)
    issue(store, new_key())
    assert look(folder) != before
    store.activate(ALIAS, first)
    assert look(folder) == before
    assert store.lineage(ALIAS).stamp == first


def test_dehydrateds_last_version_can_be_rolled_back_to(store: Store, folder: Path) -> None:
    files = version_files(new_key())
    dehydrated_folder(folder, files)
    issue(store, new_key())
    store.activate(ALIAS, OLD_STAMP)
    assert look(folder) == pair_of(files)
    assert store.lineage(ALIAS).stamp == OLD_STAMP


def test_a_plain_key_is_kept_before_a_new_one_takes_over(store: Store, folder: Path) -> None:
    files = version_files(new_key())
    plain_folder(folder, files)
    inode = (folder / "privkey.pem").stat().st_ino
    issue(store, new_key())
    kept = folder / f"privkey-{OLD_STAMP}.pem"
    assert (kept.stat().st_ino, kept.read_bytes()) == (inode, files.privkey)
    assert (folder / ".versions" / str(OLD_STAMP) / "privkey.pem").read_bytes() == files.privkey


def test_a_kept_key_takes_nobodys_name(store: Store, folder: Path) -> None:
    files = version_files(new_key())
    plain_folder(folder, files)
    private_file(folder / f"privkey-{OLD_STAMP}.pem", b"another\n")
    issue(store, new_key())
    assert (folder / f"privkey-{OLD_STAMP}.pem").read_bytes() == b"another\n"
    assert (folder / f"privkey-{OLD_STAMP + 1}.pem").read_bytes() == files.privkey


def test_a_plain_key_that_was_exchanged_after_a_version_is_kept_too(store: Store, folder: Path) -> None:
    plain_folder(folder, version_files(key := new_key()))
    issue(store, key)
    exchanged = new_key()
    private_file(folder / "privkey.pem", exchanged.pem)
    issue(store, new_key(), NOW_STAMP + 5)
    kept = [path.read_bytes() for path in folder.glob("privkey-*.pem")]
    assert exchanged.pem in kept


def test_a_link_out_of_the_folder_is_replaced_and_its_file_untouched(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    files = version_files(new_key())
    dehydrated_folder(folder, files)
    for name in layout.NAMES:
        private_file(tmp_path / name, layout.by_name(files)[name])
        link(folder / name, f"../../{name}")
    stamp = issue(store, key := new_key())
    assert store.lineage(ALIAS).key_id == key.key_id
    assert {name: (tmp_path / name).read_bytes() for name in layout.NAMES} == layout.by_name(files)
    assert (folder / "cert.pem").readlink() == Path(".live/cert.pem")
    assert not (folder / ".versions" / str(stamp) / "cert.pem").is_symlink()


def test_a_versions_folder_that_is_a_link_is_refused(store: Store, folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    (tmp_path / "away").mkdir()
    link(folder / ".versions", "../../away")
    with pytest.raises(FileTrouble, match=r"\.versions"):
        store.begin(ALIAS, NOW_STAMP)
    assert not list((tmp_path / "away").iterdir())


def test_a_folder_in_a_files_place_is_named_and_nothing_is_changed(store: Store, folder: Path) -> None:
    files = version_files(new_key())
    dehydrated_folder(folder, files)
    (folder / "chain.pem").unlink()
    (folder / "chain.pem").mkdir()
    draft = store.begin(ALIAS, NOW_STAMP)
    store.stage(draft, version_files(new_key()))
    with pytest.raises(FileTrouble, match=r"chain\.pem: neither a file nor a link"):
        store.activate(ALIAS, draft.stamp)
    assert (folder / "privkey.pem").read_bytes() == files.privkey
    assert not (folder / ".live").exists()


def test_a_torn_version_never_goes_live(store: Store, folder: Path) -> None:
    issue(store, new_key())
    before = look(folder)
    files, other = version_files(new_key()), new_key()
    draft = store.begin(ALIAS, NOW_STAMP + 5)
    store.stage(draft, type(files)(other.pem, files.csr, files.cert, files.chain, files.fullchain))
    with pytest.raises(BadChain, match=r"privkey\.pem is not the key of cert\.pem"):
        store.activate(ALIAS, draft.stamp)
    assert look(folder) == before


def test_an_incomplete_version_never_goes_live(store: Store, folder: Path) -> None:
    issue(store, new_key())
    before = look(folder)
    (folder / ".versions" / "5").mkdir()
    with pytest.raises(FileTrouble, match=r"5/privkey\.pem"):
        store.activate(ALIAS, 5)
    private_file(folder / ".versions" / "5" / "privkey.pem", b"")
    with pytest.raises(UnusableKey, match="empty"):
        store.activate(ALIAS, 5)
    with pytest.raises(FileTrouble, match=r"\.versions/6"):
        store.activate(ALIAS, 6)
    assert look(folder) == before


def test_copies_do_where_hard_links_fail(store: Store, folder: Path) -> None:
    def no_hard_links(name: str, _: FrameType) -> None:
        if name == "link":
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    files = version_files(new_key())
    plain_folder(folder, files)
    with watched(no_hard_links):
        stamp = issue(store, key := new_key())
    assert store.lineage(ALIAS).key_id == key.key_id
    assert (folder / f"privkey-{OLD_STAMP}.pem").read_bytes() == files.privkey
    for name in layout.NAMES:
        stamped = folder / layout.stamped_name(name, stamp)
        assert stamped.read_bytes() == (folder / name).read_bytes()
        assert stat.S_IMODE(stamped.stat().st_mode) == 0o600


def test_certdir_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileTrouble, match=r"file/certs.*: not a directory"):
        Store(str(tmp_path / "file" / "certs")).begin(ALIAS, NOW_STAMP)


def test_a_reader_never_sees_a_mixed_or_missing_pair(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, version_files(new_key()))
    faults: list[str] = []
    looks = 0
    stop = threading.Event()

    def watch() -> None:
        nonlocal looks
        while not stop.is_set():
            looks += 1
            faults.extend(_faults(look(folder), look(folder)))

    reader = threading.Thread(target=watch)
    reader.start()
    try:
        for round_number in range(40):
            stamp = issue(store, key := new_key(), NOW_STAMP + 10 * round_number)
            if round_number % 4 == 3:
                # dehydrated writes; its own links are set one by one, which the reader must not be there for
                stop.set()
                reader.join()
                dehydrated_folder(folder, version_files(new_key()), stamp + 5)
                stop.clear()
                reader = threading.Thread(target=watch)
                reader.start()
            else:
                assert store.lineage(ALIAS).key_id == key.key_id
    finally:
        stop.set()
        reader.join()
    assert looks > 100
    assert not faults


def _faults(first: Pair | None, second: Pair | None) -> Iterator[str]:
    """What two looks in a row show of one version: all that was read between two readings of the same fullchain."""
    if first is None or second is None:
        yield "a name was missing"
    elif first.fullchain == second.fullchain:
        # No version comes back, so nothing was switched between the two readings.
        if first.cert + first.chain != first.fullchain:
            yield "cert, chain and fullchain do not belong together"
        if key_id_of(second.key) != key_id_of_chain(first.fullchain):
            yield "the key is not the certificate's"


def key_id_of(pem: bytes) -> str:
    return parse_own(pem, "privkey.pem").key_id
