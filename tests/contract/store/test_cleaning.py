"""Cleanup takes dehydrated's unused files away, and nothing that anybody uses, made by hand or keeps elsewhere."""

import os
import shutil
import stat
from functools import partial
from pathlib import Path

import pytest

from builders.certificates import NOW, new_key, version_files
from builders.effects import killed_before
from builders.listing import names
from certkeeper.adapters.cleaning import clean
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.store import Store
from certkeeper.lineage import layout
from certkeeper.lineage.cleanup import Cleared, Clearing
from certkeeper.lineage.mending import Mended
from certkeeper.lineage.retention import StillTorn
from contract.store.folders import ALIAS, NOW_STAMP, OLD_STAMP, dehydrated_folder, issue, link, look, private_file

OLDER_STAMP = OLD_STAMP - 1000
KEYS = [new_key() for _ in range(3)]
FILES = [version_files(key) for key in KEYS]


def stamped(stamp: int) -> list[str]:
    return sorted(layout.stamped_name(name, stamp) for name in layout.NAMES)


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    """Two sets of dehydrated's, of which the newer one is in use."""
    folder = tmp_path / "certs" / ALIAS.text
    dehydrated_folder(folder, FILES[0], OLDER_STAMP)
    dehydrated_folder(folder, FILES[1], OLD_STAMP)
    return tmp_path / "certs"


@pytest.fixture
def folder(certs: Path) -> Path:
    return certs / ALIAS.text


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def archived(certs: Path, archive: Path) -> list[Cleared]:
    """What was done; nothing went wrong."""
    told: list[Cleared] = []
    assert clean(str(certs), str(archive), told.append) == ()
    return told


def deleted(certs: Path) -> list[Cleared]:
    told: list[Cleared] = []
    assert clean(str(certs), None, told.append) == ()
    return told


@pytest.mark.row("G26")
def test_the_old_set_goes_into_the_archive(certs: Path, folder: Path, archive: Path) -> None:
    before = look(folder)
    (folder / "privkey.roll.pem").write_bytes(b"the next key")
    done = archived(certs, archive)
    assert [item.name for item in done] == [
        layout.stamped_name(name, OLDER_STAMP)
        for name in ("cert.csr", "cert.pem", "chain.pem", "fullchain.pem", "privkey.pem")
    ]
    assert {item.clearing for item in done} == {Clearing.ARCHIVED}
    assert names(archive / ALIAS.text) == stamped(OLDER_STAMP)
    assert set(stamped(OLDER_STAMP)).isdisjoint(names(folder))
    assert (archive / ALIAS.text / f"privkey-{OLDER_STAMP}.pem").read_bytes() == FILES[0].privkey
    assert stat.S_IMODE((archive / ALIAS.text).stat().st_mode) == 0o700
    assert stat.S_IMODE((archive / ALIAS.text / f"privkey-{OLDER_STAMP}.pem").stat().st_mode) == 0o600
    assert look(folder) == before
    assert "privkey.roll.pem" in names(folder)
    assert archived(certs, archive) == []


@pytest.mark.row("I07")
def test_deleted_instead_there_is_no_archive(certs: Path, folder: Path, archive: Path) -> None:
    before = look(folder)
    done = deleted(certs)
    assert sorted(item.name for item in done) == stamped(OLDER_STAMP)
    assert {item.clearing for item in done} == {Clearing.DELETED}
    assert not archive.exists()
    assert look(folder) == before
    assert deleted(certs) == []


def test_what_is_ours_stays_whole(certs: Path, folder: Path, archive: Path) -> None:
    store = Store(str(certs))
    issue(store, KEYS[2])
    before = look(folder)
    archived(certs, archive)
    # The set that was in use became a version, and lost its stamped names only; the one that is live keeps them.
    assert names(archive / ALIAS.text) == sorted([*stamped(OLDER_STAMP), *stamped(OLD_STAMP)])
    assert set(stamped(NOW_STAMP)) <= set(names(folder))
    assert look(folder) == before
    assert [(item.stamp, item.trouble) for item in store.versions(ALIAS)] == [(NOW_STAMP, ""), (OLD_STAMP, "")]
    store.activate(ALIAS, OLD_STAMP)
    deleted(certs)
    assert set(stamped(NOW_STAMP)).isdisjoint(names(folder))
    store.activate(ALIAS, NOW_STAMP)
    assert look(folder) == before


