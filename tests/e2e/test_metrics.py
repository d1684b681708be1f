"""METRICS_FILE after whole runs, calm runs and bad ones; a file that cannot be written harms no run."""

import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from builders.calmpage import add_due, calm_page, calmed, words
from builders.page import certkeeper
from certkeeper.adapters.calm import recall
from certkeeper.cli.main import main


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return calm_page(tmp_path, f'METRICS_FILE="{tmp_path}/out/certkeeper.prom"')


def numbers(page: Path) -> dict[str, float]:
    """Those without labels, and those of a.example."""
    text = (page.parent.parent / "out" / "certkeeper.prom").read_text(encoding="utf-8")
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        sample.name.removeprefix("certkeeper_"): sample.value
        for sample in samples
        if sample.labels in ({}, {"certificate": "a.example"})
    }


def test_a_run_writes_it_and_a_calm_one_keeps_it_fresh(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = certkeeper(*words(page), cwd=page.parent)
    assert (done.code, done.err) == (0, "")
    found = numbers(page)
    assert found["run_success"] == 1
    assert found["good_run_timestamp_seconds"] == pytest.approx(time.time(), abs=60)
    assert found["certificate_not_after_timestamp_seconds"] == pytest.approx(time.time() + 80 * 86400, abs=86400)
    assert 0 < found["run_duration_seconds"] < 60
    calmed(page)
    file = page.parent.parent / "out" / "certkeeper.prom"
    old = file.read_text(encoding="utf-8")
    file.write_text(old.replace("run_timestamp_seconds 1", "run_timestamp_seconds 0"), encoding="utf-8")
    assert numbers(page)["run_timestamp_seconds"] < 10**9
    assert recall(words(page)) is not None
    assert main(words(page)) == 0
    assert capsys.readouterr().err == ""
    fresh = numbers(page)
    assert fresh["run_timestamp_seconds"] == pytest.approx(time.time(), abs=60)
    assert fresh["good_run_timestamp_seconds"] == fresh["run_timestamp_seconds"]
    assert fresh.keys() == numbers(page).keys()
    assert fresh["certificate_problem"] == 0


def test_a_bad_run_says_so_and_keeps_the_time_of_the_good_one(page: Path) -> None:
    certkeeper(*words(page), cwd=page.parent)
    good = numbers(page)["good_run_timestamp_seconds"]
    add_due(page)
    assert certkeeper(*words(page), cwd=page.parent).code == 1
    found = numbers(page)
    assert (found["run_success"], found["run_exit_code"]) == (0, 1)
    assert found["good_run_timestamp_seconds"] == good
    assert found["run_timestamp_seconds"] >= good


def test_a_run_of_some_certificates_says_nothing(page: Path) -> None:
    certkeeper(*words(page, "a.example"), cwd=page.parent)
    assert list((page.parent.parent / "out").iterdir()) == []


@pytest.mark.parametrize("calm", [False, True])
def test_a_file_that_cannot_be_written_is_one_line(
    page: Path, capsys: pytest.CaptureFixture[str], *, calm: bool
) -> None:
    if calm:
        calmed(page)
        assert recall(words(page)) is not None
    out = page.parent.parent / "out"
    for path in out.iterdir():
        path.unlink()
    out.rmdir()
    capsys.readouterr()
    assert main(words(page)) == 0
    done = capsys.readouterr()
    assert "3 certificates, nothing due" in done.out
    (line,) = [line for line in done.err.splitlines() if "warning" in line]
    assert line.startswith(f"certkeeper: warning: metrics: {out}/certkeeper.prom: ")


@pytest.mark.parametrize("path", ["certkeeper.prom", "/tmp/certkeeper.txt"])
def test_a_name_that_node_exporter_would_pass_over_is_refused(tmp_path: Path, path: str) -> None:
    page = calm_page(tmp_path, f'METRICS_FILE="{path}"')
    done = certkeeper(*words(page), cwd=page.parent)
    assert done.code == 2
    assert "METRICS_FILE: " in done.only_error()
