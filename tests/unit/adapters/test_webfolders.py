import os
from pathlib import Path

import pytest

from certkeeper.adapters.files import FileTrouble, temporary_name
from certkeeper.adapters.webfolders import FolderUnusable, WebFolders
from certkeeper.apply.ports import ServedFile

FILES = WebFolders()


def served(folder: Path, mode: int = 0o644) -> ServedFile:
    return ServedFile(str(folder), "token", b"token.print", mode)


@pytest.mark.parametrize("mode", [0o644, 0o640])
@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_others_may_read_it_whatever_the_umask_says(tmp_path: Path, mode: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        FILES.put(served(tmp_path, mode))
    finally:
        os.umask(before)
    assert (tmp_path / "token").stat().st_mode & 0o7777 == mode
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_a_folder_that_is_not_there_is_an_error_with_the_way_out_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FolderUnusable, match="is not there") as caught:
        FILES.check(str(tmp_path / "web"))
    assert "mkdir" in caught.value.hint
    assert "WELLKNOWN" in caught.value.hint
    assert caught.value.local
    assert not (tmp_path / "web").exists()


def test_what_is_no_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "web").write_text("")
    with pytest.raises(FolderUnusable, match="not a directory"):
        FILES.check(str(tmp_path / "web"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FolderUnusable, match="cannot be written there"):
        FILES.check(str(tmp_path))


def test_the_folder_may_be_a_link_of_the_operators(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "web").symlink_to("real")
    FILES.check(str(tmp_path / "web"))
    FILES.put(served(tmp_path / "web"))
    assert FILES.remove(served(tmp_path / "web").intent)


def test_a_link_in_the_files_place_is_neither_followed_nor_removed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"token.print")
    web = tmp_path / "web"
    web.mkdir()
    (web / "token").symlink_to(target)
    with pytest.raises(FileTrouble, match="token"):
        FILES.put(served(web))
    assert not FILES.remove(served(web).intent)
    assert target.read_bytes() == b"token.print"
    assert (web / "token").is_symlink()


def test_what_a_killed_run_had_half_written_goes_with_the_file(tmp_path: Path) -> None:
    half = tmp_path / temporary_name("token")
    half.write_bytes(b"tok")
    assert not FILES.remove(served(tmp_path).intent)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    assert not FILES.remove(served(tmp_path / "gone").intent)


def test_no_content_in_a_repr(tmp_path: Path) -> None:
    assert "print" not in repr(served(tmp_path))


def test_a_removal_leaves_alone_what_another_thread_is_writing(tmp_path: Path) -> None:
    FILES.put(served(tmp_path))
    (tmp_path / temporary_name("token")).write_text("half")
    (tmp_path / temporary_name("another")).write_text("half")
    assert FILES.remove(served(tmp_path).intent)
    assert [path.name for path in tmp_path.iterdir()] == [temporary_name("another")]
