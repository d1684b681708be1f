"""One certificate in one service's transaction: what is known of it, what it is given, and where it can go back to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from certkeeper.apply.deploy.looking import Addresses
from certkeeper.apply.deployports import Placed, Placement
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias
from certkeeper.config.settings import Settings
from certkeeper.lineage.goingback import unfit, way_back
from certkeeper.lineage.model import Leaf, Lineage, Version
from certkeeper.plan.deploy import Cause, Due
from certkeeper.plan.records import Deployment, Held, Records, Shown
from certkeeper.plan.showing import Family, Looks, Sight, Watched
from certkeeper.service.target import Form, Target


@dataclass(slots=True)
class Shared:
    """What the transactions of one phase have in common."""

    settings: Settings
    records: Records
    tell: Tell
    addresses: Addresses = field(default_factory=Addresses)


@dataclass(slots=True, eq=False)
class Part:
    """`lineage` is as it was when the transaction began. `placement` is None where the service reads it in place;
    `placed` is what was there before. `contents` are what its files are to hold.

    `back` is the version that the paths led to before the switch, and `moved` whether the switch was made.
    """

    due: Due
    lineage: Lineage
    leaf: Leaf
    stamp: int
    versions: tuple[Version, ...]
    watched: Watched
    placement: Placement | None = None
    placed: Placed | None = None
    contents: Mapping[Form, bytes] = field(default_factory=dict, repr=False)
    back: int | None = None
    moved: bool = False

    @property
    def alias(self) -> Alias:
        return self.due.alias

    @property
    def asks_first(self) -> bool:
        """The service may show it already, so nothing is done before somebody has looked."""
        there = self.placed is None or self.placed.stamp == self.stamp
        return there and (self.due.cause is Cause.UNKNOWN or self.due.stamp != self.stamp)

    @property
    def failures(self) -> int:
        return self.due.failures if self.due.stamp == self.stamp else 0

    @property
    def known_broken(self) -> str:
        """What the last try said of the version; empty where this is the first."""
        return self.due.before.message if self.failures and self.due.before is not None else ""

    def entry(self, target: Target, shown: Shown, message: str = "") -> Deployment:
        """What the journal is to say where nothing failed."""
        return Deployment(target.name, self.alias, self.stamp, shown, 0, None, message)


def way_back_of(part: Part, looks: Looks, now: datetime) -> tuple[int | None, str]:
    """The version to go back to, and why there is none.

    In place it is the one that the service showed before, or the newest one that is older; of copies it is what was
    there. It is never expired, revoked or torn. What somebody else had put there nobody can judge, so it may come back.
    """
    if part.placement is None:
        return _in_place(part, looks, now)
    before = part.back
    if before is None:
        return None, "there was no other before"
    version = next((item for item in part.versions if item.stamp == before), None)
    if version is None:
        ours = part.placed is not None and part.placed.stamp == before
        return (None, f"version {before} is not there any more") if ours else (before, "")
    why = unfit(version, now)
    return (None, f"version {before} {why}") if why else (before, "")


def _in_place(part: Part, looks: Looks, now: datetime) -> tuple[int | None, str]:
    shown = _shown_before(part, looks)
    if shown is not None and not unfit(shown, now):
        return shown.stamp, ""
    way = way_back(part.lineage, part.versions, now)
    if way.to is not None:
        return way.to.stamp, ""
    passed = "; ".join(str(item) for item in way.passed_over)
    return None, passed or "there was no other before"


def _shown_before(part: Part, looks: Looks) -> Version | None:
    for version in part.versions:
        if version.leaf is None or version.stamp == part.stamp:
            continue
        family = Family(version.leaf)
        for contact in part.watched.contacts:
            if any(family.sight(look, version.leaf.not_before)[0] is Sight.LIVE for look in looks.get(contact, ())):
                return version
    return None


def may_hold(held: Held | None) -> bool:
    """A person's hold stays what it is."""
    return held is None or held.until is not None
