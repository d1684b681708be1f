"""The versions of a lineage as people look at them: what each one is, and what it is good for."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.value import dataclass
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.lineage.goingback import is_present, newer, unfit, way_back
from certkeeper.lineage.model import Leaf, Lineage, Version
from certkeeper.plan.phases import staged_one


class Standing(StrEnum):
    LIVE = "live"
    STAGED = "staged"
    """It came after what is live."""
    EARLIER = "earlier"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNFIT = "unfit"
    """Not whole, or its key is in other hands."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line. `stamp` is None for what is live and no version: dehydrated's files, or a person's."""

    stamp: int | None
    standing: Standing
    good_for: str
    leaf: Leaf | None
    key_id: str | None
    ca: str | None = None


def listed(
    spec: CertSpec, settings: Settings, lineage: Lineage, versions: Collection[Version], now: datetime
) -> tuple[Listed, ...]:
    """All of them, newest first."""
    staged, back = _staged(spec, settings, lineage, versions, now), way_back(lineage, versions, now).to
    rows = []
    if lineage.leaf is not None and not any(is_present(version, lineage) for version in versions):
        word = "live, and no version yet: it becomes one before another goes live"
        rows.append(Listed(None, Standing.LIVE, word, lineage.leaf, lineage.key_id))
    coming = newer(lineage, versions)
    for version in sorted(versions, key=lambda item: item.stamp, reverse=True):
        why = unfit(version, now)
        if is_present(version, lineage):
            standing, word = Standing.LIVE, f"live, although it {why}" if why else "what services read"
        elif why:
            standing, word = _unfit(version, now), f"for nothing: it {why}"
        elif version in coming:
            standing = Standing.STAGED
            command = f"certkeeper activate {spec.alias}"
            word = command if version is staged else f"{command} --version {version.stamp}"
        else:
            standing = Standing.EARLIER
            command = f"certkeeper rollback {spec.alias}"
            word = command if version is back else f"{command} --to {version.stamp}"
        ca = version.origin.ca if version.origin is not None else None
        rows.append(Listed(version.stamp, standing, word, version.leaf, version.key_id, ca))
    return tuple(rows)


def _staged(
    spec: CertSpec, settings: Settings, lineage: Lineage, versions: Collection[Version], now: datetime
) -> Version | None:
    try:
        return staged_one(spec, settings, lineage, versions, now)
    except CertkeeperError:
        return None


def _unfit(version: Version, now: datetime) -> Standing:
    if version.revoked is not None:
        return Standing.REVOKED
    expired = version.leaf is not None and version.leaf.not_after <= now
    return Standing.EXPIRED if expired and not version.trouble else Standing.UNFIT
