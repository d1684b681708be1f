"""Which versions are newer than what is live, and which version one may go back to.

Nobody ever goes back to a version that services could not be given: an expired, revoked or incomplete one, or one whose
files do not belong together. Pure; nothing is asked of a disk.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from certkeeper.lineage.model import Lineage, Version

_SKEW = timedelta(hours=1)
"""By how much this machine's clock may be behind that of the CA."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A version that one must not go back to; `why` goes on after its number."""

    stamp: int
    why: str

    def __str__(self) -> str:
        return f"version {self.stamp} {self.why}"


@dataclass(frozen=True, slots=True)
class WayBack:
    """`to` is None where there is no way back. `passed_over` are the versions that come before it and are of no use,
    newest first.
    """

    to: Version | None
    passed_over: tuple[PassedOver, ...] = ()


def way_back(present: Lineage, versions: Iterable[Version], now: datetime, wanted: int | None = None) -> WayBack:
    """The newest version that is older than what is live and may go live again, or the one that is wanted.

    `present` is the folder as it is: before going back, what is live there is what one goes back from. `versions` are
    all of it, in any order.
    """
    passed_over: list[PassedOver] = []
    for version in older(present, versions):
        if wanted is not None and version.stamp != wanted:
            continue
        why = unfit(version, now)
        if not why:
            return WayBack(version, tuple(passed_over))
        passed_over.append(PassedOver(version.stamp, why))
    return WayBack(None, tuple(passed_over))


def unfit(version: Version, now: datetime) -> str:
    """Why a version must not go live, to go on with after its number; empty where it may."""
    leaf = version.leaf
    if version.revoked is not None:
        return "was revoked"
    if version.trouble or leaf is None:
        return f"is not whole: {version.trouble or 'it holds no certificate'}"
    if version.compromised:
        return "has a key that others have: a certificate with it was revoked"
    if leaf.not_after <= now:
        return f"expired on {leaf.not_after:%Y-%m-%d}"
    if leaf.not_before > now + _SKEW:
        return f"is not valid before {leaf.not_before:%Y-%m-%d}"
    return ""


def newer(present: Lineage, versions: Iterable[Version]) -> tuple[Version, ...]:
    """The versions that came after what is live, newest first. Where nothing was ever live, all of them."""
    return tuple(_newest_first(item for item in versions if not is_present(item, present) and _after(item, present)))


def older(present: Lineage, versions: Iterable[Version]) -> tuple[Version, ...]:
    """The versions that came before what is live, newest first."""
    return tuple(
        _newest_first(item for item in versions if not is_present(item, present) and not _after(item, present))
    )


def is_present(version: Version, present: Lineage) -> bool:
    """Whether it is what is live: by its stamp, or by its certificate where dehydrated or a person wrote last."""
    if present.stamp is not None or present.leaf is None or version.leaf is None:
        return version.stamp == present.stamp
    return (version.leaf.serial, version.leaf.key_id) == (present.leaf.serial, present.leaf.key_id)


def _after(version: Version, present: Lineage) -> bool:
    """A stamp is this machine's clock and the beginning of a certificate the CA's. One of them may be wrong, so either
    will do: a version that was just made must never be taken for an old one.
    """
    if present.stamp is not None and version.stamp > present.stamp:
        return True
    if present.leaf is None:
        return present.stamp is None
    return version.leaf is not None and version.leaf.not_before > present.leaf.not_before


def _newest_first(versions: Iterator[Version]) -> list[Version]:
    return sorted(versions, key=lambda version: version.stamp, reverse=True)
