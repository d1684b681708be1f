"""Changes to a zone, record by record, and what they make of the RRsets that are there.

Servers replace whole RRsets; certificates of several names, and other programs, share them. So a change says only
which records are ours to add or to take away, and `fold` keeps everybody else's.
"""

from collections.abc import Collection, Iterable, Mapping

from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, replace
from certkeeper.zone.rrset import RRset

Key = tuple[DnsName, str]


@dataclass(frozen=True, slots=True)
class RecordChange:
    """Records to add to, and to remove from, one RRset. `ttl` (seconds) counts only where no RRset is there yet.

    `new_ttl` is what an RRset that is there gets as its TTL; None leaves it as it is.
    `tokens` pairs rdata with the token of the challenge that it is for, which hooks are called with.
    """

    owner: DnsName
    type: str
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    ttl: int = 60
    tokens: frozenset[tuple[str, str]] = frozenset()
    new_ttl: int | None = None

    @property
    def key(self) -> Key:
        return (self.owner, self.type)


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All changes to one zone, at most one per RRset, in a fixed order."""

    changes: tuple[RecordChange, ...] = ()

    @classmethod
    def of(cls, changes: Iterable[RecordChange]) -> "ChangeSet":
        """Merge changes; where one adds what another removes, the addition wins, since somebody still needs it."""
        merged: dict[Key, RecordChange] = {}
        for change in changes:
            before = merged.get(change.key, RecordChange(change.owner, change.type, ttl=change.ttl))
            add = before.add | change.add
            remove = (before.remove | change.remove) - add
            ttl, tokens = min(before.ttl, change.ttl), before.tokens | change.tokens
            new_ttl = min((one for one in (before.new_ttl, change.new_ttl) if one is not None), default=None)
            merged[change.key] = RecordChange(change.owner, change.type, add, remove, ttl, tokens, new_ttl)
        return cls(tuple(merged[key] for key in sorted(merged)))

    def invert(self) -> "ChangeSet":
        """The withdrawal: take away what this adds, put back what this takes away; TTLs stay."""
        swapped = (replace(one, add=one.remove, remove=one.add, new_ttl=None) for one in self.changes)
        return ChangeSet(tuple(swapped))

    def sparing(self, needed: Collection[tuple[Key, str]]) -> "ChangeSet":
        """The same changes, but without taking away what somebody else still needs."""
        return ChangeSet(
            tuple(
                replace(change, remove=frozenset(value for value in change.remove if (change.key, value) not in needed))
                for change in self.changes
            )
        )

    def __bool__(self) -> bool:
        return any(change.add or change.remove or change.new_ttl is not None for change in self.changes)


def taken_away(changes: ChangeSet, current: Mapping[Key, RRset]) -> int:
    """How many of the records to be removed are there."""
    present = ((change, current.get(change.key)) for change in changes.changes)
    return sum(len((change.remove - change.add) & rrset.rdata) for change, rrset in present if rrset is not None)


def fold(changes: ChangeSet, current: Mapping[Key, RRset]) -> tuple[RRset, ...]:
    """The RRsets to write: the present ones with the changes applied; empty rdata means that the RRset goes.

    RRsets that stay as they are do not come up, so that a change that is done already writes nothing.
    The TTL of an RRset that is there stays, where no change is about it.
    """
    written = []
    for change in changes.changes:
        present = current.get(change.key)
        before = present.rdata if present else frozenset()
        after = (before - change.remove) | change.add
        there = present is not None and bool(present.rdata or present.disabled)
        ttl = present.ttl if present is not None and there else change.ttl
        if there and change.new_ttl is not None:
            ttl = change.new_ttl
        if after != before or (present is not None and after and ttl != present.ttl):
            disabled = present.disabled - after if present else frozenset()
            written.append(RRset(change.owner, change.type, ttl, after, disabled))
    return tuple(written)
