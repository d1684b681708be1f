"""Disks that are full or read-only, before a run and in the middle of it."""

import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from builders.page import Page
from integration.resources.scene import Fault, Scene, interrupted_ca

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
Mount = Callable[[Path, str], None]
FULL = Fault(("no space left on device", "disk is full", "disk I/O error"))
READ_ONLY = Fault(("read-only file system", "disk I/O error", "readonly database", "unable to open database file"))
_PAGE = os.sysconf("SC_PAGE_SIZE")


def fill(folder: Path, room: int) -> None:
    """Leave that many pages of a tmpfs."""
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize // _PAGE
    (folder / "ballast").write_bytes(bytes((free - room) * _PAGE))


def use_up_names(folder: Path, room: int) -> None:
    """Leave that many inodes."""
    (folder / "ballast").mkdir()
    for number in range(os.statvfs(folder).f_favail - room):
        (folder / "ballast" / str(number)).touch()


def make_room(folder: Path) -> None:
    ballast = folder / "ballast"
    if ballast.is_dir():
        for path in ballast.iterdir():
            path.unlink()
        ballast.rmdir()
    else:
        ballast.unlink(missing_ok=True)


def full_disk(scene: Scene, folder: Path, spend: Callable[[Path, int], None], levels: Iterable[int]) -> list[int]:
    """The levels at which the run failed."""
    failed = []
    for level in levels:
        make_room(folder)
        scene.restore()
        spend(folder, level)
        done = scene.page.run()
        scene.assert_let_down(done, FULL)
        if done.code:
            failed.append(level)
            assert "df " in "".join(done.hints), done.text
        make_room(folder)
        scene.assert_next_run_finishes()
    return failed


def mounted(scene: Scene, folder: Path, mount: Mount, options: str) -> Path:
    mount(folder, options)
    scene.restore()
    return folder


def test_certdir_on_a_full_disk(scene: Scene, mount: Mount) -> None:
    folder = mounted(scene, scene.page.certs, mount, "size=512k")
    assert full_disk(scene, folder, fill, [0, 6]) == [0, 6]


def test_statedir_on_a_full_disk(scene: Scene, mount: Mount) -> None:
    folder = mounted(scene, scene.state, mount, "size=256k")
    assert 0 in full_disk(scene, folder, fill, [0, 2])
    scene.assert_settled()


@pytest.mark.long
def test_certdir_on_a_full_disk_at_every_level(scene: Scene, mount: Mount) -> None:
    folder = mounted(scene, scene.page.certs, mount, "size=512k")
    failed = full_disk(scene, folder, fill, range(24))
    assert len(failed) > 8


@pytest.mark.long
def test_statedir_on_a_full_disk_at_every_level(scene: Scene, mount: Mount) -> None:
    folder = mounted(scene, scene.state, mount, "size=256k")
    assert full_disk(scene, folder, fill, range(8))


@pytest.mark.long
@pytest.mark.parametrize("which", ["certs", "state"])
def test_no_inode_is_left(scene: Scene, mount: Mount, which: str) -> None:
    folder = scene.page.certs if which == "certs" else scene.state
    mounted(scene, folder, mount, "nr_inodes=120")
    failed = full_disk(scene, folder, use_up_names, range(0, 24, 1 if which == "certs" else 4))
    assert 0 in failed


def test_a_journal_that_is_to_begin_on_a_full_disk(make_page: MakePage, zone: str, mount: Mount) -> None:
    """Nothing is begun at the CA that cannot be written down."""
    page = make_page(zone)
    state = page.folder / "state"
    mount(state, "size=128k")
    fill(state, 2)
    page.world.pebble.forget()
    done = page.run()
    assert done.code == 1
    assert str(state) in done.only_error()
    assert "df -h" in "".join(done.hints)
    assert page.world.pebble.counts()["POST", "/order-plz"] == 0
    make_room(state)
    again = page.run()
    assert (again.code, again.err) == (0, ""), again.text


# --- read-only --------------------------------------------------------------------------------------------------------


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


@pytest.mark.parametrize("which", ["certs", "state"])
def test_read_only_from_the_beginning(scene: Scene, mount: Mount, which: str) -> None:
    folder = mounted(scene, scene.page.certs if which == "certs" else scene.state, mount, "size=1m")
    remount(folder, "ro")
    scene.page.world.pebble.forget()
    done = scene.page.run()
    assert done.code == 1, done.text
    assert scene.assert_let_down(done, READ_ONLY) == set()
    assert "findmnt" in "".join(done.hints)
    assert scene.page.world.pebble.counts()["POST", "/order-plz"] == 0
    remount(folder, "rw")
    scene.assert_next_run_finishes()


def test_a_read_only_base_folder(scene: Scene, mount: Mount) -> None:
    """The lock is made there, and nothing is begun without it."""
    locks = scene.page.folder / "run"
    mount(locks, "size=64k")
    scene.page.configure(LOCKFILE=f"{locks}/lock")
    remount(locks, "ro")
    done = scene.page.run()
    assert done.code == 1
    assert f"{locks}/lock" in done.only_error()
    assert scene.assert_let_down(done, READ_ONLY) == set()
    remount(locks, "rw")
    scene.assert_next_run_finishes()


def turn_read_only(folder: Path) -> None:
    """Also where files are open for writing, as when the kernel gives a failing disk up."""
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("/order-plz", marks=pytest.mark.long),
        "/chalZ",
        pytest.param("/finalize-order", marks=pytest.mark.long),
        pytest.param("/certZ", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("which", ["certs", "state", "lock"])
def test_read_only_in_the_middle(scene: Scene, mount: Mount, tmp_path: Path, which: str, kind: str) -> None:
    places = {"certs": scene.page.certs, "state": scene.state, "lock": scene.page.folder / "run"}
    folder = mounted(scene, places[which], mount, "size=1m")
    if which == "lock":
        scene.page.configure(LOCKFILE=f"{folder}/lock")
    with interrupted_ca(scene.page, tmp_path, kind, lambda: turn_read_only(folder)):
        done = scene.page.run()
        subprocess.run(["umount", str(folder)], check=True)
        renewed = scene.assert_let_down(done, READ_ONLY)
        if which == "lock":
            assert renewed == set(scene.aliases), done.text
            assert "2 issued" in done.out, "what was done is not told"
        scene.assert_next_run_finishes()
