"""Where bad answers are kept: a few, private, and nothing of anybody else's is touched."""

import stat
from pathlib import Path

import pytest

from builders.listing import names
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.rejected import KEPT, LARGEST, Rejected
from certkeeper.base.names import Alias

A = Alias("a.example.org")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_an_answer_is_kept_as_it_came(state: Path) -> None:
    path = Rejected(str(state)).keep(A, b"<html>\0\xff", 1_700_000_000)
    assert path == f"{state}/rejected/a.example.org-1700000000.pem"
    assert Path(path).read_bytes() == b"<html>\0\xff"
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert stat.S_IMODE((state / "rejected").stat().st_mode) == 0o700


def test_no_more_is_kept_of_one_than_its_beginning(state: Path) -> None:
    path = Rejected(str(state)).keep(A, b"x" * (LARGEST + 1), 1)
    assert Path(path).read_bytes() == b"x" * LARGEST


def test_a_few_are_kept_of_each_lineage(state: Path) -> None:
    rejected = Rejected(str(state))
    others = ["a.example.org.txt", "a.example.org-x.pem", "a.example.org-007.pem", "other"]
    kept = Path(rejected.keep(A, b"1", 1)).parent
    for name in others:
        (kept / name).write_text("mine")
    for other in (Alias("a.example"), Alias("a.example.org-2")):
        rejected.keep(other, b"other", 9)
    # The clock may stand still, or go back.
    for number, now in enumerate((2, 2, 1, 50), 2):
        rejected.keep(A, str(number).encode(), now)
    assert set(names(kept)) == {
        *others,
        "a.example-9.pem",
        "a.example.org-2-9.pem",
        "a.example.org-3.pem",
        "a.example.org-4.pem",
        "a.example.org-50.pem",
    }
    assert KEPT == 3
    assert (kept / "a.example.org-50.pem").read_bytes() == b"5"


def test_a_link_in_the_folders_place_is_refused(state: Path, tmp_path: Path) -> None:
    state.mkdir(mode=0o700)
    (tmp_path / "elsewhere").mkdir()
    (state / "rejected").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileTrouble):
        Rejected(str(state)).keep(A, b"x", 1)
    assert names(tmp_path / "elsewhere") == []
