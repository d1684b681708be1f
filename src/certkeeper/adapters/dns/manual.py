"""The operator as DNS provider: is told which records to publish, and later which to remove."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from certkeeper.adapters.dns.apexes import Aliases, Apexes
from certkeeper.base.names import DnsName
from certkeeper.base.value import replace
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone, ZoneKind

Record: TypeAlias = tuple[DnsName, str, str]


class Manual:
    """Implements the port Dns by saying what is to be done, in zone-file form (RFC 1035 §5.1), once for each change.

    Nothing is waited for here: the proof that the name servers serve the records does that.
    """

    def __init__(self, apexes: Apexes, aliases: Aliases, say: Callable[[str], None]) -> None:
        """`say` is called with a whole text of several lines, the last one without its end."""
        self._apexes = apexes
        self._aliases = aliases
        self._say = say
        self._asked_for: set[Record] = set()
        self._taken_back: set[Record] = set()

    def describe(self) -> str:
        return "your own hands"

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        zones = self._apexes.zones(owners)
        return {owner: replace(zone, kind=ZoneKind.BY_HAND) for owner, zone in zones.items()}

    def aliases(self, names: Mapping[Zone, Collection[DnsName]]) -> Mapping[DnsName, DnsName]:
        return self._aliases([name for each in names.values() for name in each])

    def change(self, zone: Zone, changes: ChangeSet) -> None:
        add = _records(changes, lambda change: change.add)
        remove = _records(changes, lambda change: change.remove)
        # What was said already is not said again.
        new = {record: line for record, line in add.items() if record not in self._asked_for}
        old = {record: line for record, line in remove.items() if record not in self._taken_back}
        self._asked_for = (self._asked_for | new.keys()) - remove.keys()
        self._taken_back = (self._taken_back | old.keys()) - add.keys()
        lines = []
        if new:
            lines += [f"; zone {zone.name}: publish these records beside what is there, now", *new.values()]
        if old:
            lines += [f"; zone {zone.name}: remove these records, they have served", *old.values()]
        if lines:
            self._say("\n".join(lines))

    def notify(self, zone: Zone) -> None:
        """Who publishes by hand does that, too."""


def _records(changes: ChangeSet, part: Callable[[RecordChange], frozenset[str]]) -> dict[Record, str]:
    return {
        (change.owner, change.type, rdata): f"{change.owner.absolute} {change.ttl} IN {change.type} {rdata}"
        for change in changes.changes
        for rdata in sorted(part(change))
    }
