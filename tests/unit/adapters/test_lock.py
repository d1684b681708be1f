import contextlib
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import pytest

from builders.effects import KILLED, ended, in_child, killed_before, started, watched
from builders.listing import names
from certkeeper.adapters.files import FileMissing, FileTrouble
from certkeeper.adapters.lock import Locked, LockFile, holder
from certkeeper.base.atwork import AtWork
from certkeeper.base.errors import ExitCode

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def lock(path: Path) -> LockFile:
    return LockFile(str(path), NOW)


def test_the_lock_holds_our_mark_and_goes_away(path: Path) -> None:
    with lock(path):
        assert path.read_text() == f"certkeeper {os.getpid()} 2026-11-23T12:00:00Z\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert names(path.parent) == ["lock"]
    assert names(path.parent) == []


def test_the_lock_goes_away_with_an_error(path: Path) -> None:
    with pytest.raises(RuntimeError), lock(path):
        raise RuntimeError
    assert not path.exists()


def test_a_running_certkeeper_is_named(path: Path) -> None:
    with lock(path):
        with pytest.raises(Locked) as caught, lock(path):
            pass
        assert path.exists()
    assert str(caught.value) == f"{path}: locked by certkeeper, process {os.getpid()}, since 2026-11-23T12:00:00Z"
    assert caught.value.exit_code is ExitCode.LOCKED
    assert caught.value.hint == f"see it: ps -fp {os.getpid()}"
    with lock(path):
        pass


def test_who_is_at_work_is_seen_without_taking_the_lock(path: Path) -> None:
    assert holder(str(path)) is None
    with LockFile(str(path), NOW):
        assert holder(str(path)) == AtWork("certkeeper", os.getpid(), NOW.replace(microsecond=0))
        assert holder(str(path)) is not None
    assert holder(str(path)) is None
    # A process of that number is there, and has no lock.
    path.write_text(f"certkeeper {os.getpid()} 2026-11-23T20:15:00Z\n")
    assert holder(str(path)) is None
    path.write_text("4711\n")
    found = holder(str(path))
    assert found is not None
    assert (found.program, found.pid, found.since is None) == ("dehydrated", None, False)


def test_a_killed_runs_lock_is_taken_over(path: Path) -> None:
    def child() -> None:
        lock(path).__enter__()
        os._exit(KILLED)

    assert in_child(child) == KILLED
    assert path.exists()
    with lock(path):
        assert path.read_text().startswith(f"certkeeper {os.getpid()} ")
    assert not path.exists()


def test_a_longer_mark_of_a_killed_run_is_replaced_altogether(path: Path) -> None:
    path.write_text("certkeeper 123456789012345678901234567890 2026-11-23T12:00:00Z\n")
    with lock(path):
        assert path.read_text() == f"certkeeper {os.getpid()} 2026-11-23T12:00:00Z\n"


@pytest.mark.parametrize("content", ["Mon Nov 23 12:00:00 UTC 2026\n", "", "certkeeper\n", "certkeeper x y z\n"])
def test_dehydrateds_lock_is_respected(path: Path, content: str) -> None:
    path.write_text(content)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with pytest.raises(Locked, match="locked by dehydrated since 2023-11-14T22:13:20Z") as caught, lock(path):
        pass
    assert content.strip() in str(caught.value)
    assert f"rm {path}" in caught.value.hint
    assert caught.value.exit_code is ExitCode.LOCKED
    assert path.read_text() == content


def test_dehydrateds_way_of_locking_meets_ours(path: Path) -> None:
    with lock(path), pytest.raises(FileExistsError):
        os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)


def test_a_lock_that_somebody_put_in_our_place_stays(path: Path) -> None:
    with lock(path):
        path.unlink()
        path.write_text("somebody else's")
    assert path.read_text() == "somebody else's"


def test_a_lock_that_somebody_removed_is_no_error_at_the_end(path: Path) -> None:
    with lock(path):
        path.unlink()
    assert not path.exists()


def test_a_hook_does_not_hold_the_lock(path: Path) -> None:
    with lock(path) as held:
        assert not os.get_inheritable(held._fd)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="lock: its folder is missing") as caught, lock(tmp_path / "none" / "lock"):
        pass
    assert "mkdir" in caught.value.hint


def test_what_is_no_file_is_refused(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "target")
    with pytest.raises(FileTrouble, match="symbolic links"), lock(path):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileTrouble, match="is a directory"), lock(tmp_path / "folder"):
        pass
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(FileTrouble, match="fifo: cannot use as the lock file"), lock(tmp_path / "fifo"):
        pass
    assert not (tmp_path / "target").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not")
def test_a_folder_that_we_may_not_write_to_is_explained(tmp_path: Path) -> None:
    def child() -> None:
        os.chdir(tmp_path)
        os.setuid(65534)
        with contextlib.suppress(FileTrouble), LockFile("lock", NOW):
            os._exit(5)

    tmp_path.chmod(0o755)
    assert in_child(child) == 0


def test_a_kill_at_any_moment_never_blocks_the_next_run(path: Path) -> None:
    for number in range(30):

        def run() -> None:
            with lock(path):
                pass

        alive = not killed_before(number, run)
        with lock(path):
            pass
        assert not path.exists()
        if alive:
            break
    leftovers = names(path.parent)
    assert all(name.endswith(".certkeeper-tmp") for name in leftovers)


def test_a_lock_that_goes_away_while_it_is_looked_at_is_not_taken_for_ours(path: Path) -> None:
    first = lock(path).__enter__()
    rounds: list[str] = []

    def let_go(name: str, _: FrameType) -> None:
        # The second one has opened the file and is about to read it.
        rounds.append(name)
        if len(rounds) == 1:
            first.__exit__(None, None, None)

    with watched(let_go, frozenset({"pread"})), lock(path) as second:
        assert path.exists(), "the lock is held on a file that nobody else can see"
        assert os.path.samestat(path.stat(), os.fstat(second._fd))
    assert rounds


def test_of_many_starting_at_once_one_runs_at_a_time(path: Path, tmp_path: Path) -> None:
    """Also while runs are killed with the lock in their hands, and others take it over."""
    witness, entries = tmp_path / "inside", tmp_path / "entries"

    def run() -> None:
        for _ in range(400):
            with contextlib.suppress(Locked), lock(path):
                # Fails where somebody else is inside too.
                os.close(os.open(witness, os.O_CREAT | os.O_EXCL))
                with entries.open("a") as file:
                    file.write("x")
                witness.unlink()
                if entries.stat().st_size % 7 == 0:
                    os._exit(KILLED)

    codes: list[int] = []
    for _ in range(10):
        codes += [ended(pid) for pid in [started(run) for _ in range(6)]]
    assert set(codes) <= {0, KILLED}
    assert codes.count(KILLED) > 5
    with lock(path):
        pass
    assert not path.exists()
