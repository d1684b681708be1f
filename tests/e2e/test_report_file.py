"""REPORT_FILE: runs keep the page for browsers, and nothing about it harms a run."""

import marshal
import time
from pathlib import Path

import pytest

from builders.calmpage import add_due, calm_page, calmed, words
from builders.page import certkeeper
from certkeeper.adapters.calm import recall
from certkeeper.cli.afterrun import seen_after
from certkeeper.cli.compose import open_machine
from certkeeper.cli.report.keeping import keep_report
from certkeeper.cli.report.model import Page

MINE = "<p>my home page</p>"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "www" / "index.html"


@pytest.fixture
def page(tmp_path: Path, file: Path) -> Path:
    """Three certificates of which none is due, and a page for browsers."""
    file.parent.mkdir()
    return calm_page(tmp_path, f'REPORT_FILE="{file}"')


def test_a_run_writes_it_and_the_next_one_leaves_it(page: Path, file: Path) -> None:
    first = certkeeper(*words(page), cwd=page.parent)
    assert (first.code, first.err) == (0, "")
    assert "All 3 certificates are in order" in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o644
    before = file.stat()
    assert certkeeper(*words(page), cwd=page.parent).text == first.text
    assert file.stat().st_ino == before.st_ino


def test_it_is_written_anew_when_it_would_show_something_else(page: Path, file: Path) -> None:
    certkeeper(*words(page), cwd=page.parent)
    add_due(page)
    failed = certkeeper(*words(page), cwd=page.parent)
    assert failed.code == 1
    written = file.read_text(encoding="utf-8")
    assert "d.example" in written
    assert "1 certificate of 4 needs attention" in written
    assert "last run, " in written


def test_a_calm_run_leaves_it_and_none_is_calm_where_it_is_not_as_it_was(page: Path, file: Path) -> None:
    calmed(page)
    assert recall(words(page)) is not None
    file.touch()
    assert recall(words(page)) is None
    calmed(page)
    assert recall(words(page)) is not None
    file.unlink()
    assert recall(words(page)) is None
    certkeeper(*words(page), cwd=page.parent)
    assert file.exists()


def test_the_first_run_of_a_day_is_not_calm(page: Path) -> None:
    calmed(page)
    body = (page.parent / "state/calm").read_bytes().partition(b"\n")[2]
    until = marshal.loads(body)["until"]  # noqa: S302 - our own file
    assert until == (time.time() // 86400 + 1) * 86400


def test_somebody_elses_file_stays_and_the_run_is_what_it_was(page: Path, file: Path) -> None:
    file.write_text(MINE)
    for quiet in ((), ("--quiet",)):
        done = certkeeper(*words(page, *quiet), cwd=page.parent)
        assert done.code == 0
        assert done.err == (
            f"certkeeper: warning: REPORT_FILE: {file}: not replaced: it was not made by certkeeper\n"
            "certkeeper: hint: name another file, or move that one away\n"
        )
    assert file.read_text() == MINE
    calmed(page)
    assert recall(words(page)) is None


def test_a_folder_that_is_missing_is_told_in_one_line(page: Path, file: Path) -> None:
    file.parent.rmdir()
    done = certkeeper(*words(page), cwd=page.parent)
    assert (done.code, len(done.err.splitlines())) == (0, 1)
    assert "no such file or folder" in done.err


def test_a_page_that_cannot_be_made_is_told_in_one_line(
    page: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_page: Page) -> str:
        raise KeyError("title")

    machine = open_machine(str(page))
    seen = seen_after(machine)
    keep_report(machine, seen, broken)
    assert seen() is seen(), "METRICS_FILE gets the same look"
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"certkeeper: warning: REPORT_FILE {file}: the page cannot be made: KeyError: 'title'"
    assert len(said) == 2
    assert not file.exists()


def test_dehydrated_s_words_keep_it_too(page: Path, file: Path) -> None:
    # Its CA is nowhere, which it notices first of all.
    assert certkeeper("dehydrated", "--cron", "--config", page, cwd=page.parent).code == 1
    assert "All 3 certificates are in order" in file.read_text(encoding="utf-8")


def test_a_relative_path_is_an_error(tmp_path: Path) -> None:
    page = calm_page(tmp_path, 'REPORT_FILE="index.html"')
    done = certkeeper("config", "check", "--config", page, cwd=page.parent)
    assert done.code != 0
    assert "REPORT_FILE: 'index.html' is no absolute path" in done.text
