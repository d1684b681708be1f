"""What a look at files gave, and when it counts."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.index import NAME, SETTLED, Index

NAMES = ("a", "b", "link", "absent")


def later() -> int:
    """Long after every file here was written."""
    return time.time_ns() + 2 * SETTLED


@pytest.fixture
def folder(tmp_path: Path) -> str:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_text(name)
    (folder / "link").symlink_to("a")
    return str(folder)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def learned(state: Path, folder: str) -> None:
    index = Index(str(state), later)
    index.learn("kind", folder, index.see(folder, NAMES), ["found"])
    index.keep()


def known(state: Path, folder: str) -> object:
    index = Index(str(state), later)
    return index.known("kind", folder, index.see(folder, NAMES))


def test_what_was_kept_is_known_to_the_next_run(state: Path, folder: str) -> None:
    learned(state, folder)
    assert known(state, folder) == ["found"]
    assert (state / NAME).stat().st_mode & 0o777 == 0o600
    index = Index(str(state), later)
    assert index.known("other", folder, index.see(folder, NAMES)) is None


def put_link(folder: Path, target: str) -> None:
    (folder / "link").unlink()
    (folder / "link").symlink_to(target)


def another(folder: Path) -> None:
    folder.rename(f"{folder}.old")
    folder.mkdir()
    for file in Path(f"{folder}.old").iterdir():
        file.rename(folder / file.name)


EDITS: dict[str, Callable[[Path], object]] = {
    "content": lambda folder: (folder / "a").write_text("x"),
    "mode": lambda folder: (folder / "a").chmod(0o640),
    "times": lambda folder: os.utime(folder / "b", (1, 1)),
    "replaced": lambda folder: (folder / "c").replace(folder / "b"),
    "removed": lambda folder: (folder / "b").unlink(),
    "made": lambda folder: (folder / "absent").write_text(""),
    "link to the same": lambda folder: put_link(folder, "./a"),
    "link elsewhere": lambda folder: put_link(folder, "b"),
    "file in a link's place": lambda folder: (folder / "a").rename(folder / "link"),
    "another folder": another,
    "shut": lambda folder: folder.chmod(0o500),
}


@pytest.mark.parametrize("edit", EDITS)
def test_any_change_makes_it_unknown(state: Path, folder: str, edit: str) -> None:
    learned(state, folder)
    # The content may be as long as before, and a program may have set the times back.
    before = Path(folder, "a").stat()
    EDITS[edit](Path(folder))
    if edit == "content":
        os.utime(f"{folder}/a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert known(state, folder) is None


def test_files_that_changed_just_now_are_not_remembered(state: Path, folder: str) -> None:
    index = Index(str(state))
    index.learn("kind", folder, index.see(folder, NAMES), ["found"])
    index.keep()
    assert not state.exists()
    # Whatever their times say: a clock may have been set back.
    index = Index(str(state), later)
    os.utime(f"{folder}/a", (time.time() + 1e6, time.time() + 1e6))
    assert not index.see(folder, NAMES).settled


def test_nothing_is_written_where_nothing_is_new(state: Path, folder: str) -> None:
    learned(state, folder)
    before = (state / NAME).stat()
    index = Index(str(state), later)
    assert index.known("kind", folder, index.see(folder, NAMES))
    index.keep()
    assert (state / NAME).stat() == before


def linked(file: Path) -> None:
    file.rename(f"{file}.else")
    file.symlink_to(f"{file}.else")


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-4] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "trouble"),
    [
        (lambda file: file.write_bytes(b""), "damaged"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "damaged"),
        (lambda file: file.write_bytes(os.urandom(1000)), "damaged"),
        (flipped, "damaged"),
        (lambda file: file.chmod(0o660), "others can change it"),
        (lambda file: file.chmod(0o606), "others can change it"),
        (linked, "cannot read"),
        (folder_instead, "no index"),
    ],
)
def test_one_that_does_not_count_is_told_and_replaced(
    state: Path, folder: str, damage: Callable[[Path], object], trouble: str
) -> None:
    learned(state, folder)
    damage(state / NAME)
    index = Index(str(state), later)
    assert index.known("kind", folder, index.see(folder, NAMES)) is None
    assert trouble in index.trouble
    if (state / NAME).is_dir():
        with pytest.raises(FileTrouble):
            index.keep()
        return
    index.learn("kind", folder, index.see(folder, NAMES), ["anew"])
    index.keep()
    assert known(state, folder) == ["anew"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_somebody_else_s_does_not_count(state: Path, folder: str) -> None:
    learned(state, folder)
    os.chown(state / NAME, 12345, -1)
    index = Index(str(state), later)
    assert index.known("kind", folder, index.see(folder, NAMES)) is None
    assert "others can change it" in index.trouble


def test_another_program_s_is_replaced_without_a_word(state: Path, folder: str) -> None:
    learned(state, folder)
    content = (state / NAME).read_bytes()
    (state / NAME).write_bytes(content.replace(b" index 1 ", b" index 0 ", 1))
    index = Index(str(state), later)
    assert index.known("kind", folder, index.see(folder, NAMES)) is None
    assert index.trouble == ""


def test_it_may_be_deleted_at_any_time(state: Path, folder: str) -> None:
    learned(state, folder)
    index = Index(str(state), later)
    assert index.known("kind", folder, index.see(folder, NAMES)) == ["found"]
    (state / NAME).unlink()
    index.learn("kind", folder, index.see(folder, NAMES), ["anew"])
    index.keep()
    (state / NAME).unlink()
    assert known(state, folder) is None
    assert Index(str(state), later).trouble == ""


def test_of_two_runs_at_once_one_is_kept_whole(state: Path, folder: str) -> None:
    one, two = Index(str(state), later), Index(str(state), later)
    for index, found in ((one, ["one"]), (two, ["two"])):
        index.learn("kind", folder, index.see(folder, NAMES), found)
    one.keep()
    two.keep()
    assert known(state, folder) == ["two"]


def test_folders_that_are_gone_are_forgotten(state: Path, folder: str, tmp_path: Path) -> None:
    learned(state, folder)
    other = tmp_path / "other"
    other.mkdir()
    learned(state, str(other))
    assert known(state, folder) == ["found"], "another page's folder is kept while it is there"
    Path(folder).rename(tmp_path / "gone")
    index = Index(str(state), later)
    index.learn("kind", str(other), index.see(str(other), NAMES), ["anew"])
    index.keep()
    assert folder.encode() not in (state / NAME).read_bytes()
