"""From a zone to the addresses of its name servers: what the zone says itself, and what its parent says of it."""

import dns.exception
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.NS import NS

from certkeeper.adapters.descriptors import perhaps_out_of_descriptors
from certkeeper.adapters.parent import ParentSilent, Referral, referral
from certkeeper.base.names import DnsName
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import Server, ServerSet

_LIFETIME = 10.0


def servers_of(zone: DnsName) -> ServerSet:
    """Every A and AAAA of every NS name of zone and parent, in a fixed order, glue included; and the parent's DS.

    Where zone and parent disagree, both are asked: a CA starts at the parent, and may go on with what the zone says.
    Names without an address are told.

    Raises:
        ZoneError: no NS record is found, or none of the names has an address.
    """
    try:
        resolver = dns.resolver.Resolver()
    except dns.exception.DNSException as error:
        raise perhaps_out_of_descriptors(f"zone {zone}", error) or ZoneError(
            f"zone {zone}: this host has no resolver: {_short(error)}", hint="see /etc/resolv.conf, or set NAMESERVERS"
        ) from error
    resolver.lifetime = _LIFETIME
    above = _above(zone, resolver)
    own = _ns_names(resolver, zone, above)
    names = sorted(own | (above.names if above else frozenset()))
    glue = above.glue if above else frozenset()
    by_name = {name: _addresses(resolver, name, glue) for name in names}
    found = tuple(server for servers in by_name.values() for server in servers)
    if not found:
        raise ZoneError(
            f"zone {zone}: none of its name servers has an address: {', '.join(names)}",
            hint="add their A or AAAA records, or set NAMESERVERS",
        )
    homeless = [f"{name} is not asked: this host finds no address for it" for name in names if not by_name[name]]
    notes = (*homeless, *(_differences(own, above) if above and own else ()))
    return ServerSet(found, notes=notes, ds=above.ds if above else None)


def _above(zone: DnsName, resolver: dns.resolver.Resolver) -> Referral | None:
    """Where the parent cannot be heard, or names nobody, the zone's own word has to do."""
    try:
        found = referral(zone, resolver)
    except ParentSilent:
        return None
    return found if found.names else None


def _differences(own: frozenset[str], above: Referral) -> list[str]:
    """Lame and stealth servers are for the operator to mend, and are asked meanwhile."""
    return [
        *(f"the parent names {name}, the zone itself does not" for name in sorted(above.names - own)),
        *(f"the zone itself names {name}, the parent does not" for name in sorted(own - above.names)),
    ]


def _ns_names(resolver: dns.resolver.Resolver, zone: DnsName, above: Referral | None) -> frozenset[str]:
    """What the zone says; nothing where only the parent can be heard."""
    try:
        answer = resolver.resolve(zone.absolute, dns.rdatatype.NS)
    except dns.exception.DNSException as error:
        if above is not None:
            return frozenset()
        raise perhaps_out_of_descriptors(f"zone {zone}", error) or ZoneError(
            f"zone {zone}: this host's resolver does not find its name servers: {_short(error)}",
            hint="is the zone delegated to them? for private zones set NAMESERVERS",
        ) from error
    return frozenset(rdata.target.to_text(omit_final_dot=True).lower() for rdata in answer if isinstance(rdata, NS))


def _addresses(resolver: dns.resolver.Resolver, name: str, glue: frozenset[tuple[str, str]]) -> list[Server]:
    found = []
    for type_ in (dns.rdatatype.A, dns.rdatatype.AAAA):
        try:
            answer = resolver.resolve(name + ".", type_, raise_on_no_answer=False)
        except dns.exception.DNSException as error:
            if (starved := perhaps_out_of_descriptors(name, error)) is not None:
                raise starved from error
            continue
        found += [Server(name, rdata.to_text()) for rdata in answer]
    found += [Server(name, address) for owner, address in sorted(glue) if owner == name]
    return list(dict.fromkeys(found))


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
