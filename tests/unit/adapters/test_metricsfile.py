"""The file for node_exporter: whole, readable, and never in the place of somebody else's."""

from pathlib import Path

import pytest

from certkeeper.adapters.files import FileMissing, FileTrouble
from certkeeper.adapters.metricsfile import NotOurs, refresh_metrics, write_metrics

TEXT = "# HELP certkeeper_run_success x\n# TYPE certkeeper_run_success gauge\ncertkeeper_run_success 0\n"


def test_everybody_may_read_it_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a.prom"
    for text in (TEXT, TEXT.replace(" 0", " 1")):
        write_metrics(str(file), text)
        assert file.read_text() == text
        assert file.stat().st_mode & 0o777 == 0o644
        assert list(tmp_path.iterdir()) == [file]


def test_single_numbers_are_brought_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "a.prom"
    write_metrics(str(file), TEXT)
    refresh_metrics(str(file), {"certkeeper_run_success": "1"})
    assert file.read_text() == TEXT.replace("success 0", "success 1")
    with pytest.raises(FileMissing, match="holds no certkeeper_other"):
        refresh_metrics(str(file), {"certkeeper_other": "1"})
    file.unlink()
    with pytest.raises(FileMissing):
        refresh_metrics(str(file), {})


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_is_not_ours_stays(tmp_path: Path, kind: str) -> None:
    file, other = tmp_path / "a.prom", tmp_path / "other"
    other.write_text(TEXT)
    match kind:
        case "file":
            file.write_text("# HELP node_x y\n")
        case "link":
            file.symlink_to(other)
        case _:
            file.mkdir()
    before = [path.lstat().st_ino for path in sorted(tmp_path.iterdir())]
    with pytest.raises(NotOurs, match=r"a\.prom: is no file of certkeeper's"):
        write_metrics(str(file), TEXT)
    assert [path.lstat().st_ino for path in sorted(tmp_path.iterdir())] == before
    assert other.read_text() == TEXT


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileTrouble, match=r"no/a\.prom: cannot write"):
        write_metrics(str(tmp_path / "no" / "a.prom"), TEXT)
