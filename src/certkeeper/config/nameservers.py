"""NAMESERVERS: `host[:port] …` for all zones, `zone=host[:port],[v6]:port …` for one; both may be mixed."""

from certkeeper.base.errors import printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.config.hosts import BadHost, split_port
from certkeeper.config.settings import NameserverOverride, ServerAddress
from certkeeper.config.values import Values

_HINT = 'write NAMESERVERS="192.0.2.1 [2001:db8::1]:5353 example.org=192.0.2.2,192.0.2.3"'


def nameservers(values: Values) -> tuple[NameserverOverride, ...]:
    """The overrides, each zone once, in the order of first mention.

    Raises:
        ConfigError: a zone or a server that cannot be read.
    """
    found: dict[DnsName | None, dict[ServerAddress, None]] = {}
    for word in values.text("NAMESERVERS").split():
        zone, equals, servers = word.rpartition("=")
        try:
            key = DnsName.parse(zone) if equals else None
            addresses = [ServerAddress(*split_port(server, 53)) for server in servers.split(",")]
        except (BadHost, InvalidName) as error:
            raise values.error("NAMESERVERS", f"{printable(word, 80)}: {error}", _HINT) from error
        if equals and not zone:
            raise values.error("NAMESERVERS", f"{printable(word, 80)}: no zone before =", _HINT)
        found.setdefault(key, {}).update(dict.fromkeys(addresses))
    return tuple(NameserverOverride(zone, tuple(servers)) for zone, servers in found.items())
