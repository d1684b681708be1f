"""From a zone to the addresses of its name servers, by this host's resolver."""

import dns.exception
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.NS import NS

from certkeeper.adapters.descriptors import perhaps_out_of_descriptors
from certkeeper.base.names import DnsName
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import Server, ServerSet

_LIFETIME = 10.0


def servers_of(zone: DnsName) -> ServerSet:
    """Every A and AAAA of every NS name, in a fixed order; names without an address are told as skipped.

    Raises:
        ZoneError: the resolver finds no NS record, or none of the names has an address.
    """
    try:
        resolver = dns.resolver.Resolver()
    except dns.exception.DNSException as error:
        raise perhaps_out_of_descriptors(f"zone {zone}", error) or ZoneError(
            f"zone {zone}: this host has no resolver: {_short(error)}", hint="see /etc/resolv.conf, or set NAMESERVERS"
        ) from error
    resolver.lifetime = _LIFETIME
    names = _ns_names(resolver, zone)
    by_name = {name: _addresses(resolver, name) for name in names}
    found = tuple(server for servers in by_name.values() for server in servers)
    if not found:
        raise ZoneError(
            f"zone {zone}: none of its name servers has an address: {', '.join(names)}",
            hint="add their A or AAAA records, or set NAMESERVERS",
        )
    homeless = tuple(f"{name} is not asked: this host finds no address for it" for name in names if not by_name[name])
    return ServerSet(found, homeless)


def _ns_names(resolver: dns.resolver.Resolver, zone: DnsName) -> list[str]:
    try:
        answer = resolver.resolve(zone.absolute, dns.rdatatype.NS)
    except dns.exception.DNSException as error:
        raise perhaps_out_of_descriptors(f"zone {zone}", error) or ZoneError(
            f"zone {zone}: this host's resolver does not find its name servers: {_short(error)}",
            hint="is the zone delegated to them? for private zones set NAMESERVERS",
        ) from error
    return sorted(rdata.target.to_text(omit_final_dot=True) for rdata in answer if isinstance(rdata, NS))


def _addresses(resolver: dns.resolver.Resolver, name: str) -> list[Server]:
    found = []
    for type_ in (dns.rdatatype.A, dns.rdatatype.AAAA):
        try:
            answer = resolver.resolve(name + ".", type_, raise_on_no_answer=False)
        except dns.exception.DNSException as error:
            if (starved := perhaps_out_of_descriptors(name, error)) is not None:
                raise starved from error
            continue
        found += [Server(name, rdata.to_text()) for rdata in answer]
    return found


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
