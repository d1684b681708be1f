"""`certkeeper explain`: the paragraphs of docs/runbook.md, which comes along with the program."""

import argparse
import re
import shutil
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from certkeeper.base.errors import ExitCode, UsageError, printable
from certkeeper.config.findings import did_you_mean

_HERE = Path(__file__).resolve().parents[1]
_PLACES = (_HERE / "runbook.md", _HERE.parents[1] / "docs" / "runbook.md")
"""In what is installed, and in a checkout."""
_PARAGRAPH = re.compile(r"^### `([a-z-]+)`\n\n(.+?)(?=\n\n#|\Z)", re.MULTILINE | re.DOTALL)
_NARROWEST, _WIDEST = 40, 100


class NoSuchId(UsageError):
    """A word that nothing is told by."""


def explain(options: argparse.Namespace) -> int:
    """Print one paragraph, or the first line of each.

    Raises:
        NoSuchId: there is none.
    """
    known = paragraphs()
    room = min(max(shutil.get_terminal_size((80, 24)).columns, _NARROWEST), _WIDEST)
    if options.id is None:
        width = max(map(len, known))
        for label, text in known.items():
            meaning = text.partition(". ")[0].partition("\n")[0].rstrip(".")
            sys.stdout.write(_filled(meaning, room, f"{label:{width}}  "))
        return ExitCode.DONE
    if options.id not in known:
        close = did_you_mean(options.id, sorted(known))
        raise NoSuchId(
            f"{printable(options.id, 60)}: no such id",
            hint=f"did you mean {close}?" if close else "certkeeper explain lists them",
        )
    sys.stdout.write(f"{options.id}\n")
    for line in known[options.id].splitlines():
        sys.stdout.write(_filled(line, room, "  "))
    return ExitCode.DONE


def _filled(text: str, room: int, before: str) -> str:
    """Whole words: names and commands are to be copied."""
    rest = " " * len(before)
    filled = textwrap.fill(
        text, room, initial_indent=before, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return f"{filled}\n"


def paragraphs() -> Mapping[str, str]:
    """What is said of each id, in the runbook's order."""
    file = next(path for path in _PLACES if path.exists())
    return dict(_PARAGRAPH.findall(file.read_text(encoding="utf-8")))
