import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bed.waiting import stays_false, wait_until
from builders.effects import ended, in_child, started
from builders.listing import names
from certkeeper.adapters import claims as claims_module
from certkeeper.adapters.claims import Claims
from certkeeper.adapters.files import FileTrouble
from certkeeper.apply.ports import Busy
from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.names import Alias, DnsName

A, B = Alias("a.example.org"), Alias("b.example.org")
ZONE = DnsName("example.org")
CA = "https://ca.example/directory"


@pytest.fixture
def state(tmp_path: Path) -> str:
    return str(tmp_path / "state")


@contextmanager
def child_that(action: Callable[[], object]) -> Iterator[int]:
    """A process that does something, says so, and waits to be killed."""
    ready, tell = os.pipe()

    def child() -> None:
        action()
        os.write(tell, b"x")
        signal.pause()

    pid = started(child)
    os.close(tell)
    try:
        assert os.read(ready, 1) == b"x"
        yield pid
    finally:
        os.close(ready)
        os.kill(pid, signal.SIGKILL)
        assert ended(pid) == -signal.SIGKILL


# --- lineages ---------------------------------------------------------------------------------------------------------


def test_a_lineage_is_held_by_one(state: str) -> None:
    first, second = Claims(state), Claims(state)
    first.hold(A)
    with pytest.raises(Busy, match=r"a\.example\.org: another certkeeper is working on it") as caught:
        second.hold(A)
    assert caught.value.hint == f"see which: fuser -v {state}/locks/lineage-a.example.org"
    assert caught.value.exit_code is ExitCode.LOCKED
    assert caught.value.local
    second.hold(B)
    first.free(A)
    second.hold(A)
    first.close()
    second.close()


def test_another_process_holds_it_until_it_dies(state: str) -> None:
    mine = Claims(state)
    with child_that(lambda: Claims(state).hold(A)), pytest.raises(Busy):
        mine.hold(A)
    mine.hold(A)
    mine.close()


def test_closing_gives_everything_back(state: str) -> None:
    first = Claims(state)
    first.hold(A)
    first.hold(B)
    mark = first.run()
    first.close()
    second = Claims(state)
    second.hold(A)
    second.hold(B)
    assert not second.goes_on(mark)
    second.close()


def test_freeing_what_is_not_held_is_no_error(state: str) -> None:
    claims = Claims(state)
    claims.free(A)
    claims.hold(A)
    claims.free(A)
    claims.free(A)
    claims.close()
    assert claims._held == {}


def test_nobody_else_can_read_or_open_the_locks(state: str) -> None:
    before = os.umask(0)
    try:
        claims = Claims(state)
        claims.hold(A)
        claims.run()
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path(state, "locks").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in Path(state, "locks").iterdir()} == {0o600}
    claims.close()


def test_a_hook_inherits_no_claim(state: str) -> None:
    claims = Claims(state)
    claims.hold(A)
    with claims.zone(ZONE), subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as hook:
        claims.free(A)
        other = Claims(state)
        other.hold(A)
        other.close()
        hook.communicate(b"\n", timeout=30)
    claims.close()


def test_a_link_in_a_locks_place_is_refused(state: str, tmp_path: Path) -> None:
    Claims(state).hold(B)
    Path(state, "locks", "lineage-a.example.org").symlink_to(tmp_path / "target")
    with pytest.raises(FileTrouble, match=r"lineage-a\.example\.org: cannot lock") as caught:
        Claims(state).hold(A)
    assert "symbolic link" in caught.value.hint
    assert not (tmp_path / "target").exists()


