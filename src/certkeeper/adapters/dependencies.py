"""The packages that this program is made of, as they are installed: which versions there are, and which are too old."""

import re
from collections.abc import Iterator
from importlib import metadata

from certkeeper.base.value import dataclass

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9][0-9.]*))?\s*(;.*)?")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Dependency:
    """A package by its name; `found` is its version, empty where there is none, `floor` the lowest that will do."""

    name: str
    found: str
    floor: str

    @property
    def enough(self) -> bool:
        return bool(self.found) and _number(self.found) >= _number(self.floor)


def dependencies(package: str = "certkeeper") -> Iterator[Dependency]:
    """Those that are always needed, in alphabetical order; none where the program was never installed as a package."""
    try:
        required = metadata.requires(package) or []
    except metadata.PackageNotFoundError:
        return
    for text in sorted(required, key=str.lower):
        match = _REQUIREMENT.fullmatch(text)
        # What has a condition is an extra.
        if match is not None and match[3] is None:
            yield Dependency(match[1], _version(match[1]), match[2] or "0")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _number(version: str) -> tuple[int, ...]:
    found = _NUMBERS.match(version)
    parts = [int(part) for part in found[0].split(".")] if found is not None else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)
