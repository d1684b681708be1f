"""STATEDIR/alerts.json: who was told of what, by the way they are told.

It may be deleted at any time: then they are told once more.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from certkeeper.adapters.caches import read_cache, write_cache
from certkeeper.base.times import from_epoch
from certkeeper.plan.alerts import Memory, Told

NAME = "alerts.json"
SCHEMA = 2
_FIRST = 1
"""One memory for all ways; those that there were."""
_FIRST_WAYS = ("mail", "command")
_LARGEST = 16 << 20
_NOTHING_SAID = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, OSError)


class ToldFile:
    """What each way was told of."""

    def __init__(self, statedir: str) -> None:
        self._statedir = statedir

    def read(self) -> Mapping[str, Memory]:
        return read_cache(self._statedir, NAME, _LARGEST, _parse) or {}

    def write(self, ways: Mapping[str, Memory]) -> None:
        """Raises:
        CertkeeperError: it cannot be written.
        """
        entries = {
            way: {
                "told": {key: {"core": item.core, "at": _epoch(item.at)} for key, item in memory.told.items()},
                "summary": _epoch(memory.summary) if memory.summary is not None else None,
            }
            for way, memory in ways.items()
        }
        write_cache(self._statedir, NAME, json.dumps({"version": SCHEMA, "ways": entries}).encode() + b"\n")


def _epoch(instant: datetime) -> int:
    return int(instant.timestamp())


def _parse(content: bytes) -> Mapping[str, Memory]:
    try:
        document = json.loads(content)
        match document["version"]:
            case _ if document["version"] == SCHEMA:
                return {str(way): _memory(item) for way, item in document["ways"].items()}
            case _ if document["version"] == _FIRST:
                return dict.fromkeys(_FIRST_WAYS, _memory(document))
            case _:
                return {}
    except _NOTHING_SAID:
        return {}


def _memory(item: Mapping[str, Any]) -> Memory:
    told = {str(key): Told(str(entry["core"]), from_epoch(int(entry["at"]))) for key, entry in item["told"].items()}
    summary = item.get("summary")
    return Memory(told, from_epoch(int(summary)) if summary is not None else None)