def test_a_link_in_the_folders_place_is_refused(state: str, tmp_path: Path) -> None:
    Path(state).mkdir(mode=0o700)
    (tmp_path / "elsewhere").mkdir()
    Path(state, "locks").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileTrouble, match=r"locks: cannot open the folder"):
        Claims(state).hold(A)
    assert names(tmp_path / "elsewhere") == []


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_another_process_has_the_account_until_it_frees_it_or_dies(state: str) -> None:
    mine = Claims(state)
    with child_that(lambda: Claims(state).hold_account(CA)):
        with pytest.raises(Busy, match=r"https://ca\.example/directory: another certkeeper is setting") as caught:
            mine.hold_account(CA)
        assert caught.value.hint.startswith(f"see which: fuser -v {state}/locks/account-")
        mine.hold_account("https://other.example/directory")
    mine.hold_account(CA)
    with pytest.raises(Busy):
        Claims(state).hold_account(CA)
    mine.free_account(CA)
    other = Claims(state)
    other.hold_account(CA)
    other.close()
    mine.close()
    assert mine._held == {}


# --- zones ------------------------------------------------------------------------------------------------------------


def test_a_zone_is_waited_for(state: str) -> None:
    mine = Claims(state)
    entered = threading.Event()

    def enter() -> None:
        with mine.zone(ZONE):
            entered.set()

    thread = threading.Thread(target=enter)
    zone = Claims(state).zone(ZONE)
    with child_that(zone.__enter__):
        thread.start()
        assert stays_false(entered.is_set, during=0.3)
    wait_until(entered.is_set, "the zone of a killed process is free")
    thread.join()


def test_threads_of_one_process_take_turns(state: str) -> None:
    claims = Claims(state)
    inside = threading.Lock()

    def work() -> None:
        for _ in range(10):
            with claims.zone(ZONE):
                assert inside.acquire(blocking=False), "somebody else is inside"
                inside.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_processes_take_turns_whatever_dies(state: str, tmp_path: Path) -> None:
    witness = tmp_path / "inside"

    def work(who: int) -> None:
        claims = Claims(state)
        for number in range(20):
            with claims.zone(ZONE):
                os.close(os.open(witness, os.O_CREAT | os.O_EXCL))
                witness.unlink()
                if (who, number) == (0, 7):
                    os.kill(os.getpid(), signal.SIGKILL)

    codes = [ended(pid) for pid in [started(lambda who=who: work(who)) for who in range(4)]]  # type: ignore[misc]
    assert codes == [-signal.SIGKILL, 0, 0, 0]


def test_a_zone_is_not_waited_for_for_ever(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims_module, "_PATIENCE", 0.2)
    with Claims(state).zone(ZONE):
        with pytest.raises(Busy, match=r"zone example\.org: another certkeeper has been changing it") as caught:
            Claims(state).zone(ZONE).__enter__()
        assert "fuser -v" in caught.value.hint
        with Claims(state).zone(DnsName("example.net")):
            pass


def test_a_zone_is_free_after_a_failure_inside(state: str) -> None:
    claims = Claims(state)
    with pytest.raises(RuntimeError), claims.zone(ZONE):
        raise RuntimeError
    with claims.zone(ZONE):
        pass


def test_a_zone_and_a_lineage_of_one_name_are_two_things(state: str) -> None:
    claims = Claims(state)
    claims.hold(Alias("example.org"))
    with Claims(state).zone(ZONE):
        pass
    claims.close()


# --- runs -------------------------------------------------------------------------------------------------------------


def test_a_run_has_one_mark_that_others_can_ask_for(state: str) -> None:
    mine, other = Claims(state), Claims(state)
    mark = mine.run()
    assert mine.run() == mark
    assert other.run() != mark
    assert mine.goes_on(mark)
    assert other.goes_on(mark)
    mine.close()
    assert not other.goes_on(mark)
    other.close()
    assert names(Path(state, "locks")) == []


def test_a_killed_run_does_not_go_on_and_can_be_buried(state: str) -> None:
    mine = Claims(state)
    with child_that(Claims(state).run):
        (mark,) = (name.removeprefix("run-") for name in names(Path(state, "locks")))
        assert mine.goes_on(mark)
    assert not mine.goes_on(mark)
    mine.bury(mark)
    assert names(Path(state, "locks")) == []
    assert not mine.goes_on(mark)
    mine.bury(mark)


