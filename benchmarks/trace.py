"""How many processes a command starts, from what strace writes."""

import re
import shutil
from pathlib import Path

from benchmarks.model import Started

STARTS = re.compile(r"^(?:\d+ +)?(?:clone3?|v?fork)\(.*$", re.MULTILINE)
FAILED = re.compile(r"= (?:-1 |\?)")


def tracer(log: Path) -> tuple[str, ...]:
    """A command prefix; empty where strace is not here."""
    strace = shutil.which("strace")
    if strace is None:
        return ()
    calls = "trace=clone,clone3,fork,vfork"
    return (strace, "-f", "-qq", "--seccomp-bpf", "-e", calls, "-e", "signal=none", "-o", str(log))


def started(log: str) -> Started:
    """Processes and threads, the command's own process and thread among them.

    A call that another process interrupts is written as two lines; only the first begins with the call's name.
    """
    calls = [line for line in STARTS.findall(log) if not FAILED.search(line)]
    threads = sum("CLONE_THREAD" in call for call in calls)
    return Started(1 + len(calls) - threads, 1 + len(calls))
