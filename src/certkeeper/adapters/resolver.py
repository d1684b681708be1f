"""Name servers: who serves a zone, and what each of them serves, asked one by one.

The NS names and their addresses come from this host's resolver; the challenge names are never asked there, since
its negative cache would remember that they did not exist.
"""

import socket
from collections.abc import Collection, Mapping, Sequence

from certkeeper.adapters.descriptors import out_of_descriptors, perhaps_out_of_descriptors
from certkeeper.base.names import DnsName
from certkeeper.config.settings import NameserverOverride, ServerAddress
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import Server, ServerSet


class SystemNameservers:
    """Implements the port Nameservers."""

    def __init__(self, overrides: Sequence[NameserverOverride] = ()) -> None:
        self._overrides = overrides

    def of(self, zone: DnsName) -> ServerSet:
        # Loaded here, where a thread has time, since questions follow.
        import certkeeper.adapters.dnswire  # noqa: F401, PLC0415

        override = self._override(zone)
        if override is not None:
            return _reachable(ServerSet(tuple(server for entry in override.servers for server in _named(entry))))
        from certkeeper.adapters.delegation import servers_of  # noqa: PLC0415 - loads dnspython's resolver

        return _reachable(servers_of(zone))

    def aliases(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        from certkeeper.adapters.aliases import aliases_of  # noqa: PLC0415 - only for names that no provider holds

        return aliases_of(names, self.of)

    def ask_txt(self, server: Server, owners: Collection[DnsName]) -> Mapping[DnsName, frozenset[str]]:
        from certkeeper.adapters.dnswire import ask_txt  # noqa: PLC0415 - loads dnspython, in this step's thread

        return ask_txt(server, owners)

    def _override(self, zone: DnsName) -> NameserverOverride | None:
        """The zone's own entry, or the one for every zone."""
        own = (entry for entry in self._overrides if entry.zone == zone)
        general = (entry for entry in self._overrides if entry.zone is None)
        return next(own, None) or next(general, None)


def _named(entry: ServerAddress) -> list[Server]:
    """The addresses of a server that the operator named, by address or by host name."""
    try:
        infos = socket.getaddrinfo(entry.host, entry.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise perhaps_out_of_descriptors(f"NAMESERVERS: {entry.host}", error) or ZoneError(
            f"NAMESERVERS: {entry.host} cannot be resolved", hint="write its address instead of its name"
        ) from error
    return list(dict.fromkeys(Server(str(entry), str(info[4][0]), entry.port) for info in infos))


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
    return ServerSet(tuple(usable), tuple(skipped))


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
