"""Certificate folders as they stand on real machines: linked, mounted, shared with other files."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from builders.certificates import NOW, Wish, new_key, version_files
from builders.listing import names
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.store import Store
from certkeeper.lineage.mending import Mended
from certkeeper.lineage.retention import Retention
from contract.store.folders import ALIAS, dehydrated_folder, issue, link, look, private_file

AT = int(NOW.timestamp())
DAY = 86400
EVERYTHING = Retention(0, 0)


def whole_life(store: Store, folder: Path) -> None:
    """Taken over from dehydrated, renewed twice, torn, mended, pruned."""
    dehydrated_folder(folder, version_files(new_key()), AT - 100 * DAY)
    issue(store, new_key(), AT - 60 * DAY)
    last = issue(store, key := new_key(), AT - 10 * DAY)
    link(folder / "privkey.pem", f"privkey-{AT - 60 * DAY}.pem")
    assert isinstance(store.mend(ALIAS, NOW), Mended)
    # What was torn has the time of its files, which are made now.
    for removal in store.removable(ALIAS, EVERYTHING, NOW + timedelta(days=10_000)):
        store.remove(ALIAS, removal)
    assert [version.stamp for version in store.versions(ALIAS)] == [last]
    shown = look(folder)
    assert shown is not None
    assert shown.key == key.pem
    assert len(list(folder.glob(f"*-{AT - 100 * DAY}.*"))) == 5
    assert not list(folder.glob(f"*-{AT - 60 * DAY}.*"))


def test_a_folder_that_is_a_link_works_and_stays_one(store: Store, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder.parent.mkdir()
    folder.symlink_to("../elsewhere")
    whole_life(store, folder)
    assert folder.readlink() == Path("../elsewhere")
    assert ".live" in names(tmp_path / "elsewhere")


def test_a_certdir_that_is_a_link_works_and_stays_one(store: Store, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder.parent.symlink_to("elsewhere")
    whole_life(store, folder)
    assert folder.parent.readlink() == Path("elsewhere")


@pytest.mark.parametrize("certdir", [False, True])
def test_a_folder_in_a_circle_is_named(store: Store, folder: Path, *, certdir: bool) -> None:
    guilty = folder.parent if certdir else folder
    guilty.parent.mkdir(exist_ok=True)
    guilty.symlink_to(guilty.name)
    found = store.lineage(ALIAS)
    assert "symbolic links" in found.trouble
    with pytest.raises(FileTrouble, match=r"certs.*symbolic links"):
        store.begin(ALIAS, AT)


def test_live_in_a_circle_is_named_and_left_alone(store: Store, folder: Path) -> None:
    issue(store, new_key(), AT - 60 * DAY)
    (folder / ".live").unlink()
    (folder / ".live").symlink_to(".live")
    assert "symbolic links" in store.lineage(ALIAS).trouble
    with pytest.raises(FileTrouble, match=r"privkey\.pem.*symbolic links"):
        issue(store, new_key(), AT)
    assert (folder / ".live").readlink() == Path(".live")


def test_a_link_to_no_folder_is_named(store: Store, folder: Path) -> None:
    folder.parent.mkdir()
    folder.symlink_to("../elsewhere")
    assert store.mend(ALIAS, NOW) is None
    assert store.removable(ALIAS, EVERYTHING, NOW) == ()
    with pytest.raises(FileTrouble, match=r"example\.org"):
        store.begin(ALIAS, AT)


@pytest.fixture
def mounted(folder: Path, tmp_path: Path) -> Iterator[None]:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting takes root")
    (tmp_path / "elsewhere").mkdir()
    folder.mkdir(parents=True)
    done = subprocess.run(["mount", "--bind", tmp_path / "elsewhere", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.usefixtures("mounted")
def test_a_mount_point_works_and_stays_one(store: Store, folder: Path, tmp_path: Path) -> None:
    before = folder.stat().st_ino
    whole_life(store, folder)
    assert folder.is_mount() or folder.stat().st_ino == before
    assert ".live" in names(tmp_path / "elsewhere")


def test_other_peoples_files_stay_byte_for_byte(store: Store, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "sub" / ".versions" / "1").mkdir(parents=True)
    private_file(folder / "sub" / ".versions" / "1" / "cert.pem", b"theirs")
    for name in ("config", "privkey.roll.pem", "ocsp-1700000000.der", "cert-old.pem", "privkey-1.pem.bak", ".hidden"):
        private_file(folder / name, f"{name} of somebody's".encode())
        os.utime(folder / name, (1_600_000_000, 1_600_000_000))
    link(folder / "combined.pem", "/etc/ssl/combined.pem")
    os.mkfifo(folder / "fifo")
    theirs = list(folder.rglob("*"))
    before = [_identity(path) for path in theirs]
    whole_life(store, folder)
    assert [_identity(path) for path in theirs] == before


def _identity(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
    return (status.st_ino, status.st_mode, status.st_mtime_ns if content is not None else 0, content)


def test_a_lineage_without_hard_links_lives_its_life_in_copies(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    # The system's call, and nothing of ours: file systems without hard links (vfat) have no owners and modes either.
    monkeypatch.setattr(os, "link", refused)
    whole_life(store, folder)
    assert {path.stat().st_nlink for path in folder.rglob("*.pem") if path.is_file()} == {1}


def test_a_version_from_before_the_leafs_time_counts_by_its_leaf(store: Store) -> None:
    """An order that waited for weeks: the stamp is old, the certificate is not."""
    issue(store, new_key(), AT - 100 * DAY)
    draft = store.begin(ALIAS, AT - 90 * DAY)
    began = NOW - timedelta(days=5)
    store.stage(draft, version_files(new_key(), Wish(not_before=began)))
    store.activate(ALIAS, draft.stamp)
    assert store.removable(ALIAS, Retention(0, 30), NOW) == ()
