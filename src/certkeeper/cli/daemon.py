"""`certkeeper daemon`."""

import argparse
import os
import sys

from certkeeper.daemon.loop import Loop
from certkeeper.daemon.machine import RealWorld
from certkeeper.daemon.notify import NotifySocket, watchdog_seconds

_HOUR = 3600.0
# Without the folder that somebody stands in: programs are looked for where they are installed.
_PYTHON = (sys.executable, "-P", "-m")


def daemon(options: argparse.Namespace) -> int:
    """Start runs until somebody ends it; 0 then. How runs end is told by them, and remembered for `status`."""
    where = ["--config", options.config] if options.config else []
    if options.evaluator == "bash":
        where.append("--source-config")
    config = options.config or os.environ.get("CONFIG") or ""
    run = (*_PYTHON, "certkeeper", "run", "--wait-lock", *where)
    page = (*_PYTHON, "certkeeper.cli.compose.pagefiles", config, options.evaluator)
    Loop(RealWorld(run, page), NotifySocket(), every=options.every * _HOUR, silence=watchdog_seconds()).run()
    return 0
