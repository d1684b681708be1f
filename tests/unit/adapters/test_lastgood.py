"""When a run over the whole page last ended well."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from certkeeper.adapters.lastgood import LastGood
from certkeeper.adapters.state import StateRefused

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_it_is_kept_as_the_time_of_an_empty_file(tmp_path: Path) -> None:
    kept = LastGood(str(tmp_path / "state"))
    assert kept.read() is None
    kept.mark(NOON)
    assert kept.read() == NOON
    file = tmp_path / "state" / "last-good-run"
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"", 0o600)
    kept.mark(NOON.replace(hour=13))
    assert kept.read() == NOON.replace(hour=13)


def test_what_others_can_write_says_nothing(tmp_path: Path) -> None:
    kept = LastGood(str(tmp_path / "state"))
    kept.mark(NOON)
    (tmp_path / "state").chmod(0o777)
    assert kept.read() is None
    (tmp_path / "state" / "last-good-run").unlink()
    with pytest.raises(StateRefused):
        kept.mark(NOON)


def test_no_link_is_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("")
    before = other.stat().st_mtime_ns
    LastGood(str(tmp_path / "state")).mark(NOON)
    (tmp_path / "state" / "last-good-run").unlink()
    (tmp_path / "state" / "last-good-run").symlink_to(other)
    LastGood(str(tmp_path / "state")).mark(NOON)
    assert other.stat().st_mtime_ns == before
