import contextlib
import errno
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from builders.effects import CHANGES, failing_at, in_child, killed_before, recorded, watched
from builders.listing import names
from certkeeper.adapters.files import MAX_FILE, FileMissing, FileTrouble, Folder, read_file, temporary_name


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder.open(str(tmp_path)) as opened:
        yield opened


@contextlib.contextmanager
def small_file_system(place: Path, options: str) -> Iterator[None]:
    """A tmpfs of its own, unmounted at the end."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system takes root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_file_is_written_in_one_step_and_fsynced_before(folder: Folder, tmp_path: Path) -> None:
    assert recorded(lambda: folder.put("file", b"new")) == ["open", "write", "fsync", "rename"]
    assert (tmp_path / "file").read_bytes() == b"new"
    assert recorded(folder.sync) == ["fsync"]


def test_a_kill_leaves_the_old_content_or_the_new_one(folder: Folder, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / "file").write_bytes(b"old")
        alive = not killed_before(number, lambda: folder.put("file", b"new"))
        assert (tmp_path / "file").read_bytes() == (b"new" if alive else b"old")
        folder.sweep()
        assert names(tmp_path) == ["file"]
        if alive:
            return
    pytest.fail("writing a file has more than 20 changes")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_failure_leaves_the_old_content_and_no_temporary_file(folder: Folder, tmp_path: Path, code: int) -> None:
    for number in range(4):
        (tmp_path / "file").write_bytes(b"old")
        with pytest.raises(FileTrouble) as caught:
            failing_at(number, code, lambda: folder.put("file", b"new"))
        assert str(caught.value) == f"{tmp_path}/file: cannot write: {os.strerror(code).lower()}"
        assert caught.value.hint
        assert (tmp_path / "file").read_bytes() == b"old"
        assert names(tmp_path) == ["file"]


def test_a_short_write_is_continued(folder: Folder, tmp_path: Path) -> None:
    # A limit on the size of files makes write() write less first, then fail.
    def child() -> None:
        import resource  # noqa: PLC0415 - only the child is limited
        import signal  # noqa: PLC0415

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        with contextlib.suppress(FileTrouble):
            folder.put("file", b"x" * 200)
            os._exit(7)

    (tmp_path / "file").write_bytes(b"old")
    assert in_child(child) == 0
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("umask", [0o000, 0o077], ids=oct)
def test_files_and_folders_are_private_whatever_the_umask(folder: Folder, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        folder.put("file", b"")
        Folder.make(f"{tmp_path}/a/b").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a", tmp_path / "a" / "b")} == {0o700}


def test_a_link_in_the_files_place_is_replaced_and_its_target_untouched(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "file").symlink_to("target")
    folder.put("file", b"new")
    assert (tmp_path / "target").read_bytes() == b"old"
    assert not (tmp_path / "file").is_symlink()


def test_a_link_is_switched_in_one_step(folder: Folder, tmp_path: Path) -> None:
    folder.point("link", "a")
    assert recorded(lambda: folder.point("link", "b")) == ["symlink", "rename"]
    assert (tmp_path / "link").readlink() == Path("b")


def test_a_link_never_replaces_a_folder(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "link").mkdir()
    with pytest.raises(FileTrouble, match="cannot set the link: is a directory"):
        folder.point("link", "a")
    assert names(tmp_path) == ["link"]


def test_taking_makes_a_hard_link(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    folder.take(folder, "a", "b")
    folder.take(folder, "a", "b")
    assert (tmp_path / "a").samefile(tmp_path / "b")


def test_taking_never_replaces_another_file(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"y")
    with pytest.raises(FileTrouble, match="there is another file"):
        folder.take(folder, "a", "b")
    assert (tmp_path / "b").read_bytes() == b"y"


@pytest.mark.parametrize("code", [errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP])
def test_taking_copies_where_there_are_no_hard_links(folder: Folder, tmp_path: Path, code: int) -> None:
    def refuse(name: str, _: FrameType) -> None:
        if name == "link":
            raise OSError(code, os.strerror(code))

    (tmp_path / "a").write_bytes(b"x")
    with watched(refuse):
        folder.take(folder, "a", "b")
    assert (tmp_path / "b").read_bytes() == b"x"
    assert (tmp_path / "b").stat().st_nlink == 1


def test_taking_fails_where_a_copy_would_too(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    position = recorded(lambda: folder.take(folder, "a", "b")).index("link")
    (tmp_path / "b").unlink()
    with pytest.raises(FileTrouble, match="no space left"):
        failing_at(position, errno.ENOSPC, lambda: folder.take(folder, "a", "b"))


def test_a_child_is_a_real_folder(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "link").symlink_to("away")
    for open_child in (folder.child, folder.make_child):
        with pytest.raises(FileTrouble, match="link: cannot open the folder"):
            open_child("link")


def test_a_folder_that_is_there_is_only_opened(folder: Folder) -> None:
    folder.make_child("a").close()
    assert not CHANGES & set(recorded(lambda: folder.make_child("a").close()))


def test_a_folder_behind_a_dangling_link_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(FileMissing):
        Folder.make(f"{tmp_path}/link")
    assert not (tmp_path / "nowhere").exists()


def test_removing_a_folder_spares_what_is_not_ours(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("ours", "theirs"):
        (tmp_path / "a" / name).write_bytes(b"")
    with pytest.raises(FileTrouble, match="not empty"):
        folder.remove_child("a", ["ours", "missing"])
    assert names(tmp_path / "a") == ["theirs"]


def test_reading_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="file: cannot read: no such file"):
        read_file(f"{tmp_path}/file")
    with pytest.raises(FileTrouble, match="not a regular file"):
        read_file(str(tmp_path))
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(FileTrouble, match="not a regular file"):
        read_file(f"{tmp_path}/fifo")
    (tmp_path / "large").write_bytes(b"")
    os.truncate(tmp_path / "large", MAX_FILE + 1)
    with pytest.raises(FileTrouble, match="larger than 1 MiB"):
        read_file(f"{tmp_path}/large")
    os.truncate(tmp_path / "large", MAX_FILE)
    assert len(read_file(f"{tmp_path}/large")) == MAX_FILE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not")
def test_a_refused_permission_is_explained(tmp_path: Path) -> None:
    # Opened before, since the folders above are root's alone.
    with Folder.open(str(tmp_path)) as folder:

        def child() -> None:
            os.setuid(65534)
            try:
                folder.put("file", b"")
            except FileTrouble as error:
                if "cannot write: permission denied" in str(error) and error.hint.startswith("run as the owner"):
                    os._exit(5)

        assert in_child(child) == 5


def test_a_full_file_system_is_explained(tmp_path: Path) -> None:
    with small_file_system(tmp_path, "size=64k"), Folder.open(str(tmp_path)) as folder:
        folder.put("file", b"old")
        with pytest.raises(FileTrouble) as caught:
            folder.put("file", b"x" * 200_000)
        assert str(caught.value) == f"{tmp_path}/file: cannot write: no space left on device"
        assert caught.value.hint == f"make room: df -h {tmp_path}; df -i {tmp_path}"
        assert folder.read("file") == b"old"
        assert folder.names() == ["file"]


def test_a_file_system_without_inodes_is_explained(tmp_path: Path) -> None:
    with small_file_system(tmp_path, "size=1m,nr_inodes=3"), Folder.open(str(tmp_path)) as folder:
        folder.put("a", b"")
        folder.make_child("b").close()
        with pytest.raises(FileTrouble, match="cannot make the folder: no space left"):
            folder.make_child("c")


def test_a_read_only_file_system_is_explained(tmp_path: Path) -> None:
    with small_file_system(tmp_path, "size=64k,ro"), Folder.open(str(tmp_path)) as folder:
        for act in (
            lambda: folder.put("file", b""),
            lambda: folder.point("link", "a"),
            lambda: folder.make_child("a"),
        ):
            with pytest.raises(FileTrouble, match="read-only file system") as caught:
                act()
            assert caught.value.hint.startswith("the file system is mounted read-only: findmnt -T ")


def test_a_link_in_the_temporary_files_place_is_not_followed(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / temporary_name("file")).symlink_to("target")
    folder.put("file", b"new")
    assert (tmp_path / "target").read_bytes() == b"old"
    assert (tmp_path / "file").read_bytes() == b"new"
    assert not (tmp_path / "file").is_symlink()


def test_a_folder_that_a_killed_run_may_have_made_gets_its_name_fsynced(folder: Folder, tmp_path: Path) -> None:
    """Once, by whoever comes first to it and by everybody who finds it there."""
    for _ in range(2):
        assert recorded(lambda: folder.make_lasting_child("child").close()).count("fsync") == 1
        assert recorded(lambda: Folder.make_lasting(f"{tmp_path}/other").close()).count("fsync") == 1
    assert recorded(lambda: folder.make_child("child").close()).count("fsync") == 0
