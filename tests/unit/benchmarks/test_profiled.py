import pstats
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.programs import PROFILED

SCRIPT = """
import sys, threading
def in_a_thread(): return sum(range(100_000))
def waits_for_work(): threading.Event().wait()
def in_the_main_one(): return sum(range(100_000))
thread = threading.Thread(target=in_a_thread)
thread.start()
thread.join()
threading.Thread(target=waits_for_work, daemon=True).start()
in_the_main_one()
print(*sys.argv[1:])
sys.stdout.flush()
END
"""


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "import os; os._exit(3)"])
def test_all_threads_are_in_the_profile_and_the_program_ends_as_ever(tmp_path: Path, end: str) -> None:
    script = tmp_path / "script"
    script.write_text(SCRIPT.replace("END", end), encoding="utf-8")
    command = [sys.executable, str(PROFILED), str(tmp_path / "out"), str(script), "--word", "two"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (3, "--word two\n", "")
    functions = {name for _, _, name in pstats.Stats(str(tmp_path / "out.pstats")).stats}  # type: ignore[attr-defined]
    assert {"in_a_thread", "in_the_main_one"} <= functions
    assert "in_a_thread" in (tmp_path / "out.txt").read_text(encoding="utf-8")
