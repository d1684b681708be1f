"""What services' users can get at, and which of their processes have groups from before."""

import grp
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from certkeeper.adapters.readers import impassable, old_groups, unreadable

USER = "nobody"
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root tries as another user")


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="certkeeper-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@root
def test_a_folder_that_a_user_cannot_get_into(place: Path) -> None:
    shut, inner, passed = place / "shut", place / "shut" / "inner", place / "passed"
    inner.mkdir(parents=True)
    passed.mkdir(mode=0o711)
    shut.chmod(0o700)
    assert list(impassable(USER, [str(passed), str(shut), str(inner)])) == [
        (str(shut), "permission denied"),
        (str(inner), "permission denied"),
    ]
    # To get through is enough; to list is another thing.
    assert list(unreadable(USER, [str(passed)])) == [(str(passed), "permission denied")]


def process(proc: Path, pid: int, uid: int, groups: str, gid: int = 4242) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    ids = "\t".join([str(uid)] * 4)
    text = f"Name:\tprosody\nUid:\t{ids}\nGid:\t{gid}\t{gid}\t{gid}\t{gid}\nGroups:\t{groups} \n"
    (folder / "status").write_text(text)


def test_a_process_from_before_its_user_was_in_the_group(place: Path) -> None:
    user = pwd.getpwnam(USER)
    group = grp.getgrgid(user.pw_gid).gr_name
    proc = place / "proc"
    proc.mkdir()
    (proc / "self").mkdir()
    process(proc, 20, 0, "1")
    assert old_groups(USER, group, str(proc)) is None
    process(proc, 30, user.pw_uid, "7 8")
    process(proc, 31, user.pw_uid, "7 8")
    process(proc, 21, user.pw_uid, f"7 {user.pw_gid}")
    process(proc, 22, user.pw_uid, "", gid=user.pw_gid)
    (proc / "9").mkdir()
    found = old_groups(USER, group, str(proc))
    assert found is not None
    assert (found.pid, found.command, found.user) == (30, "prosody", USER)
    # Who is in no such group does not get into it by a restart.
    assert old_groups(USER, "daemon", str(proc)) is None
    assert old_groups("nobody-at-all", group, str(proc)) is None
