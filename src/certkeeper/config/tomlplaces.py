"""On which line each key of a TOML document stands, which tomllib does not say.

The document is known to be well-formed: tomllib has read it. Keys inside an inline table are not looked for; they
stand, as far as this knows, where their table begins.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+|[ \t]*\.[ \t]*)+""")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}' r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^\"'\[\]{}#\n]+")


class Places:
    """The line of each table and key, by its path."""

    def __init__(self, lines: Mapping[KeyPath, int]) -> None:
        self._lines = lines

    def line(self, path: Sequence[str]) -> int:
        """The line of a key; of the closest table around it where that is all that is known."""
        for size in range(len(path), 0, -1):
            if found := self._lines.get(tuple(path[:size])):
                return found
        return 0


def places(text: str) -> Places:
    """Find the keys of a well-formed document."""
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    at, line, counted = 0, 1, 0
    while (at := _after(_SPACE, text, at)) < len(text):
        line += text.count("\n", counted, at)
        counted = at
        if header := text[at] == "[":
            at = _after(_SPACE, text, text.startswith("[[", at) + at + 1)
        found = _KEY.match(text, at)
        if found is None:
            break
        path = _parts(found[0])
        if header:
            table = path
        else:
            path = (*table, *path)
        for size in range(1, len(path) + 1):
            lines.setdefault(path[:size], line)
        # Behind a header there is nothing but its bracket and a comment.
        at = _end(text, found.end()) if header else _value_end(text, found.end())
    return Places(lines)


def _parts(key: str) -> KeyPath:
    """The parts of a dotted key, quotes and escapes resolved."""
    if '"' not in key and "'" not in key:
        return tuple(part.strip(" \t") for part in key.split("."))
    parts: list[str] = []
    found: object = tomllib.loads(f"{key} = 0")
    while isinstance(found, dict):
        ((name, found),) = found.items()
        parts.append(name)
    return tuple(parts)


def _end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return end if end >= 0 else len(text)


def _value_end(text: str, at: int) -> int:
    """Where the statement ends: at the first line end that is in no string and no bracket."""
    depth = 0
    while at < len(text):
        char = text[at]
        if char in "\"'":
            at = max(_after(_STRING, text, at), at + 1)
        elif char == "#":
            at = _end(text, at)
        elif char == "\n":
            if not depth:
                return at
            at += 1
        elif char in "[]{}":
            depth += 1 if char in "[{" else -1
            at += 1
        else:
            at = max(_after(_PLAIN, text, at), at + 1)
    return at


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
