from datetime import UTC, datetime
from pathlib import Path

import pytest

from certkeeper.adapters.zonehealth import NAME, ZoneHealthFile, parse, render
from certkeeper.config.findings import Finding, Severity
from certkeeper.plan.zonehealth import Health, ServerHealth, ZoneHealth

LOOKED = datetime(2026, 12, 1, 4, 40, tzinfo=UTC)
FINDING = Finding("lame", Severity.WARNING, "ns2 is silent", "a CA may see nothing", "mend it")
ZONE = ZoneHealth("example.org", LOOKED, "primary", (ServerHealth("ns2", "no answer", trouble=True),), (FINDING,))
HEALTH = Health({"example.org": ZONE}, (FINDING,))


def test_what_was_seen_is_read_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    file = ZoneHealthFile(str(state))
    assert file.read() is None
    file.write(HEALTH)
    assert file.read() == HEALTH
    assert (state / NAME).stat().st_mode & 0o777 == 0o600


def test_a_look_makes_no_folder(tmp_path: Path) -> None:
    ZoneHealthFile(str(tmp_path / "state")).write(HEALTH)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"version": 2}',
        b'{"version": 1}',
        render(HEALTH)[:-20],
        render(HEALTH).replace(b'"warning"', b'"x"'),
    ],
)
def test_a_file_that_is_of_no_use_is_none(content: bytes) -> None:
    assert parse(content) is None
