"""What each way was told of, between runs."""

import json
from datetime import UTC, datetime
from pathlib import Path

from certkeeper.adapters.toldfile import ToldFile
from certkeeper.plan.alerts import Memory, Told

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_what_was_told_is_remembered_by_way(tmp_path: Path) -> None:
    ways = {"mail": Memory({"web": Told("core", NOON)}, NOON), "url:0123": Memory()}
    file = ToldFile(str(tmp_path / "state"))
    assert file.read() == {}
    file.write(ways)
    assert file.read() == ways
    assert (tmp_path / "state" / "alerts.json").stat().st_mode & 0o777 == 0o600


def test_one_memory_for_all_ways_as_it_was_before_is_read(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "alerts.json").write_text(
        json.dumps({"version": 1, "told": {"web": {"core": "core", "at": int(NOON.timestamp())}}})
    )
    told = Memory({"web": Told("core", NOON)})
    assert ToldFile(str(state)).read() == {"mail": told, "command": told}


def test_what_cannot_be_understood_is_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    for damaged in ("", "[]", '{"version": 3, "ways": {}}', '{"version": 2, "ways": {"a": {"told": {"b": 1}}}}'):
        (state / "alerts.json").write_text(damaged)
        assert ToldFile(str(state)).read() == {}
