"""Settings that name servers: `host[:port] …` for all zones, `zone=host[:port],[v6]:port …` for one; or both, mixed."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from certkeeper.base.errors import printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.config.hosts import BadHost, is_address, split_port
from certkeeper.config.servers import Dnssec
from certkeeper.config.settings import IgnoredServer, NameserverOverride, ServerAddress
from certkeeper.config.values import Values

T = TypeVar("T")

_NAMESERVERS = 'write NAMESERVERS="192.0.2.1 [2001:db8::1]:5353 example.org=192.0.2.2,192.0.2.3"'
_EXTRA = 'write EXTRA_NAMESERVERS="192.0.2.1 example.org=192.0.2.2,[2001:db8::2]:5353"'
_IGNORE = 'write DNS_IGNORE="ns3.example.net 192.0.2.7 example.org=ns4.example.net"'
_VALIDATING = 'write VALIDATING_RESOLVER="127.0.0.1" or "[::1]:5353"'
_VANTAGE = 'write VANTAGE_RESOLVERS="9.9.9.9 [2620:fe::fe]:53"'


def nameservers(values: Values) -> tuple[NameserverOverride, ...]:
    """Whom to ask instead, each zone once, in the order of first mention.

    Raises:
        ConfigError: a zone or a server that cannot be read.
    """
    return _by_zone(_entries(values, "NAMESERVERS", values.text("NAMESERVERS"), _NAMESERVERS, _address))


def extra_nameservers(values: Values) -> tuple[NameserverOverride, ...]:
    """Whom to ask as well. Raises ConfigError."""
    return _by_zone(_entries(values, "EXTRA_NAMESERVERS", values.text("EXTRA_NAMESERVERS"), _EXTRA, _address))


def ignored_servers(values: Values) -> tuple[IgnoredServer, ...]:
    """Whom not to ask; without a port, any. Raises ConfigError."""
    found = _entries(values, "DNS_IGNORE", values.text("DNS_IGNORE"), _IGNORE, lambda text: split_port(text, 0))
    return tuple(dict.fromkeys(IgnoredServer(zone, host, port or None) for zone, (host, port) in found))


def vantage_resolvers(values: Values) -> tuple[ServerAddress, ...]:
    """Resolvers for all zones. Raises ConfigError."""
    found = []
    for zone, address in _entries(values, "VANTAGE_RESOLVERS", values.text("VANTAGE_RESOLVERS"), _VANTAGE, _address):
        if zone is not None:
            raise values.error("VANTAGE_RESOLVERS", f"{zone}=…: resolvers are for all zones", _VANTAGE)
        found.append(address)
    return tuple(dict.fromkeys(found))


def dnssec(values: Values) -> Dnssec:
    """VALIDATING_RESOLVER and TRUST_ANCHOR. Raises ConfigError."""
    anchor = values.path("TRUST_ANCHOR", "") if values.has("TRUST_ANCHOR") else ""
    return Dnssec(_validating_resolver(values), anchor)


def _validating_resolver(values: Values) -> ServerAddress | None:
    """By address: who is found by name may be anybody."""
    found = list(_entries(values, "VALIDATING_RESOLVER", values.text("VALIDATING_RESOLVER"), _VALIDATING, _address))
    if not found:
        return None
    (zone, address), *others = found
    if zone is not None or others:
        raise values.error("VALIDATING_RESOLVER", "more than one resolver's address", _VALIDATING)
    if not is_address(address.host):
        raise values.error("VALIDATING_RESOLVER", f"{printable(address.host, 80)}: not an address", _VALIDATING)
    return address


def _address(text: str) -> ServerAddress:
    return ServerAddress(*split_port(text, 53))


def _by_zone(entries: Iterator[tuple[DnsName | None, ServerAddress]]) -> tuple[NameserverOverride, ...]:
    found: dict[DnsName | None, dict[ServerAddress, None]] = {}
    for zone, address in entries:
        found.setdefault(zone, {})[address] = None
    return tuple(NameserverOverride(zone, tuple(servers)) for zone, servers in found.items())


def _entries(
    values: Values, name: str, text: str, hint: str, read: Callable[[str], T]
) -> Iterator[tuple[DnsName | None, T]]:
    """Zone and server of each entry, in order."""
    for word in text.split():
        zone, equals, servers = word.rpartition("=")
        try:
            key = DnsName.parse(zone) if equals else None
            found = [read(server) for server in servers.split(",")]
        except (BadHost, InvalidName) as error:
            raise values.error(name, f"{printable(word, 80)}: {error}", hint) from error
        if equals and not zone:
            raise values.error(name, f"{printable(word, 80)}: no zone before =", hint)
        yield from ((key, server) for server in found)