def test_without_hard_links_the_live_set_keeps_its_names(
    certs: Path, folder: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    issue(Store(str(certs)), KEYS[2])
    archived(certs, archive)
    assert set(stamped(NOW_STAMP)) <= set(names(folder))
    assert names(archive / ALIAS.text) == sorted([*stamped(OLDER_STAMP), *stamped(OLD_STAMP)])


def test_what_a_person_named_or_links_to_stays(certs: Path, folder: Path, archive: Path) -> None:
    for name in ("cert-backup.pem", "privkey-.pem", "privkey-mine.pem", "cert-1.pem.bak"):
        private_file(folder / name, b"a person's")
    link(folder / "before.pem", f"fullchain-{OLDER_STAMP}.pem")
    (folder / "cert-7.pem").mkdir()
    link(folder / "chain-8.pem", "chain.pem")
    done = archived(certs, archive)
    assert sorted(item.name for item in done) == [
        name for name in stamped(OLDER_STAMP) if not name.startswith("fullchain")
    ]


def test_failed_attempts_and_staples_go_too(certs: Path, folder: Path, archive: Path) -> None:
    private_file(folder / "cert-5.pem", b"")
    for stamp in (5, 6):
        private_file(folder / f"ocsp-{stamp}.der", b"answer")
    link(folder / "ocsp.der", "ocsp-6.der")
    found = {item.name for item in archived(certs, archive)}
    assert found == {"cert-5.pem", "ocsp-5.der", *stamped(OLDER_STAMP)}
    assert (folder / "ocsp.der").read_bytes() == b"answer"


def test_links_to_nothing_go_and_other_folders_are_looked_at(certs: Path, archive: Path) -> None:
    other = certs / "not listed"
    other.mkdir()
    link(other / "ocsp.der", "ocsp-1.der")
    (certs / ".hidden").mkdir()
    private_file(certs / ".hidden" / "cert-1.pem", b"")
    private_file(certs / "cert-1.pem", b"")
    assert Cleared(str(other), "ocsp.der", Clearing.UNLINKED) in archived(certs, archive)
    assert names(other) == []
    assert names(archive) == [ALIAS.text, "not listed"]
    assert names(certs / ".hidden") == ["cert-1.pem"]


def test_a_revoked_certificate_stays_to_be_seen_until_another_one_is_there(
    certs: Path, folder: Path, archive: Path
) -> None:
    cert = folder / f"cert-{OLD_STAMP}.pem"
    cert.rename(f"{cert}-revoked")
    private_file(folder / f"cert-{OLDER_STAMP}.pem-revoked", b"")
    done = {item.name for item in archived(certs, archive)}
    assert f"cert-{OLDER_STAMP}.pem-revoked" in done
    assert f"cert-{OLD_STAMP}.pem-revoked" in names(folder)
    assert (folder / "cert.pem").is_symlink()
    link(folder / "cert.pem", f"cert-{OLD_STAMP}.pem")
    cert.write_bytes(FILES[1].cert)
    assert {item.name for item in archived(certs, archive)} == {f"cert-{OLD_STAMP}.pem-revoked"}


def test_a_torn_folder_is_left_for_mending_and_stops_no_other_one(certs: Path, folder: Path, archive: Path) -> None:
    dehydrated_folder(certs / "whole", FILES[0], OLDER_STAMP)
    dehydrated_folder(certs / "whole", FILES[1], OLD_STAMP)
    link(folder / "privkey.pem", f"privkey-{OLDER_STAMP}.pem")
    before = names(folder)
    told: list[Cleared] = []
    (trouble,) = clean(str(certs), str(archive), told.append)
    assert isinstance(trouble, StillTorn)
    assert names(folder) == before
    assert {item.folder for item in told} == {str(certs / "whole")}
    assert isinstance(Store(str(certs)).mend(ALIAS, NOW), Mended)


def test_nothing_in_the_archive_is_overwritten(certs: Path, folder: Path, archive: Path) -> None:
    (archive / ALIAS.text).mkdir(parents=True)
    taken = f"cert-{OLDER_STAMP}.pem"
    private_file(archive / ALIAS.text / taken, b"another one")
    told: list[Cleared] = []
    (trouble,) = clean(str(certs), str(archive), told.append)
    assert isinstance(trouble, FileTrouble)
    assert taken in str(trouble)
    assert (archive / ALIAS.text / taken).read_bytes() == b"another one"
    assert (folder / taken).read_bytes() == FILES[0].cert
    assert len(told) == len(layout.NAMES) - 1


@pytest.mark.parametrize("keeping", ["archive", "nothing"])
def test_a_kill_anywhere_loses_nothing_that_is_kept(certs: Path, tmp_path: Path, keeping: str) -> None:
    before, contents = look(certs / ALIAS.text), _contents(certs / ALIAS.text)
    for number in range(1000):
        base = tmp_path / str(number)
        shutil.copytree(certs, base / "certs", symlinks=True)
        folder, archive = base / "certs" / ALIAS.text, base / "archive"
        into = str(archive) if keeping == "archive" else None
        act = partial(clean, str(base / "certs"), into, lambda _: None)
        killed = killed_before(number, act)
        assert look(folder) == before
        assert into is None or _contents(archive / ALIAS.text) | _contents(folder) == contents
        assert act() == ()
        assert set(stamped(OLDER_STAMP)).isdisjoint(names(folder))
        assert into is None or names(archive / ALIAS.text) == stamped(OLDER_STAMP)
        if not killed:
            assert number >= len(layout.NAMES)
            return
    pytest.fail("it never ended")


def _contents(folder: Path) -> dict[str, bytes]:
    found = folder.iterdir() if folder.exists() else ()
    return {path.name: path.read_bytes() for path in found if path.is_file() and not path.is_symlink()}


def test_without_certdir_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert deleted(tmp_path / "none") == []
