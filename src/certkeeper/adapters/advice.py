"""STATEDIR/ari.json: what the CA said of renewals, so that it is not asked on every run.

A cache: it may be deleted at any time, and a file that is damaged, or of another version, counts as none.
"""

import json
from collections.abc import Mapping
from typing import cast

from certkeeper.acme.renewal_info import Window
from certkeeper.adapters.caches import USELESS, read_cache, write_cache
from certkeeper.base.names import Alias
from certkeeper.base.times import from_epoch
from certkeeper.plan.advice import Advice, Suggestion

NAME = "ari.json"
SCHEMA = 1
_LARGEST = 64 << 20
"""Octets; some 200 for each certificate."""


class AdviceFile:
    """The advice that is kept between runs."""

    def __init__(self, statedir: str) -> None:
        self._statedir = statedir

    def read(self) -> Mapping[Alias, Advice]:
        """All of it; nothing where the file is missing or of no use, or where others may have written it."""
        return read_cache(self._statedir, NAME, _LARGEST, parse) or {}

    def write(self, advice: Mapping[Alias, Advice]) -> None:
        """Put this in the place of all that is there.

        Raises:
            StateRefused: the folder is not ours alone.
            FileTrouble: it cannot be written.
        """
        write_cache(self._statedir, NAME, render(advice))


def render(advice: Mapping[Alias, Advice]) -> bytes:
    """The file's content; instants are epoch seconds."""
    certificates = {str(alias): _members(item) for alias, item in sorted(advice.items(), key=lambda pair: str(pair[0]))}
    return json.dumps({"version": SCHEMA, "certificates": certificates}, separators=(",", ":")).encode() + b"\n"


def parse(content: bytes) -> Mapping[Alias, Advice]:
    """What such a file says; nothing where a part of it is not as it should be."""
    try:
        document = json.loads(content)
        if document["version"] != SCHEMA:
            return {}
        return {Alias(name): _advice(members) for name, members in document["certificates"].items()}
    except USELESS:
        return {}


def _members(advice: Advice) -> Mapping[str, object]:
    members: dict[str, object] = {
        "ca": advice.ca,
        "id": advice.cert_id,
        "ask_at": int(advice.ask_at.timestamp()),
        "failures": advice.failures,
    }
    suggestion = advice.suggestion
    if suggestion is not None:
        members["window"] = [int(suggestion.window.start.timestamp()), int(suggestion.window.end.timestamp())]
        members["renew_at"] = int(suggestion.renew_at.timestamp())
        members["explanation"] = suggestion.explanation
        members["hurried"] = suggestion.hurried
    return members


def _advice(members: Mapping[str, object]) -> Advice:
    return Advice(
        _text(members["ca"]),
        _text(members["id"]),
        from_epoch(_number(members["ask_at"])),
        _suggestion(members) if "window" in members else None,
        max(0, _number(members["failures"])),
    )


def _suggestion(members: Mapping[str, object]) -> Suggestion:
    start, end = cast("list[object]", members["window"])
    window = Window(from_epoch(_number(start)), from_epoch(_number(end)))
    renew_at = from_epoch(_number(members["renew_at"]))
    if not window.start <= renew_at < window.end:
        raise ValueError(renew_at)
    return Suggestion(window, renew_at, _text(members["explanation"]), members["hurried"] is True)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError(value)
    return value


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(value)
    return value
