"""The zones of hosts: those that NAMESERVERS names, else what its servers say, else what this host's resolver says."""

from collections.abc import Callable, Collection, Mapping, Sequence

import dns.flags
import dns.message
import dns.rdatatype

from certkeeper.adapters.dns.apexes import Apexes
from certkeeper.adapters.tlsaserved import SOA_, ask_all
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.config.settings import NameserverOverride
from certkeeper.zone.propagation import ServerSet


class Homes:
    """Called with hosts. `servers_of` finds a zone's servers, those of NAMESERVERS for every zone among them."""

    def __init__(self, named: Sequence[NameserverOverride], servers_of: Callable[[DnsName], ServerSet]) -> None:
        self._zones = tuple(entry.zone for entry in named if entry.zone is not None)
        self._general = any(entry.zone is None for entry in named)
        self._servers_of = servers_of

    def __call__(self, hosts: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        """Hosts without a zone, or with one that nobody tells, are left out.

        Raises:
            ZoneError: no host at all could be looked for.
        """
        found = {host: zone for host in hosts if (zone := self._named(host)) is not None}
        left = [host for host in hosts if host not in found]
        if self._general:
            found |= {host: zone for host in left if (zone := self._told(host)) is not None}
        elif left:
            found |= {host: zone.name for host, zone in Apexes().zones(left).items()}
        return found

    def _named(self, host: DnsName) -> DnsName | None:
        return max(
            (zone for zone in self._zones if host.is_within(zone)), key=lambda zone: len(zone.labels), default=None
        )

    def _told(self, host: DnsName) -> DnsName | None:
        """The zone that a server says it answers from (RFC 2308 §2)."""
        try:
            servers = self._servers_of(host).servers
        except CertkeeperError:
            return None
        for server in servers:
            answer = ask_all(server, [(host, SOA_)])[host, SOA_]
            if isinstance(answer, str) or not answer.flags & dns.flags.AA:
                continue
            if (zone := _zone_in(answer, host)) is not None:
                return zone
        return None


def _zone_in(answer: dns.message.Message, host: DnsName) -> DnsName | None:
    for rrset in (*answer.answer, *answer.authority):
        if rrset.rdtype == dns.rdatatype.SOA:
            try:
                zone = DnsName.parse(rrset.name.to_text())
            except InvalidName:
                return None
            return zone if host.is_within(zone) else None
    return None
