import errno
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import pytest

from bed.waiting import wait_until
from builders.effects import KILLED, ended, failing_at, in_child, killed_before, started, watched
from builders.listing import names
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.lock import Left, Locked, LockFile, unlock, wait_for
from certkeeper.base.errors import ExitCode

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DEHYDRATEDS = "Mon Nov 23 12:00:00 UTC 2026\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    """A /proc with this process only."""
    runs(tmp_path / "proc", os.getpid(), "python", "dehydrated")
    (tmp_path / "proc" / "self").mkdir()
    return tmp_path / "proc"


def runs(processes: Path, pid: int, *words: str) -> None:
    (processes / str(pid)).mkdir(parents=True)
    (processes / str(pid) / "cmdline").write_text("".join(f"{word}\0" for word in words))


def lock(path: Path) -> LockFile:
    return LockFile(str(path), NOW)


def left_by_dehydrated(path: Path) -> None:
    path.write_text(DEHYDRATEDS)
    os.utime(path, (1_700_000_000, 1_700_000_000))


def killed_with(path: Path) -> None:
    def child() -> None:
        lock(path).__enter__()
        os._exit(KILLED)

    assert in_child(child) == KILLED
    assert path.exists()


class TestUnlock:
    def test_no_lock_is_nothing_to_do(self, path: Path, processes: Path) -> None:
        assert unlock(str(path), str(processes)) is None
        assert unlock(str(path / "none" / "lock"), str(processes)) is None

    def test_a_running_certkeepers_stays(self, path: Path, processes: Path) -> None:
        with lock(path):
            with pytest.raises(Locked) as caught:
                unlock(str(path), str(processes))
            assert path.exists()
        assert str(caught.value).endswith(f"process {os.getpid()}, since 2026-11-23T12:00:00Z")
        assert caught.value.exit_code is ExitCode.LOCKED

    def test_a_killed_certkeepers_goes(self, path: Path, processes: Path) -> None:
        killed_with(path)
        found = unlock(str(path), str(processes))
        assert found is not None
        assert found.ours
        assert found.text.endswith("since 2026-11-23T12:00:00Z")
        assert not path.exists()

    def test_dehydrateds_goes_where_none_runs(self, path: Path, processes: Path) -> None:
        left_by_dehydrated(path)
        said = f"dehydrated since 2023-11-14T22:13:20Z ({DEHYDRATEDS.strip()})"
        assert unlock(str(path), str(processes)) == Left(said, ours=False)
        assert not path.exists()

    @pytest.mark.parametrize(
        "words",
        [("/usr/bin/dehydrated", "-c"), ("bash", "/usr/bin/dehydrated", "-c"), ("/bin/bash", "./dehydrated-0.7.2")],
        ids=" ".join,
    )
    def test_dehydrateds_stays_while_one_runs(self, path: Path, processes: Path, words: tuple[str, ...]) -> None:
        left_by_dehydrated(path)
        runs(processes, 4_000_001, *words)
        with pytest.raises(Locked, match="process 4000001 is running") as caught:
            unlock(str(path), str(processes))
        assert caught.value.exit_code is ExitCode.LOCKED
        assert path.read_text() == DEHYDRATEDS

    @pytest.mark.parametrize(
        "words",
        [
            ("sudo", "certkeeper", "unlock", "--config", "/etc/dehydrated/config"),
            ("sh", "-c", "cd /etc/dehydrated; certkeeper unlock"),
            ("",),
        ],
        ids=" ".join,
    )
    def test_a_folder_of_that_name_is_no_dehydrated(self, path: Path, processes: Path, words: tuple[str, ...]) -> None:
        left_by_dehydrated(path)
        runs(processes, 4_000_001, *words)
        (processes / "4000002").mkdir()
        assert unlock(str(path), str(processes)) is not None

    def test_processes_that_cannot_be_seen_are_not_taken_for_none(self, path: Path, tmp_path: Path) -> None:
        left_by_dehydrated(path)
        with pytest.raises(FileTrouble, match="cannot see which processes there are"):
            unlock(str(path), str(tmp_path / "none"))
        (tmp_path / "empty").mkdir()
        with pytest.raises(FileTrouble, match="does not show which processes there are"):
            unlock(str(path), str(tmp_path / "empty"))
        assert path.exists()

    def test_the_real_processes_can_be_seen(self, path: Path) -> None:
        left_by_dehydrated(path)
        command = ["sh", "-c", "read word", "certkeeper-test-dehydrated"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as running:
            words = Path(f"/proc/{running.pid}/cmdline")
            wait_until(lambda: b"test-dehydrated" in words.read_bytes(), "the process has its words")
            with pytest.raises(Locked, match=r"process [0-9]+ is running"):
                unlock(str(path))
        assert path.exists()

    def test_what_is_no_file_is_refused(self, path: Path, processes: Path, tmp_path: Path) -> None:
        path.symlink_to(tmp_path / "target")
        with pytest.raises(FileTrouble, match="symbolic links"):
            unlock(str(path), str(processes))
        (tmp_path / "folder").mkdir()
        with pytest.raises(FileTrouble, match="is a directory"):
            unlock(str(tmp_path / "folder"), str(processes))

    def test_a_lock_that_was_exchanged_meanwhile_stays(self, path: Path, processes: Path) -> None:
        def act(_: str, __: FrameType) -> None:
            path.unlink(missing_ok=True)
            path.write_text("another dehydrated\n")

        left_by_dehydrated(path)
        with watched(act, frozenset({"listdir"})):
            assert unlock(str(path), str(processes)) is None
        assert path.read_text() == "another dehydrated\n"

    def test_a_kill_or_a_failure_at_any_moment_leaves_a_lock_that_can_be_removed(
        self, path: Path, processes: Path
    ) -> None:
        for number in range(10):
            path.write_text("certkeeper 4000001 2026-11-23T12:00:00Z\n")
            alive = not killed_before(number, lambda: unlock(str(path), str(processes)))
            assert path.exists() is not alive
            with suppress(FileTrouble):
                failing_at(number, errno.EIO, lambda: unlock(str(path), str(processes)))
            unlock(str(path), str(processes))
            assert not path.exists()
            if alive:
                return
        pytest.fail("unlocking has more than 10 effects")

    def test_runs_and_unlocks_side_by_side_never_let_two_in(self, path: Path, processes: Path, tmp_path: Path) -> None:
        witness = tmp_path / "inside"

        def run() -> None:
            for _ in range(200):
                with suppress(Locked), lock(path):
                    os.close(os.open(witness, os.O_CREAT | os.O_EXCL))
                    witness.unlink()
                    if os.getpid() % 3 == 0 and _ == 100:
                        os._exit(KILLED)

        def unlocks() -> None:
            runs(processes, os.getpid(), "certkeeper")
            for _ in range(400):
                with suppress(Locked):
                    unlock(str(path), str(processes))

        codes = [ended(pid) for pid in [started(action) for action in (run, run, run, run, unlocks, unlocks)]]
        assert set(codes) <= {0, KILLED}


class TestWaiting:
    def test_a_free_lock_is_had_at_once(self, path: Path) -> None:
        told: list[Locked] = []
        with wait_for(lambda: lock(path), 0, told.append):
            assert path.exists()
        assert (told, names(path.parent)) == ([], [])

    def test_the_lock_is_had_as_soon_as_it_is_free(self, path: Path) -> None:
        told: list[Locked] = []
        with held_elsewhere(path) as let_go:

            def heard(locked: Locked) -> None:
                told.append(locked)
                let_go()

            before = time.monotonic()
            with wait_for(lambda: lock(path), 60, heard):
                assert path.read_text().startswith(f"certkeeper {os.getpid()} ")
            assert time.monotonic() - before < 30
        assert len(told) == 1
        assert "locked by certkeeper, process" in str(told[0])

    def test_waiting_has_a_bound_and_is_told_once(self, path: Path) -> None:
        told: list[Locked] = []
        left_by_dehydrated(path)
        before = time.monotonic()
        with pytest.raises(Locked), wait_for(lambda: lock(path), 0.7, told.append):
            pass
        assert 0.7 <= time.monotonic() - before < 10
        assert len(told) == 1
        assert path.read_text() == DEHYDRATEDS

    def test_the_lock_goes_away_with_an_error(self, path: Path) -> None:
        with pytest.raises(RuntimeError), wait_for(lambda: lock(path), 1, lambda _: None):
            raise RuntimeError
        assert not path.exists()

    def test_a_lock_error_of_what_is_done_inside_is_not_waited_for(self, path: Path) -> None:
        with pytest.raises(Locked, match="inside"), wait_for(lambda: lock(path), 60, lambda _: None):
            raise Locked("inside")

    def test_a_signal_ends_the_waiting(self, path: Path) -> None:
        left_by_dehydrated(path)

        class StopError(Exception):
            pass

        def stop(_: int, __: FrameType | None) -> None:
            raise StopError

        before = signal.signal(signal.SIGUSR1, stop)
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        try:
            with pytest.raises(StopError), wait_for(lambda: lock(path), 60, lambda _: None):
                pass
        finally:
            timer.join()
            signal.signal(signal.SIGUSR1, before)


@contextmanager
def held_elsewhere(path: Path) -> Iterator[Callable[[], object]]:
    """Another process has the lock until it is told to let go."""
    reading, writing = os.pipe()

    def hold() -> None:
        os.close(writing)
        with lock(path):
            os.read(reading, 1)

    pid = started(hold)
    os.close(reading)
    try:
        wait_until(path.exists, "the other process has the lock")
        yield lambda: os.write(writing, b".")
    finally:
        os.close(writing)
        assert ended(pid) == 0
