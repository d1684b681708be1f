"""Which old versions may go: those beyond a number, once they have been out of use for some days.

A version's age counts from when it stopped being the newest one, that is, from when the next newer whole version was
begun or became valid, whichever is later; the newest one's from its own. So a version that was live for long is still
kept for the days after it was replaced, and a clock that once ran ahead only makes versions stay.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.value import dataclass
from certkeeper.lineage.model import Version

_DAY = 86400


class StillTorn(CertkeeperError):
    """A lineage whose old versions may be needed to mend it."""

    label = "key-or-chain"
    fault = Fault.OPERATOR
    local = True


@dataclass(frozen=True, slots=True)
class Retention:
    """KEEP_VERSIONS and KEEP_DAYS: an old version goes when it is beyond the one and older than the other."""

    versions: int = 3
    days: int = 30


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A folder beside the versions: one in the making, or one that was being removed.

    `changed` is when a file came into it or left it last (epoch seconds).
    """

    name: str
    stamp: int
    changed: int
    half_removed: bool = False


@dataclass(frozen=True, slots=True)
class Removal:
    """A folder that may go. `version` is None where it holds no complete version."""

    name: str
    stamp: int
    version: Version | None = None
    half_removed: bool = False


def superseded(
    versions: Collection[Version], retention: Retention, now: datetime, needed: Collection[int] = ()
) -> tuple[Version, ...]:
    """The versions that may go, oldest first; none where it is not known which one is live.

    A version that cannot go live counts for nothing, and goes as its neighbours do. `needed` are stamps that somebody
    else has yet to do something with.
    """
    if not any(version.live for version in versions):
        return ()
    newest_first = sorted(versions, key=lambda version: version.stamp, reverse=True)
    found = []
    kept = 0
    retired_at: int | None = None
    for version in newest_first:
        since = retired_at if retired_at is not None else _begun(version)
        old = now.timestamp() - since > retention.days * _DAY
        if old and kept >= retention.versions and not (version.live or version.shown or version.stamp in needed):
            found.append(version)
        if not version.trouble:
            retired_at = _begun(version)
            kept += not version.live
    return tuple(reversed(found))


def abandoned(
    unfinished: Collection[Unfinished], retention: Retention, now: datetime, needed: Collection[int] = ()
) -> tuple[Unfinished, ...]:
    """The folders that nobody will take up again, oldest first. A run takes up what an earlier one began."""

    def old(item: Unfinished) -> bool:
        return now.timestamp() - max(item.stamp, item.changed) > retention.days * _DAY and item.stamp not in needed

    return tuple(sorted((item for item in unfinished if item.half_removed or old(item)), key=lambda item: item.stamp))


def removals(versions: Sequence[Version], unfinished: Sequence[Unfinished]) -> tuple[Removal, ...]:
    """Both together, what was begun earlier first."""
    found = [Removal(str(version.stamp), version.stamp, version) for version in versions]
    found += [Removal(item.name, item.stamp, None, item.half_removed) for item in unfinished]
    return tuple(sorted(found, key=lambda item: (item.stamp, item.name)))


def _begun(version: Version) -> int:
    # An order that waited for days made its version long after the stamp.
    return max(version.stamp, int(version.leaf.not_before.timestamp())) if version.leaf is not None else version.stamp
