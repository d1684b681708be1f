"""Findings: what is wrong with a page, where, what comes of it, what to do about it, and what may be meant."""

from collections.abc import Iterable
from enum import StrEnum

from certkeeper.base.errors import Location
from certkeeper.base.value import dataclass

_LONG = 9
"""Characters of a zone's name from which on two edits more likely make a misspelling than another name."""


class Severity(StrEnum):
    """How much it matters: an error stops a certificate, a warning may surprise, a note is good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `code` is stable (for scripts and docs); `where` is None where no file is to blame.

    `message` names the object and what is wrong, `consequence` what comes of it, `fix` what to do (may be empty).
    """

    code: str
    severity: Severity
    message: str
    consequence: str = ""
    fix: str = ""
    where: Location | None = None


def edit_distance(left: str, right: str, limit: int) -> int:
    """How many characters are to be inserted, deleted, changed or swapped with their neighbour; at most `limit` + 1."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, char in enumerate(left, 1):
        row, above, earlier = [i], row, before
        before = above
        for j, other in enumerate(right, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (char != other))
            if i > 1 and j > 1 and char == right[j - 2] and left[i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > limit and min(above) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def did_you_mean(label: str, candidates: Iterable[str], limit: int = 2) -> str | None:
    """The candidate that is closest to the label, at most `limit` edits away; the first one of equals.

    The label itself is no suggestion.
    """
    best, distance = None, limit + 1
    for candidate in candidates:
        if candidate == label:
            continue
        found = edit_distance(label, candidate, distance - 1)
        if found < distance:
            best, distance = candidate, found
        if distance <= 1:
            break
    return best


def zone_meant(name: str, zones: Iterable[str]) -> str | None:
    """The name with its last labels corrected to those of a zone: one edit, or two where the zone's name is long."""
    labels = name.split(".")
    for zone in sorted(zones, key=len, reverse=True):
        size = zone.count(".") + 1
        if did_you_mean(".".join(labels[-size:]), [zone], limit=1 if len(zone) < _LONG else 2):
            return ".".join([*labels[:-size], zone])
    return None
