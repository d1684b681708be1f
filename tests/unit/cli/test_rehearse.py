"""`certkeeper rehearse` on a page: what is typed, what is shown, and that nothing is touched."""

import json
from pathlib import Path

import pytest

from certkeeper.cli.main import main

CONFIG = 'CHALLENGETYPE="dns-01"\nDNS_PROVIDER="manual"\n'


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "config").write_text(CONFIG)
    (tmp_path / "domains.txt").write_text("".join(f"n{at}.example.org\n" for at in range(60)))
    return tmp_path


def ran(page: Path, *words: str) -> int:
    return main(["rehearse", "--config", str(page / "config"), *words])


def test_it_shows_the_days_and_touches_nothing(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in page.rglob("*"))
    assert ran(page, "--days", "30") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("60 certificates, 30 days from ")
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert "50 orders in 7 days: fewest left 0 for example.org" in " ".join(line.strip() for line in lines)
    assert sorted((path, path.stat().st_mtime_ns) for path in page.rglob("*")) == before


def test_json_and_the_questions(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("n1.example.org", "n2.example.org", "--json", "--days", "20", "--every", "6", "--revoked", "5")
    assert ran(page, *words, "--outage", "10+3") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["certificates"], found["days"], found["every"]) == (2, 20, 6 * 3600)
    assert found["revoked"]["replaced"] == 2
    assert found["issued"] == 4
    assert found["outage"]["start"] > found["start"]


def test_what_expires_is_an_exit_code(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (page / "config").write_text(CONFIG + 'RUN_LIMIT="1"\nACME_PROFILE="shortlived"\n')
    assert ran(page, "--days", "60", "--outage", "20+12") == 1
    assert "expired: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--days", "0", "'0' is no number of days from 1 to 3650"),
        ("--days", "x", "'x' is no number of days"),
        ("--every", "169", "'169' is no number of hours from 1 to 168"),
        ("--outage", "7", "'7' is no outage: write it as 40+7"),
        ("--outage", "4+", "'' is no number of days"),
        ("--revoked", "-1", "'-1' is no number of days from now from 0 to 3650"),
    ],
)
def test_what_is_no_question_is_refused(
    page: Path, option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        ran(page, option, value)
    assert said in capsys.readouterr().err
