"""STATEDIR/ocsp.json: how the last tries to get OCSP responses went, so that responders are not asked on every run.

A cache: it may be deleted at any time, and a file that is damaged, or of another version, counts as none.
"""

import json
from collections.abc import Mapping

from certkeeper.adapters.caches import USELESS, read_cache, write_cache
from certkeeper.base.errors import printable
from certkeeper.base.names import Alias
from certkeeper.base.times import from_epoch
from certkeeper.ocsp.freshness import Asked

NAME = "ocsp.json"
SCHEMA = 1
_LARGEST = 64 << 20
"""Octets; some 200 for each certificate."""
_LONGEST_MESSAGE = 300


class AskedFile:
    """The last tries, by certificate."""

    def __init__(self, statedir: str) -> None:
        self._statedir = statedir

    def read(self) -> Mapping[Alias, Asked]:
        """All of them; nothing where the file is missing or of no use, or where others may have written it."""
        return read_cache(self._statedir, NAME, _LARGEST, parse) or {}

    def write(self, asked: Mapping[Alias, Asked]) -> None:
        """Put these in the place of all that is there.

        Raises:
            CertkeeperError: the folder is not ours alone, or cannot be written to.
        """
        write_cache(self._statedir, NAME, render(asked))


def render(asked: Mapping[Alias, Asked]) -> bytes:
    """The file's content; instants are epoch seconds."""
    entries = {alias.text: _members(item) for alias, item in sorted(asked.items(), key=lambda pair: pair[0].text)}
    return json.dumps({"version": SCHEMA, "certificates": entries}, separators=(",", ":")).encode() + b"\n"


def parse(content: bytes) -> Mapping[Alias, Asked]:
    """What such a file says; nothing where a part of it is not as it should be."""
    try:
        document = json.loads(content)
        if document["version"] != SCHEMA:
            return {}
        return {Alias.parse(alias): _asked(members) for alias, members in document["certificates"].items()}
    except USELESS:
        return {}


def _members(item: Asked) -> Mapping[str, object]:
    return {
        "certificate": item.subject,
        "at": int(item.at.timestamp()),
        "retry_at": int(item.retry_at.timestamp()),
        "failures": item.failures,
        "flaw": item.flaw,
        "message": printable(item.message, _LONGEST_MESSAGE),
        "owes": item.owes,
    }


def _asked(members: Mapping[str, object]) -> Asked:
    subject, flaw, message = (str(members[name]) for name in ("certificate", "flaw", "message"))
    at, retry_at, failures = (int(str(members[name])) for name in ("at", "retry_at", "failures"))
    return Asked(
        subject, from_epoch(at), from_epoch(retry_at), max(0, failures), flaw, message, owes=members["owes"] is True
    )
