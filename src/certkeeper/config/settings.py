"""What the operator asked for, as values. Made once per run, never changed."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.keys import KeySpec
from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.config.findings import Finding
from certkeeper.lineage.retention import Retention
from certkeeper.zone.propagation import Demand

DEFAULT_RENEW_DAYS = 32
DEFAULT_PROPAGATION = timedelta(seconds=300)
DEFAULT_KEY = KeySpec()
DEFAULT_RETENTION = Retention()


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that must never be printed; `reveal` is the only way to it."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return "********"


class ChallengeType(StrEnum):
    """RFC 8555 §8, in the words of CHALLENGETYPE."""

    HTTP_01 = "http-01"
    DNS_01 = "dns-01"
    TLS_ALPN_01 = "tls-alpn-01"


@dataclass(frozen=True, slots=True)
class PowerDnsSettings:
    """One PowerDNS HTTP API. `url` is scheme, host and port, with a path prefix where a proxy adds one."""

    url: str
    api_key: Secret
    server: str | None = None
    notify: bool = True


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
class RenewPolicy:
    """`days` is RENEW_DAYS: renew when that many days or fewer are left."""

    days: int = DEFAULT_RENEW_DAYS


@dataclass(frozen=True, slots=True)
class CertSpec:
    """What the operator wants for one lineage. `where` is its line in domains.txt.

    `identifiers` are in the line's order, without repetitions; the first names the lineage if no alias does.
    Timeouts are bounds on waiting for the CA, None means our own default. `hook` is the script that is told of a new
    certificate, empty where there is none.
    """

    alias: Alias
    identifiers: tuple[Identifier, ...]
    where: Location
    key: KeySpec = DEFAULT_KEY
    renew: RenewPolicy = RenewPolicy()
    must_staple: bool = False
    profile: str = ""
    validation_timeout: timedelta | None = None
    order_timeout: timedelta | None = None
    hook: str = ""
    keep: Retention = DEFAULT_RETENTION


@dataclass(frozen=True, slots=True)
class Rejected:
    """A certificate that the page asks for but that cannot be read; the others go on."""

    label: str
    error: CertkeeperError


@dataclass(frozen=True, slots=True)
class Settings:
    """The run's settings. Paths are as the operator wrote them, without a final slash.

    `ca_bundle` is a PEM file of the roots that the CA's API is trusted by; None means the system's.
    `propagation` bounds the wait for the name servers (WAIT, PDNS_WAIT), `demand` says whose word it takes.
    `vantage` are resolvers that have to see the records, too.
    """

    config_file: str
    basedir: str
    domains_txt: str
    certdir: str
    accountdir: str
    statedir: str
    lockfile: str | None
    ca: str
    ca_bundle: str | None = None
    contact_email: str = ""
    account_key: KeySpec = DEFAULT_KEY
    powerdns: PowerDnsSettings | None = None
    nameservers: tuple[NameserverOverride, ...] = ()
    propagation: timedelta = DEFAULT_PROPAGATION
    extra_nameservers: tuple[NameserverOverride, ...] = ()
    dns_ignore: tuple[IgnoredServer, ...] = ()
    vantage: tuple[ServerAddress, ...] = ()
    demand: Demand = Demand.REACHABLE


@dataclass(frozen=True, slots=True)
class Configuration:
    """A page that was read: settings, certificates in the order of domains.txt, and what is wrong with the page."""

    settings: Settings
    certificates: tuple[CertSpec, ...]
    rejected: tuple[Rejected, ...] = ()
    findings: tuple[Finding, ...] = ()
