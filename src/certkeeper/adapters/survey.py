"""Zones as they are: what PowerDNS keeps of them, and what DNS shows. Reads; `repair` alone changes, and no record."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from certkeeper.adapters.claims import Claims
from certkeeper.adapters.dns.powerdns_facts import PowerDnsFacts
from certkeeper.apply.ports import Dns, Nameservers
from certkeeper.base.names import DnsName
from certkeeper.plan.doctor import Repair
from certkeeper.zone.facts import Kept, ZoneFacts
from certkeeper.zone.rrset import Zone

_ZONES_AT_ONCE = 4


class ZoneSurvey:
    """Implements the port Survey. Every method raises CertkeeperError where PowerDNS cannot be asked."""

    def __init__(self, dns: Dns, powerdns: PowerDnsFacts, nameservers: Nameservers, claims: Claims) -> None:
        self._dns = dns
        self._powerdns = powerdns
        self._nameservers = nameservers
        self._claims = claims

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        """The zone of each owner; owners without one are left out."""
        return self._dns.zones(owners)

    def kept(self, zone: Zone) -> Kept:
        return self._powerdns.kept(zone)

    def look(self, zones: Mapping[DnsName, Zone | None]) -> tuple[ZoneFacts, ...]:
        """Everything about these zones; None is one that PowerDNS does not have."""
        with ThreadPoolExecutor(_ZONES_AT_ONCE) as threads:
            return tuple(threads.map(self._look, zones, zones.values()))

    def repair(self, repair: Repair) -> None:
        """Set what is to be set, and read it back; nobody of ours changes the zone meanwhile."""
        with self._claims.zone(repair.zone.name):
            self._powerdns.repair(repair)

    def _look(self, name: DnsName, zone: Zone | None) -> ZoneFacts:
        from certkeeper.adapters.dnsfacts import look  # noqa: PLC0415 - loads dnspython

        # First what was written, then what is served: a change in between makes no server look late.
        kept = self._powerdns.kept(zone) if zone is not None else None
        seen = look(name, self._nameservers)
        return ZoneFacts(
            name=name,
            kept=kept,
            servers=seen.servers,
            servers_trouble=seen.servers_trouble,
            skipped=seen.skipped,
            delegation=seen.delegation,
            delegation_trouble=seen.delegation_trouble,
            unresolved=seen.unresolved,
        )
