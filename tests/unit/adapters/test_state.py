import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed import binaries
from builders.effects import in_child
from builders.journals import opened, read, write
from certkeeper.adapters.claims import Claims
from certkeeper.adapters.files import FileMissing, FileTrouble
from certkeeper.adapters.state import StateRefused, check_state, make_roots_state, make_state
from certkeeper.base.errors import ExitCode
from certkeeper.base.names import Alias
from contract.journal.entries import A, debt, order

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
NOBODY = 65534


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def refused(state: Path) -> StateRefused:
    """Every way in says the same."""
    errors = []
    for enter in (read, lambda place: write(place, order()), lambda place: Claims(str(place)).hold(Alias("x"))):
        with pytest.raises(StateRefused) as caught:
            enter(state)
        assert caught.value.hint
        assert caught.value.exit_code is ExitCode.USAGE
        errors.append(caught.value)
    assert len(set(map(str, errors))) == 1
    return errors[0]


def test_it_is_made_with_its_parents_for_us_alone(tmp_path: Path) -> None:
    state = tmp_path / "var" / "lib" / "certkeeper"
    before = os.umask(0)
    try:
        make_state(str(state)).close()
    finally:
        os.umask(before)
    for folder in (state, state.parent, state.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_one_that_is_there_keeps_its_mode(state: Path) -> None:
    state.mkdir(mode=0o750)
    write(state, order())
    assert stat.S_IMODE(state.stat().st_mode) == 0o750


def test_a_missing_one_is_missing(state: Path) -> None:
    with pytest.raises(FileMissing):
        check_state(str(state))


def test_a_link_to_a_folder_is_the_operators_choice(state: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    state.symlink_to(tmp_path / "elsewhere")
    write(state, order())
    assert read(state).orders == {A: order()}


def test_a_link_to_nothing_is_no_folder(state: Path, tmp_path: Path) -> None:
    state.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileTrouble, match="state"):
        write(state, order())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
def test_one_that_everybody_may_write_to_is_refused(state: Path, mode: int) -> None:
    state.mkdir()
    state.chmod(mode)
    error = refused(state)
    assert str(error) == f"{state}: everybody may write there"
    assert error.hint == f"chmod o-w {state}"
    assert [path.name for path in state.iterdir()] == []


def test_a_file_in_its_place_is_refused(state: Path) -> None:
    state.write_text("precious")
    with pytest.raises(StateRefused, match="not a folder") as caught:
        read(state)
    assert caught.value.hint
    with pytest.raises(FileTrouble, match="not a"):
        write(state, order())
    assert state.read_text() == "precious"


@as_root
def test_somebody_elses_is_refused(state: Path) -> None:
    state.mkdir(mode=0o700)
    os.chown(state, NOBODY, NOBODY)
    error = refused(state)
    assert str(error).startswith(f"{state}: belongs to ")
    assert "this runs as root" in str(error)
    assert f"chown -R root {state}" in error.hint


@as_root
def test_an_owner_without_a_name_is_a_number(state: Path) -> None:
    state.mkdir(mode=0o700)
    os.chown(state, 4_000_000, -1)
    assert "belongs to user 4000000" in str(refused(state))


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that other users find, too."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@as_root
def test_roots_folder_is_fine_where_we_may_write(reachable: Path) -> None:
    """As a package makes it: root's, and the group's that the program runs under."""
    state = reachable / "state"
    state.mkdir()
    os.chown(state, 0, NOBODY)
    state.chmod(0o770)

    def child() -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        write(state, order())
        assert read(state).orders == {A: order()}

    assert in_child(child) == 0


@as_root
def test_one_that_we_may_not_enter_is_explained(reachable: Path) -> None:
    state = reachable / "state"
    state.mkdir(mode=0o700)

    def child() -> None:
        os.setgroups([])
        os.setuid(NOBODY)
        for enter in (read, lambda place: write(place, order())):
            with pytest.raises(FileTrouble, match="permission denied") as caught:
                enter(state)
            assert "namei" in caught.value.hint

    assert in_child(child) == 0


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """Another file system."""
    place = tmp_path / "memory"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "none", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        binaries.missing(f"nothing can be mounted: {done.stderr.strip()}", "run as root, with CAP_SYS_ADMIN")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_file_system_of_its_own_works(memory: Path) -> None:
    with opened(memory) as journal:
        journal.write((order(),), ())
        journal.write((debt(),), (order(),))
        assert journal.records().debts == {A: debt()}
    assert read(memory).orders == {}


def fill(ballast: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(bytes(1 << 20))


def test_a_full_one_is_explained_and_works_again_with_room(memory: Path) -> None:
    write(memory, order())
    ballast = memory / "ballast"
    fill(ballast)
    with opened(memory) as journal:
        for _ in range(2):
            with pytest.raises(FileTrouble) as caught:
                journal.write([debt(Alias(f"{number}.example.org")) for number in range(200)], ())
            assert str(memory) in str(caught.value)
            assert "df -h" in caught.value.hint
        assert journal.records().orders == {A: order()}
        ballast.unlink()
        journal.write((debt(),), ())
    assert read(memory).debts == {A: debt()}


def test_a_read_only_one_is_read_and_not_written_to(memory: Path) -> None:
    write(memory, order())
    subprocess.run(["mount", "-o", "remount,ro", str(memory)], check=True)
    assert read(memory).orders == {A: order()}
    with pytest.raises(FileTrouble, match=r"read-?only") as caught:
        write(memory, debt())
    assert "findmnt" in caught.value.hint
    subprocess.run(["mount", "-o", "remount,rw", str(memory)], check=True)
    write(memory, debt())
    assert read(memory).debts == {A: debt()}


@as_root
@pytest.mark.parametrize("way", ["folder", "above", "link", "group"])
def test_root_s_own_is_nobody_else_s_on_the_way_either(state: Path, way: str) -> None:
    state.parent.chmod(0o755)
    place = state / "mine"
    state.mkdir()
    place.mkdir()
    match way:
        case "folder":
            os.chown(place, NOBODY, -1)
        case "above":
            os.chown(state, NOBODY, -1)
        case "group":
            os.chown(state, -1, 1)
            state.chmod(0o775)
        case _:
            place.rmdir()
            state.chmod(0o1777)
            place.symlink_to("/")
            os.chown(place, NOBODY, -1, follow_symlinks=False)
    with pytest.raises(StateRefused, match="can change it") as caught:
        make_roots_state(str(place))
    assert caught.value.hint


@as_root
def test_root_s_own_is_not_made_where_somebody_could_be_first(state: Path) -> None:
    state.mkdir()
    state.chmod(0o1777)
    with pytest.raises(StateRefused, match="everybody could make it first"):
        make_roots_state(f"{state}/a/b")
    assert list(state.iterdir()) == []
    state.chmod(0o755)
    make_roots_state(f"{state}/a/b").close()
    assert stat.S_IMODE((state / "a/b").stat().st_mode) == 0o700
