"""STATEDIR/responses.json, root's: which OCSP response of a certificate each service was told of last.

That another user's run put a new one beside the certificate, root has nobody's word for but this. A cache: without it,
services are told once more.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from contextlib import suppress

from certkeeper.adapters.caches import read_cache, write_cache
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias

NAME = "responses.json"
SCHEMA = 1
_LARGEST = 64 << 20
"""Octets; some 120 for each certificate of a service."""

Pair = tuple[str, Alias]
"""A service and a certificate."""


class ToldResponses:
    """What services were told of."""

    def __init__(self, statedir: str) -> None:
        self._statedir = statedir
        self._told: Mapping[str, str] | None = None

    def is_new(self, pair: Pair, staple: bytes) -> bool:
        """There is a response, and the service was not told of it yet."""
        if self._told is None:
            self._told = read_cache(self._statedir, NAME, _LARGEST, _parsed) or {}
        return bool(staple) and self._told.get(_key(pair)) != _digest(staple)

    def learn(self, told: Mapping[Pair, bytes], pairs: Collection[Pair]) -> None:
        """Services were told of these. Of `pairs` the others stay as they were, and nothing else does."""
        before = self._told or {}
        after = {_key(pair): before[_key(pair)] for pair in pairs if _key(pair) in before}
        after |= {_key(pair): _digest(staple) for pair, staple in told.items() if staple}
        if after == before:
            return
        # Where it cannot be written, services are told again.
        with suppress(CertkeeperError):
            body = json.dumps({"version": SCHEMA, "told": after}, separators=(",", ":"), sort_keys=True)
            write_cache(self._statedir, NAME, body.encode() + b"\n")
            self._told = after


def _parsed(content: bytes) -> Mapping[str, str]:
    try:
        document = json.loads(content)
        return {str(key): str(digest) for key, digest in document["told"].items()} if _ours(document) else {}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _ours(document: Mapping[str, object]) -> bool:
    return document["version"] == SCHEMA


def _key(pair: Pair) -> str:
    """No service's name has a blank."""
    return f"{pair[0]} {pair[1]}"


def _digest(staple: bytes) -> str:
    return hashlib.sha256(staple).hexdigest()
