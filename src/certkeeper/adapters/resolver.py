"""Name servers: who serves a zone, and what each of them serves, asked one by one.

The NS names and their addresses come from this host's resolver; the challenge names are never asked there, since
its negative cache would remember that they did not exist.
"""

import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from certkeeper.adapters.descriptors import out_of_descriptors, perhaps_out_of_descriptors
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, replace
from certkeeper.config.settings import IgnoredServer, NameserverOverride, ServerAddress
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import Answer, Question, Server, ServerSet


@dataclass(frozen=True, slots=True)
class Named:
    """What the operator says of name servers: NAMESERVERS, EXTRA_NAMESERVERS, DNS_IGNORE and VANTAGE_RESOLVERS."""

    instead: Sequence[NameserverOverride] = ()
    extra: Sequence[NameserverOverride] = ()
    ignored: Sequence[IgnoredServer] = ()
    vantage: Sequence[ServerAddress] = ()


class SystemNameservers:
    """Implements the port Nameservers."""

    def __init__(self, named: Named) -> None:
        self._named = named

    def of(self, zone: DnsName) -> ServerSet:
        # Loaded here, where a thread has time, since questions follow.
        import certkeeper.adapters.dnswire  # noqa: F401, PLC0415

        # Who is ignored by name may still be asked by an address that the operator adds.
        candidates = self._with_extra(zone, _heeding(self._named.ignored, zone, self._own(zone)))
        if not candidates.servers:
            raise ZoneError(
                f"zone {zone}: DNS_IGNORE leaves no name server to ask: {', '.join(map(str, candidates.ignored))}",
                hint="take one of them out of DNS_IGNORE",
            )
        vantage = tuple(server for entry in self._named.vantage for server in _found("VANTAGE_RESOLVERS", entry))
        return replace(_reachable(candidates), vantage=vantage)

    def ask(self, server: Server, question: Question, now: datetime) -> Answer:
        from certkeeper.adapters.dnswire import ask  # noqa: PLC0415 - loads dnspython, in this step's thread

        return ask(server, question, now)

    def ask_resolver(self, resolver: Server, question: Question) -> Answer:
        from certkeeper.adapters.vantage import ask_resolver  # noqa: PLC0415 - as above

        return ask_resolver(resolver, question)

    def _own(self, zone: DnsName) -> ServerSet:
        """NAMESERVERS of the zone, or those for every zone, or what DNS itself says."""
        own = (entry for entry in self._named.instead if entry.zone == zone)
        general = (entry for entry in self._named.instead if entry.zone is None)
        override = next(own, None) or next(general, None)
        if override is not None:
            return ServerSet(tuple(item for entry in override.servers for item in _found("NAMESERVERS", entry)))
        from certkeeper.adapters.delegation import servers_of  # noqa: PLC0415 - loads dnspython's resolver

        return servers_of(zone)

    def _with_extra(self, zone: DnsName, found: ServerSet) -> ServerSet:
        """The zone's own entries and those for every zone, but for addresses that are asked anyway."""
        entries = [one for entry in self._named.extra if entry.zone in {None, zone} for one in entry.servers]
        asked = {(server.address, server.port) for server in found.servers}
        extra = [item for entry in entries for item in _found("EXTRA_NAMESERVERS", entry)]
        added = [item for item in dict.fromkeys(extra) if (item.address, item.port) not in asked]
        return replace(found, servers=(*found.servers, *added))

    def aliases(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        from certkeeper.adapters.aliases import aliases_of  # noqa: PLC0415 - only for names that no provider holds

        return aliases_of(names, self.of, self._named_zone)

    def alias_or_none(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName | None]:
        from certkeeper.adapters.aliases import alias_or_none  # noqa: PLC0415 - only where PDNS_SUFFIX is set

        return alias_or_none(names, self.of, self._named_zone)

    def _named_zone(self, name: DnsName) -> DnsName | None:
        """The zone that NAMESERVERS is about, for names that this host's resolver knows no zone of."""
        zones = [entry.zone for entry in self._named.instead if entry.zone is not None and name.is_within(entry.zone)]
        if zones:
            return max(zones, key=lambda zone: len(zone.labels))
        return name.parent if any(entry.zone is None for entry in self._named.instead) else None


def _heeding(ignored: Iterable[IgnoredServer], zone: DnsName, found: ServerSet) -> ServerSet:
    """Without the servers that the operator said do not count."""
    rules = [rule for rule in ignored if rule.zone in {None, zone}]
    out = tuple(server for server in found.servers if any(_is_meant(rule, server) for rule in rules))
    left = tuple(server for server in found.servers if server not in out)
    notes = tuple(note for note in found.notes if note.split()[0] not in {rule.host for rule in rules})
    return replace(found, servers=left, ignored=out, notes=notes)


def _is_meant(rule: IgnoredServer, server: Server) -> bool:
    """By NS name or address; by port, too, where the rule names one."""
    written = server.ns.removesuffix(f":{server.port}").strip("[]")
    return rule.host in {server.address, server.ns, written} and rule.port in {None, server.port}


def _found(setting: str, entry: ServerAddress) -> list[Server]:
    """The addresses of a server that the operator named, by address or by host name."""
    try:
        infos = socket.getaddrinfo(entry.host, entry.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise perhaps_out_of_descriptors(f"{setting}: {entry.host}", error) or ZoneError(
            f"{setting}: {entry.host} cannot be resolved", hint="write its address instead of its name"
        ) from error
    written = entry.host if entry.port == 53 else str(entry)
    return list(dict.fromkeys(Server(written, str(info[4][0]), entry.port) for info in infos))


def _reachable(candidates: ServerSet) -> ServerSet:
    """Leave out addresses of a family that this host has no route for; connecting a UDP socket sends nothing."""
    usable: list[Server] = []
    skipped = list(candidates.skipped)
    for server in candidates.servers:
        trouble = _route_trouble(server)
        if trouble:
            skipped.append(f"{server} is not asked: {trouble}")
        else:
            usable.append(server)
    if not usable:
        raise ZoneError(
            f"no route to any name server: {'; '.join(skipped)}", hint="check this host's network, or set NAMESERVERS"
        )
    return replace(candidates, servers=tuple(usable), skipped=tuple(skipped))


def _route_trouble(server: Server) -> str:
    family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((server.address, server.port))
    except OSError as error:
        if (starved := out_of_descriptors(str(server), error)) is not None:
            raise starved from error
        return (
            f"no {'IPv6' if family == socket.AF_INET6 else 'IPv4'} route from here ({(error.strerror or '').lower()})"
        )
    return ""
