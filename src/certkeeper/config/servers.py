"""Servers that the page names by host and port, and the name servers that count instead of, or beside, a zone's own;
and who validates.
"""

from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A name server to ask: an IP address or a host name, and a port."""

    host: str
    port: int = 53

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class NameserverOverride:
    """NAMESERVERS: whom to ask instead of a zone's NS addresses; `zone` None counts for every zone without its own.

    EXTRA_NAMESERVERS: whom to ask as well; `zone` None counts for every zone.
    """

    zone: DnsName | None
    servers: tuple[ServerAddress, ...]


@dataclass(frozen=True, slots=True)
class IgnoredServer:
    """DNS_IGNORE: a server that does not count, by NS name or address, in one zone or in all (None)."""

    zone: DnsName | None
    host: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Dnssec:
    """Who says whether answers are secure: a resolver that validates, or a file with trust anchors to prove it by."""

    resolver: ServerAddress | None = None
    trust_anchor: str = ""
