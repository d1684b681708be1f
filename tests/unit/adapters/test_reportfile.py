import os
from pathlib import Path

import pytest

from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.reportfile import NotOurs, write_report

MARK = "<!-- ours"
PAGE = f"<!doctype html>\n{MARK}: 1 -->\n"


def test_it_is_readable_for_everybody_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    before = os.umask(0o077)
    try:
        write_report(str(file), PAGE, mark=MARK)
        first = file.stat()
        write_report(str(file), f"{PAGE}more", mark=MARK)
    finally:
        os.umask(before)
    assert (file.read_text(), file.stat().st_mode & 0o7777) == (f"{PAGE}more", 0o644)
    assert file.stat().st_ino != first.st_ino
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


@pytest.mark.parametrize("content", ["", "<!doctype html>\nmy home page", "x" * 5000 + MARK])
def test_a_file_of_somebody_else_stays(tmp_path: Path, content: str) -> None:
    file = tmp_path / "index.html"
    file.write_text(content)
    with pytest.raises(NotOurs, match="not made by certkeeper"):
        write_report(str(file), PAGE, mark=MARK)
    assert file.read_text() == content


def test_so_do_links_folders_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "real.html").write_text(PAGE)
    (tmp_path / "link.html").symlink_to("real.html")
    (tmp_path / "folder.html").mkdir()
    os.mkfifo(tmp_path / "pipe.html")
    for name in ("link", "folder", "pipe"):
        with pytest.raises(NotOurs):
            write_report(str(tmp_path / f"{name}.html"), f"{PAGE}new", mark=MARK)
    assert (tmp_path / "real.html").read_text() == PAGE


def test_a_folder_that_is_missing_or_shut_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(FileTrouble, match="no such file or folder"):
        write_report(str(tmp_path / "missing/index.html"), PAGE, mark=MARK)
    with pytest.raises(FileTrouble, match="write"):
        write_report("/proc/index.html", PAGE, mark=MARK)
