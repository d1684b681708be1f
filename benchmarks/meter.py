"""Runs one command and writes down what it cost: `python -I -S meter.py RESULT SECONDS COMMAND...`.

A program of its own, so that nothing but the command and its descendants is in the numbers. It is their subreaper:
descendants whose parent did not wait for them are waited for here, and so none of them is missed.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time
from types import FrameType

PR_SET_CHILD_SUBREAPER = 36
STRAGGLERS = 10
"""Seconds that descendants may outlive the command."""


class TimeIsUpError(Exception):
    pass


def _time_is_up(_number: int, _frame: FrameType | None) -> None:
    raise TimeIsUpError


def _wait_for_others() -> None:
    """Until no descendant is left."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def measure(command: list[str], seconds: int) -> dict[str, object]:
    """Wall time ends with the command; CPU time and peak memory are those of all its descendants too."""
    signal.signal(signal.SIGALRM, _time_is_up)
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.setsid()
        try:
            os.execvp(command[0], command)  # noqa: S606 - argv was made by the benchmark
        finally:
            os._exit(127)
    timed_out, status = False, 0
    signal.alarm(seconds)
    try:
        _, status = os.waitpid(child, 0)
    except TimeIsUpError:
        timed_out = True
    wall = time.monotonic() - start
    signal.alarm(STRAGGLERS)
    try:
        if timed_out:
            os.killpg(child, signal.SIGKILL)
        _wait_for_others()
    except TimeIsUpError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    signal.alarm(0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "code": None if timed_out else os.waitstatus_to_exitcode(status),
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "peak_kib": used.ru_maxrss,
    }


def main() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    result = measure(sys.argv[3:], int(sys.argv[2]))
    with open(sys.argv[1], "w", encoding="ascii") as out:  # noqa: PTH123 - pathlib would only make this process larger
        json.dump(result, out)


if __name__ == "__main__":
    main()
