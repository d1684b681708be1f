"""Which installed program is tested: the one beside these tests, or that of another Python's environment."""

import os
import sys
from pathlib import Path

PYTHON = os.environ.get("CERTKEEPER_TESTED_PYTHON") or sys.executable
"""scripts/test names those into which it installed the wheel."""


def script(name: str) -> Path:
    """A program that the installation made, beside its Python."""
    return Path(PYTHON).with_name(name)
