"""Runs a program in Python and writes what its CPU time went into: `python profiled.py OUT PROGRAM ARGUMENTS...`.

OUT.pstats is for `python -m pstats`, OUT.txt is what one wants to see first. All threads are in it, each by its own CPU
time, so waiting counts for nothing.
"""

import cProfile
import io
import os
import pstats
import runpy
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

MOST = 40
"""Functions that OUT.txt has."""


class _Profile(cProfile.Profile):
    def create_stats(self) -> None:
        """What is still under way in other threads is left out: it would be timed by the clock of who asks."""
        self.snapshot_stats()  # type: ignore[attr-defined]


class Profiles:
    """One for each thread."""

    def __init__(self) -> None:
        self._all: list[_Profile] = []

    def begin(self) -> None:
        """For the thread that asks."""
        profile = _Profile(time.thread_time)
        self._all.append(profile)
        profile.enable()

    def merged(self) -> pstats.Stats:
        """So far, for the thread that began first; others may wait for work and never end."""
        self._all[0].disable()
        return pstats.Stats(*self._all, stream=io.StringIO())


def main() -> None:
    out, script = Path(sys.argv[1]), sys.argv[2]
    profiles = Profiles()
    run = threading.Thread.run

    def watched(thread: threading.Thread) -> None:
        profiles.begin()
        run(thread)

    threading.Thread.run = watched  # type: ignore[method-assign]
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path(script).parent)
    profiles.begin()
    leave = os._exit

    def left(code: int) -> NoReturn:
        written(profiles, out)
        leave(code)

    # certkeeper does not wait for Python to take everything apart.
    os._exit = left  # type: ignore[assignment]
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        written(profiles, out)


def written(profiles: Profiles, out: Path) -> None:
    stats = profiles.merged()
    stats.dump_stats(f"{out}.pstats")
    stats.sort_stats("tottime").print_stats(MOST)
    stats.sort_stats("cumtime").print_stats(MOST)
    Path(f"{out}.txt").write_text(stats.stream.getvalue(), encoding="utf-8")  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
