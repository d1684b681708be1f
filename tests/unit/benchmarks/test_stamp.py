import subprocess
import sys

from benchmarks.internet import STAMPED

DAEMON = "import os, sys; print(os.getpid(), flush=True); print('to stderr', file=sys.stderr)"


def test_lines_of_both_streams_get_a_time_and_the_daemon_keeps_its_process() -> None:
    with subprocess.Popen([*STAMPED, sys.executable, "-c", DAEMON], stdout=subprocess.PIPE, text=True) as daemon:
        said, _ = daemon.communicate(timeout=30)
    lines = [line.split(" ", 1) for line in said.splitlines()]
    assert [text for _, text in lines] == [str(daemon.pid), "to stderr"]
    assert all(float(at) > 0 for at, _ in lines)
