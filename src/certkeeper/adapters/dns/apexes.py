"""Which zone a name is in, as this host's resolver knows it: for providers that do not tell.

The challenge names themselves are never asked for: the resolver would remember that they did not exist.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

import dns.exception
import dns.name
import dns.resolver

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName

_LIFETIME = 10.0
_AT_ONCE = 8


def apexes(owners: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
    """The apex of each owner's zone; owners whose zone nobody can tell are left out."""
    hosts = {owner: _host(owner) for owner in owners}
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        names = tuple(dict.fromkeys(hosts.values()))
        found = dict(zip(names, threads.map(_apex, names), strict=True))
    return {owner: apex for owner, host in hosts.items() if (apex := found[host]) is not None}


def _host(owner: DnsName) -> DnsName:
    """The name without its leading labels for service records (RFC 8552)."""
    while owner.text.startswith("_"):
        owner = owner.parent
    return owner


def _apex(name: DnsName) -> DnsName | None:
    try:
        resolver = dns.resolver.Resolver()
        found = dns.resolver.zone_for_name(name.absolute, resolver=resolver, lifetime=_LIFETIME)
        apex = DnsName.parse(found.to_text())
    except (dns.exception.DNSException, CertkeeperError):
        return None
    # A top-level domain is nobody's own zone: then the name does not exist.
    return apex if len(apex.labels) >= 2 else None
