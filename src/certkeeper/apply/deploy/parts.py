"""One certificate in one service's transaction: what is known of it, and what it is given."""

from collections.abc import Mapping

from certkeeper.apply.deploy.looking import Addresses
from certkeeper.apply.deployports import Placed, Placement
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass, field
from certkeeper.config.settings import Settings
from certkeeper.lineage.model import Leaf, Lineage, Version
from certkeeper.plan.deploy import Cause, Due
from certkeeper.plan.records import Records
from certkeeper.plan.showing import NO_LEAVES, LiveLeaves, Watched
from certkeeper.service.target import Form

_NUMBER = pattern(r"[0-9]+")


def same_complaint(one: str, other: str) -> bool:
    """A service says one thing twice, each time with the time of day or the number of another process."""
    return _NUMBER.sub("", one) == _NUMBER.sub("", other)


@dataclass(slots=True)
class Shared:
    """What the transactions of one phase have in common. `page` are the live certificates of all its lineages,
    `gone_back` those lineages whose older version was made live again.
    """

    settings: Settings
    records: Records
    tell: Tell
    page: LiveLeaves = NO_LEAVES
    addresses: Addresses = field(default_factory=Addresses)
    gone_back: set[Alias] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Part:
    """`lineage` is as it was when the transaction began, `stamp` the version to deploy. `placement` is None where the
    service reads it in place; `placed` is what was there before. `contents` are what its files are to hold.

    `back` is the version that the paths led to before the switch. `rewritten`: that is this one, and its copy before is
    still there, with another OCSP response or with what somebody made of it.
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
    rewritten: bool = False

    @property
    def alias(self) -> Alias:
        return self.due.alias

    @property
    def failures(self) -> int:
        """In a row, of this version, before this run."""
        return self.due.failures if self.due.stamp == self.stamp else 0

    @property
    def unchanged(self) -> bool:
        """The service's own files are of the version that they were of before."""
        return self.placement is not None and self.back == self.stamp

    @property
    def asks_first(self) -> bool:
        """Nothing is known of it: the service may have it already."""
        return self.due.cause is Cause.UNKNOWN and (self.placement is None or self._had_all)

    @property
    def untouched(self) -> bool:
        """Whatever went on elsewhere, the service's own files did not change, so that it has nothing to take."""
        return self._had_all and (self.due.cause is Cause.DRIFTED or self.due.stamp != self.stamp)

    @property
    def _had_all(self) -> bool:
        """All of its files were there before, with the same contents. Its table may name more files than it did."""
        if not self.unchanged or self.placement is None or self.placed is None:
            return False
        return self.placed.stamp == self.stamp or set(self.placement.files) <= set(self.placed.others)

    @property
    def known_broken(self) -> str:
        """What the service said of its configuration the last time, whichever version it had; empty where the trouble
        was another one.
        """
        before = self.due.before
        if before is None or not self.failures or before.retry_at is not None:
            return ""
        return before.message
