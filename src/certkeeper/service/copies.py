"""Where the copies of a certificate for a service are, by name. Nothing here looks at a disk.

    <folder>/
      <file> -> .certkeeper/<target>/<alias>/.live/<file>     the names that the service uses
      .certkeeper/<target>/<alias>/.live -> <stamp>            the one link that switches all of them
      .certkeeper/<target>/<alias>/<stamp>/<file>              a complete copy of that version
      .certkeeper/<target>/<alias>/<stamp>-<number>/           another one of it: what has a name is not written into
      .certkeeper/<target>/<alias>/<copy>.partial/             a copy in the making
      .certkeeper/<target>/<alias>/<copy>.adopting/            what somebody else put there, becoming a copy
      .certkeeper/<target>/<alias>/<copy>.removing/            an old copy, half removed
      <copy>/.made -> <file>/<file>                            which files of a copy we put there
      <copy>/.found -> <file>/<file>                           the same of what somebody else had put there

Such a list is a link, since a link is there whole or not at all and costs no fsync of its own.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from certkeeper.base.value import dataclass

COMMON = ".certkeeper"
LIVE = ".live"
MADE = ".made"
FOUND = ".found"
LISTS = (MADE, FOUND)
OURS = frozenset({COMMON, LIVE, *LISTS})
"""Names that no file of a service can have."""

_ENTRY = re.compile(r"(0|[1-9][0-9]{0,18})(?:-([1-9][0-9]{0,3}))?(\.partial|\.adopting|\.removing|)")


class Making(StrEnum):
    """What is to become of a folder beside the complete copies; the end of its name."""

    COMPLETE = ""
    PARTIAL = ".partial"
    ADOPTING = ".adopting"
    REMOVING = ".removing"


@dataclass(frozen=True, slots=True, order=True)
class Copy:
    """A copy of the version with that stamp. The newest one of it is the one that counts."""

    stamp: int
    number: int = 0

    @property
    def name(self) -> str:
        return f"{self.stamp}-{self.number}" if self.number else str(self.stamp)

    def named(self, making: Making) -> str:
        return self.name + making

    @property
    def following(self) -> "Copy":
        return Copy(self.stamp, self.number + 1)


def entry(name: str) -> tuple[Copy, Making] | None:
    """What has that name among the copies; None for what is none of ours."""
    match = _ENTRY.fullmatch(name)
    return (Copy(int(match[1]), int(match[2] or 0)), Making(match[3])) if match else None


def complete(name: str) -> Copy | None:
    """The complete copy of that name, or the one that `.live` with that target leads to."""
    found = entry(name)
    return found[0] if found is not None and found[1] is Making.COMPLETE else None


def way(target: str, alias: str) -> tuple[str, ...]:
    """The folders from the service's own to the copies."""
    return COMMON, target, alias


def link(target: str, alias: str, name: str) -> str:
    """What the name that the service uses leads to."""
    return "/".join((*way(target, alias), LIVE, name))


def listing(names: Iterable[str]) -> str:
    """No file's name has a slash."""
    return "/".join(sorted(names))


def listed(text: str | None) -> frozenset[str]:
    return frozenset(text.split("/")) - {""} if text else frozenset()
