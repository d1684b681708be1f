"""STATEDIR/last-run.json: why certificates were not issued, for people who look later.

A cache: nothing is decided by it, and it may be deleted at any time.
"""

import json
from collections.abc import Mapping

from certkeeper.adapters.caches import USELESS, read_cache, write_cache
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.times import from_epoch
from certkeeper.plan.lastrun import Failure

NAME = "last-run.json"
SCHEMA = 1
_LARGEST = 64 << 20


class LastRunFile:
    """The failures of earlier runs, by certificate."""

    def __init__(self, statedir: str) -> None:
        self._statedir = statedir

    def read(self) -> Mapping[Alias, Failure]:
        """None where the file is missing or of no use."""
        return read_cache(self._statedir, NAME, _LARGEST, parse) or {}

    def write(self, failures: Mapping[Alias, Failure]) -> None:
        """Put these in the place of those before.

        Raises:
            CertkeeperError: the folder is not ours alone, or cannot be written to.
        """
        write_cache(self._statedir, NAME, render(failures))


def render(failures: Mapping[Alias, Failure]) -> bytes:
    """The file's content."""
    entries = {
        alias.text: {
            "at": int(item.at.timestamp()),
            "inputs": item.inputs,
            "message": item.message,
            "hint": item.hint,
            "kept": item.kept,
            "label": item.label,
        }
        for alias, item in failures.items()
    }
    return json.dumps({"version": SCHEMA, "failures": entries}).encode() + b"\n"


def parse(content: bytes) -> Mapping[Alias, Failure]:
    """What such a file says; nothing where a part of it is not as it should be."""
    try:
        document = json.loads(content)
        if document["version"] != SCHEMA:
            return {}
        return {
            Alias.parse(alias): Failure(
                from_epoch(int(item["at"])),
                str(item["inputs"]),
                str(item["message"]),
                str(item["hint"]),
                bool(item["kept"]),
                str(item.get("label") or CertkeeperError.label),
            )
            for alias, item in document["failures"].items()
        }
    except USELESS:
        return {}