def test_marks_of_killed_runs_go_with_the_next_run_and_those_of_others_stay(state: str) -> None:
    other = Claims(state)
    held = other.run()
    for _ in range(2):
        with child_that(Claims(state).run):
            assert len(names(Path(state, "locks"))) == 2
    Path(state, "locks", "lineage-a").touch()
    mine = Claims(state)
    mark = mine.run()
    assert names(Path(state, "locks")) == sorted(["lineage-a", f"run-{held}", f"run-{mark}"])
    assert mine.goes_on(held)
    mine.close()
    other.close()


def test_no_mark_is_taken_for_a_killed_run_s_while_it_is_made(state: str) -> None:
    """Each of many runs that begin at once is known to go on by another one, as long as it does."""

    def runs() -> None:
        for _ in range(300):
            mine = Claims(state)
            assert Claims(state).goes_on(mine.run())
            mine.close()

    pids = [started(runs) for _ in range(4)]
    assert [ended(pid) for pid in pids] == [0] * 4
    assert names(Path(state, "locks")) == []


def test_a_mark_nobody_knows_does_not_go_on(state: str) -> None:
    assert not Claims(state).goes_on("1-abc")
    assert not Claims(state).goes_on("../../../etc/passwd")
    assert not Claims(state).goes_on("")


@pytest.mark.parametrize("spoil", ["link", "locks is a file"])
def test_a_mark_that_cannot_be_asked_for_is_no_exception_of_the_systems(state: str, spoil: str) -> None:
    """The answer may be either, or an error with a name."""
    Path(state).mkdir(mode=0o700)
    if spoil == "link":
        Path(state, "locks").mkdir()
        Path(state, "locks", "run-1-a").symlink_to("elsewhere")
    else:
        Path(state, "locks").write_text("")
    with suppress(CertkeeperError):
        Claims(state).goes_on("1-a")


def test_descriptors_that_are_used_up_are_no_exception_of_the_systems(state: str) -> None:
    Claims(state).run()

    def child() -> None:
        import resource  # noqa: PLC0415 - in the child only

        (mark,) = (name.removeprefix("run-") for name in names(Path(state, "locks")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        with pytest.raises(CertkeeperError, match=os.strerror(errno.EMFILE).lower()):
            Claims(state).goes_on(mark)

    assert in_child(child) == 0


def test_closing_twice_or_with_nothing_held_is_no_error(state: str) -> None:
    claims = Claims(state)
    claims.close()
    claims.run()
    claims.close()
    claims.close()
    assert not Path(state, "locks").exists() or names(Path(state, "locks")) == []


def test_closing_after_somebody_removed_the_folder_is_no_error(state: str) -> None:
    claims = Claims(state)
    claims.run()
    claims.hold(A)
    for path in Path(state, "locks").iterdir():
        path.unlink()
    Path(state, "locks").rmdir()
    claims.close()
    assert claims._held == {}


# --- names ------------------------------------------------------------------------------------------------------------

_texts = st.text(max_size=300) | st.sampled_from(
    ["", ".", "..", "*", "*.example.org", "/", "a" * 255, "ü" * 127, "%2F"]
)


@given(st.sampled_from(["lineage", "zone", "run", "account"]), _texts)
def test_any_name_is_one_component_of_a_path(kind: str, text: str) -> None:
    name = claims_module._name(kind, text)
    assert "/" not in name
    assert "\0" not in name
    assert name.startswith(f"{kind}-")
    assert len(os.fsencode(name)) <= 255


@given(_texts, _texts)
def test_no_two_names_share_a_lock(one: str, other: str) -> None:
    same = claims_module._name("zone", one) == claims_module._name("zone", other)
    assert same == (one == other)


@pytest.mark.parametrize("text", ["x" * 255, "ü" * 127, "a%b", "%2F", "*", "a:b;c'd\"e$(f)", "名前"])
def test_aliases_of_any_kind_can_be_held(state: str, text: str) -> None:
    claims = Claims(state)
    alias = Alias.parse(text)
    claims.hold(alias)
    with pytest.raises(Busy):
        Claims(state).hold(alias)
    claims.free(alias)
    Claims(state).hold(alias)
