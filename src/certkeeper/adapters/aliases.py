"""CNAMEs at challenge names of zones that no provider of ours holds: their own servers are asked, one by one."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
from dns.rdtypes.ANY.CNAME import CNAME

from certkeeper.adapters.dns.apexes import Apexes
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import Server, ServerSet

_SECONDS = 3.0
_SERVERS = 3
"""How many servers are asked before a name counts as one without a CNAME."""
_AT_ONCE = 8


def aliases_of(
    names: Collection[DnsName],
    servers_of: Callable[[DnsName], ServerSet],
    named_zone: Callable[[DnsName], DnsName | None],
    apexes: Apexes | None = None,
) -> Mapping[DnsName, DnsName]:
    """Where CNAMEs at these names lead; names without one, or that nobody can be asked about, are left out."""
    found = alias_or_none(names, servers_of, named_zone, apexes)
    return {name: target for name, target in found.items() if target is not None}


def alias_or_none(
    names: Collection[DnsName],
    servers_of: Callable[[DnsName], ServerSet],
    named_zone: Callable[[DnsName], DnsName | None],
    apexes: Apexes | None = None,
) -> Mapping[DnsName, DnsName | None]:
    """The same, with None for names that have none by the word of a server with authority.

    `named_zone` tells the zone where this host's resolver does not, as on hosts that see other zones than the world.
    """
    zones = {name: zone for name in names if (zone := named_zone(name)) is not None}
    with suppress(CertkeeperError):
        zones |= {name: zone.name for name, zone in (apexes or Apexes()).zones(names).items()}
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        asked = [name for name in names if name in zones]
        found = threads.map(lambda name: _alias(name, zones[name], servers_of), asked)
        return {name: said[0] for name, said in zip(asked, found, strict=True) if said}


def _alias(name: DnsName, zone: DnsName, servers_of: Callable[[DnsName], ServerSet]) -> tuple[DnsName | None, ...]:
    """Nothing where nobody can be asked."""
    try:
        servers = servers_of(zone).servers[:_SERVERS]
    except CertkeeperError:
        return ()
    for server in servers:
        try:
            return (_ask(name, server),)
        except (dns.exception.DNSException, OSError, CertkeeperError):
            continue
    return ()


def _ask(name: DnsName, server: Server) -> DnsName | None:
    """Without recursion, so that no resolver remembers the name."""
    query = dns.message.make_query(name.absolute, dns.rdatatype.CNAME)
    query.flags &= ~dns.flags.RD
    answer, _ = dns.query.udp_with_fallback(query, server.address, timeout=_SECONDS, port=server.port)
    if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        raise ZoneError(f"{server} answers {dns.rcode.to_text(answer.rcode())}")
    if not answer.flags & dns.flags.AA:
        raise ZoneError(f"{server} answers without authority")
    for rrset in answer.answer:
        if rrset.rdtype == dns.rdatatype.CNAME and DnsName.parse(rrset.name.to_text()) == name:
            for rdata in rrset:
                if isinstance(rdata, CNAME):
                    return DnsName.parse(rdata.target.to_text())
    return None
