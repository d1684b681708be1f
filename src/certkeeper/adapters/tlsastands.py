"""STATEDIR/tlsa.json: where the last run left TLSA records, for people who look later, and for alerts.

A cache: no record is decided by it, and it may be deleted at any time.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from certkeeper.adapters.caches import USELESS, read_cache, write_cache
from certkeeper.base.names import Alias
from certkeeper.base.times import from_epoch
from certkeeper.plan.tlsastands import TlsaStand, TlsaStands

NAME = "tlsa.json"
SCHEMA = 1
_LARGEST = 64 << 20
_TEXTS = ("owner", "state", "sentence", "trouble", "hint")


class StandsFile:
    """What the last run that looked found."""

    def __init__(self, statedir: str) -> None:
        self._statedir = statedir

    def read(self) -> TlsaStands | None:
        """None where the file is missing or of no use."""
        return read_cache(self._statedir, NAME, _LARGEST, parse)

    def write(self, stands: TlsaStands) -> None:
        """Put these in the place of those before.

        Raises:
            CertkeeperError: the folder is not ours alone, or cannot be written to.
        """
        write_cache(self._statedir, NAME, render(stands))


def render(stands: TlsaStands) -> bytes:
    """The file's content."""
    entries = [
        {
            "alias": item.alias.text,
            **{name: getattr(item, name) for name in _TEXTS},
            "until": _seconds(item.until),
            "since": _seconds(item.since),
        }
        for item in stands.stands
    ]
    return json.dumps({"version": SCHEMA, "at": _seconds(stands.at), "stands": entries}).encode() + b"\n"


def parse(content: bytes) -> TlsaStands | None:
    """What such a file says; None where a part of it is not as it should be."""
    try:
        document = json.loads(content)
        if document["version"] != SCHEMA:
            return None
        return TlsaStands(from_epoch(document["at"]), tuple(_stand(item) for item in document["stands"]))
    except USELESS:
        return None


def _stand(item: Mapping[str, Any]) -> TlsaStand:
    owner, state, sentence, trouble, hint = (str(item[name]) for name in _TEXTS)
    until, since = _time(item["until"]), _time(item["since"])
    return TlsaStand(Alias.parse(item["alias"]), owner, state, sentence, until, trouble, hint, since)


def _seconds(instant: datetime | None) -> float | None:
    return instant.timestamp() if instant is not None else None


def _time(seconds: float | None) -> datetime | None:
    return from_epoch(seconds) if seconds is not None else None
