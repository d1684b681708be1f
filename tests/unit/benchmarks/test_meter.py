import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.runner import METER

BURN = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass"


def measured(folder: Path, *command: str, limit: int = 20) -> dict[str, Any]:
    report = folder / "report.json"
    meter = [sys.executable, "-I", "-S", str(METER), str(report), str(limit)]
    subprocess.run([*meter, *command], check=True, timeout=60, capture_output=True)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def test_it_tells_the_exit_code(tmp_path: Path) -> None:
    assert measured(tmp_path, "/bin/sh", "-c", "exit 3")["code"] == 3


def test_a_command_that_takes_too_long_is_ended_and_has_no_code(tmp_path: Path) -> None:
    found = measured(tmp_path, "/bin/sh", "-c", "sleep 50; true", limit=1)
    assert found["code"] is None
    assert 1 <= found["wall"] < 30


def test_descendants_count_also_where_nobody_waited_for_them(tmp_path: Path) -> None:
    found = measured(tmp_path, "/bin/sh", "-c", f'{sys.executable} -I -S -c "$0" & exit 0', BURN)
    assert found["code"] == 0
    assert found["cpu"] >= 0.2


def test_the_meter_itself_is_not_in_the_peak(tmp_path: Path) -> None:
    assert 0 < measured(tmp_path, "/bin/true")["peak_kib"] < 8 * 1024


def test_a_command_that_is_not_there_ends_like_in_a_shell(tmp_path: Path) -> None:
    assert measured(tmp_path, "/nowhere/at/all")["code"] == 127
