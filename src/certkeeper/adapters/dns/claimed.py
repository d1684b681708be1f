"""A DNS provider whose zones are claimed for each change: reading, merging and writing a zone is one piece of work."""

from collections.abc import Collection, Mapping

from certkeeper.adapters.claims import Claims
from certkeeper.apply.ports import Dns
from certkeeper.base.names import DnsName
from certkeeper.zone.apex import Cut
from certkeeper.zone.changes import ChangeSet
from certkeeper.zone.rrset import Zone


class ClaimedDns:
    """Implements the port Dns by another one."""

    def __init__(self, dns: Dns, claims: Claims) -> None:
        self._dns = dns
        self._claims = claims

    def describe(self) -> str:
        return self._dns.describe()

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        return self._dns.zones(owners)

    def aliases(self, names: Mapping[Zone, Collection[DnsName]]) -> Mapping[DnsName, DnsName | Cut]:
        return self._dns.aliases(names)

    def change(self, zone: Zone, changes: ChangeSet) -> int | None:
        with self._claims.zone(zone.name):
            return self._dns.change(zone, changes)

    def notify(self, zone: Zone) -> None:
        self._dns.notify(zone)
