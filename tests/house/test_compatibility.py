"""docs/compatibility.md is up to date, and every row of tests/compat/rows.toml has a test or says what it waits for."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_document_is_up_to_date_and_every_row_is_shown() -> None:
    ended = subprocess.run(
        [ROOT / "scripts" / "compatibility", "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
