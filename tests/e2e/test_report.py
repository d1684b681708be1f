"""`certkeeper report` as an operator types it."""

from pathlib import Path

import pytest

from builders.oldfolders import leave_as_dehydrated
from builders.page import certkeeper
from certkeeper.adapters.reportfile import read_head
from certkeeper.cli.report.page import MARK


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Two certificates that dehydrated made, one that is missing, one that nobody asks for."""
    folder = tmp_path / "etc"
    for name, left in (("a.example", 80), ("b.example", 60), ("old.example", 50)):
        leave_as_dehydrated(folder / "certs" / name, (name, f"www.{name}"), days_left=left)
    (folder / "domains.txt").write_text("a.example www.a.example\nb.example www.b.example\nc.example\n")
    config = folder / "config"
    config.write_text(
        f'CA="https://ca.test/directory"\nARI="no"\nBASEDIR="{folder}"\nWELLKNOWN="{folder}"\nLOCKFILE=\n'
    )
    return config


def test_it_shows_what_status_knows_and_no_path(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    done = certkeeper("report", "--config", page, "--html", file, cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, f"{file} written\n", "")
    written = file.read_text(encoding="utf-8")
    for words in ("a.example", "b.example", "c.example", "missing", "old.example", "Timeline"):
        assert words in written, words
    assert "1 certificate of 3 needs attention" in written
    assert str(tmp_path) not in written
    assert MARK in read_head(str(file))
    assert certkeeper("report", "--config", page, "--html", "-", cwd=tmp_path).out.startswith("<!doctype html>\n")


def test_what_is_in_the_way_is_told_in_a_line(page: Path, tmp_path: Path) -> None:
    mine = tmp_path / "index.html"
    mine.write_text("<p>my home page</p>")
    done = certkeeper("report", "--config", page, "--html", mine, cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"certkeeper: error: {mine}: not replaced: it was not made by certkeeper\n"
        "certkeeper: hint: name another file, or move that one away\n"
    )
    assert mine.read_text() == "<p>my home page</p>"
    missing = certkeeper("report", "--config", page, "--html", tmp_path / "no/index.html", cwd=tmp_path)
    assert (missing.code, len(missing.err.splitlines())) == (1, 1)
