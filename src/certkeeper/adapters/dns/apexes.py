"""The zones of names by this host's resolver, for providers that cannot be asked for theirs."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.SOA import SOA

from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass
from certkeeper.zone.apex import ZoneError, ZoneSearch, find_zones
from certkeeper.zone.rrset import Zone, ZoneKind

_LIFETIME = 10.0
_LOOKUPS_AT_ONCE = 8


Aliases = Callable[[Collection[DnsName]], Mapping[DnsName, DnsName]]
"""Where CNAMEs at these names lead, as their zones' own servers say; names without one are left out."""


class ZoneUnclear(ZoneError):
    """Nobody said anything of a name's zone, which may be there all the same."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A name of which nothing is known. `silent`: nobody said anything in time."""

    name: DnsName
    text: str
    silent: bool = False

    @property
    def error(self) -> ZoneError:
        return ZoneUnclear(
            f"{self.name}: its zone cannot be found: this host's resolver gets no answer ({self.text})",
            hint="are the name servers of the domain, and those in /etc/resolv.conf, up?",
        )


class Apexes:
    """Finds zones by their SOA records.

    Names that start with an underscore are not asked for: they may not exist yet, and what a resolver remembers of
    that would hide the challenge record from a CA that asks the same resolver. So such a name is taken for one of
    the zone that its host is in.
    """

    def __init__(self, resolver: dns.resolver.Resolver | None = None) -> None:
        """`resolver` stands in for this host's."""
        self._resolver = resolver

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        """The zone of each owner; owners without one, or with one that cannot be resolved, are left out.

        The zones are of a kind whose secondaries are told of changes by others.

        Raises:
            ZoneError: no name at all could be resolved.
        """
        if not owners:
            return {}
        hosts = {owner: _host(owner) for owner in owners}
        search: ZoneSearch[Zone] = find_zones(dict.fromkeys(hosts.values()))
        troubles: dict[DnsName, _Trouble] = {}
        resolver = self._resolver or _of_this_host()
        with ThreadPoolExecutor(_LOOKUPS_AT_ONCE) as threads:
            try:
                names = next(search)
                while True:
                    looks = list(threads.map(lambda name: _look(resolver, name), names))
                    troubles |= {look.name: look for look in looks if isinstance(look, _Trouble)}
                    if all(isinstance(look, _Trouble) and look.silent for look in looks):
                        # Every further label would be waited for in vain, too.
                        raise next(iter(troubles.values())).error
                    names = search.send({look.name: look for look in looks if isinstance(look, Zone)})
            except StopIteration as stop:
                found: dict[DnsName, Zone] = stop.value
        # Below a name in trouble there may be a zone; the one above it would be the wrong one.
        sound = {
            host: zone
            for host, zone in found.items()
            if not any(host.is_within(name) and name.is_within(zone.name) for name in troubles)
        }
        if not sound and troubles:
            raise next(iter(troubles.values())).error
        return {owner: sound[host] for owner, host in hosts.items() if host in sound}


def _host(owner: DnsName) -> DnsName:
    while owner.text.startswith("_"):
        owner = owner.parent
    return owner


def _of_this_host() -> dns.resolver.Resolver:
    try:
        resolver = dns.resolver.Resolver()
    except dns.exception.DNSException as error:
        raise ZoneError("this host has no resolver: no name server in /etc/resolv.conf") from error
    resolver.lifetime = _LIFETIME
    return resolver


def _look(resolver: dns.resolver.Resolver, name: DnsName) -> "Zone | _Trouble | None":
    """The zone of exactly that name, None where there is none, or the trouble with it."""
    absolute = dns.name.from_text(name.absolute)
    try:
        answer = resolver.resolve(absolute, dns.rdatatype.SOA, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return None
    except dns.resolver.NoNameservers:
        return _Trouble(name, "SERVFAIL or REFUSED")
    except dns.exception.DNSException as error:
        return _Trouble(name, type(error).__name__, silent=True)
    for rrset in answer.response.answer:
        # A CNAME's target may be a zone; the name itself is none then.
        if rrset.name == absolute:
            for rdata in rrset:
                if isinstance(rdata, SOA):
                    return Zone(name, name.text, ZoneKind.NATIVE, rdata.serial)
    return None
