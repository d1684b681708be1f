"""Asking before something is changed. Where nobody can be asked, the answer is no."""

import sys
from typing import TextIO


def confirmed(question: str, *, yes: bool, out: TextIO | None = None) -> bool:
    """May it be done? `yes` answers for the person; `out` is where the question goes (standard output)."""
    stream = out or sys.stdout
    if yes:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        sys.stderr.write("certkeeper: nothing is changed: nobody can be asked here\n")
        sys.stderr.write("certkeeper: hint: --yes changes it without a question\n")
        return False
    stream.write(f"{question} [y/N] ")
    stream.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
