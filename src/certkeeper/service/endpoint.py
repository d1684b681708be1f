"""Where a service shows its certificate, as people write it: `smtp://mail.example.org`, `example.org:443@192.0.2.1`."""

import ipaddress
import re
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.value import dataclass, field


class Protocol(StrEnum):
    """How TLS begins: at once, or after a dialogue in plain text."""

    TLS = "tls"
    FTP = "ftp"
    IMAP = "imap"
    LDAP = "ldap"
    LMTP = "lmtp"
    MYSQL = "mysql"
    POP3 = "pop3"
    POSTGRES = "postgres"
    SIEVE = "sieve"
    SMTP = "smtp"
    XMPP_CLIENT = "xmpp-client"
    XMPP_SERVER = "xmpp-server"


@dataclass(frozen=True, slots=True)
class Service:
    """A word that an endpoint may begin with. `alpn` is what servers that tell protocols apart by it want to see."""

    protocol: Protocol
    port: int
    alpn: str = ""


SERVICES = {
    "tls": Service(Protocol.TLS, 443),
    "https": Service(Protocol.TLS, 443),
    "smtp": Service(Protocol.SMTP, 25),
    "submission": Service(Protocol.SMTP, 587),
    "smtps": Service(Protocol.TLS, 465),
    "submissions": Service(Protocol.TLS, 465),
    "lmtp": Service(Protocol.LMTP, 24),
    "imap": Service(Protocol.IMAP, 143),
    "imaps": Service(Protocol.TLS, 993),
    "pop3": Service(Protocol.POP3, 110),
    "pop3s": Service(Protocol.TLS, 995),
    "sieve": Service(Protocol.SIEVE, 4190),
    "xmpp-client": Service(Protocol.XMPP_CLIENT, 5222),
    "xmpp-server": Service(Protocol.XMPP_SERVER, 5269),
    "xmpps-client": Service(Protocol.TLS, 5223, "xmpp-client"),
    "xmpps-server": Service(Protocol.TLS, 5270, "xmpp-server"),
    "ldap": Service(Protocol.LDAP, 389),
    "ldaps": Service(Protocol.TLS, 636),
    "postgres": Service(Protocol.POSTGRES, 5432),
    "mysql": Service(Protocol.MYSQL, 3306),
    "ftp": Service(Protocol.FTP, 21),
    "ftps": Service(Protocol.TLS, 990),
    "dot": Service(Protocol.TLS, 853, "dot"),
}
_BY_PORT = {service.port: service for service in reversed(SERVICES.values())}
_SCHEME = re.compile(r"([a-z][a-z0-9-]*)://")


class BadEndpoint(CertkeeperError):
    """Text that names no endpoint."""

    label = "handshake"
    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One port of one service.

    `name` is what the client asks for: the server name of TLS (RFC 6066 §3), the domain of an XMPP stream; the
    certificate has to be valid for it. `host` is where to connect, a host name or an address; the name where it is
    empty. `word` is the service that was typed, empty where the port told it.
    """

    name: str
    port: int
    protocol: Protocol
    host: str = ""
    alpn: str = ""
    word: str = field(default="", compare=False)

    @property
    def connect_to(self) -> str:
        return self.host or self.name

    @property
    def by_address(self) -> bool:
        """It is asked for an address, which no server name stands for."""
        return is_address(self.name)

    def __str__(self) -> str:
        host = f"@{_bracketed(self.host)}" if self.host else ""
        return f"{self.word or self.protocol.value}://{_bracketed(self.name)}:{self.port}{host}"


def parse_endpoint(text: str) -> Endpoint:
    """`[SERVICE://]NAME[:PORT][@HOST]`. Without a service the port says which; without both it is https.

    Raises:
        BadEndpoint: with the reason.
    """
    shown = printable(text, 80)
    word, rest = _service(text, shown)
    target, at, host = rest.partition("@")
    name, port = _name_and_port(target, shown)
    service = SERVICES[word] if word else _BY_PORT.get(port or 443, Service(Protocol.TLS, port or 443))
    if at and not host:
        raise BadEndpoint(f"{shown}: no host after @", hint="write NAME:PORT@HOST, or leave the @ out")
    at_host = _host(host, shown) if host else ""
    return Endpoint(name, port or service.port, service.protocol, at_host, service.alpn, word)


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _service(text: str, shown: str) -> tuple[str, str]:
    found = _SCHEME.match(text)
    if found is None:
        return "", text
    word = found.group(1)
    if word not in SERVICES:
        raise BadEndpoint(f"{shown}: service {word} is not known", hint=f"known are {', '.join(sorted(SERVICES))}")
    return word, text[found.end() :].rstrip("/")


def _name_and_port(target: str, shown: str) -> tuple[str, int | None]:
    if target.startswith("["):
        bare, closed, after = target[1:].partition("]")
        if not closed or (after and not after.startswith(":")):
            raise BadEndpoint(f"{shown}: a bracket that is not closed", hint="write [2001:db8::1]:443")
        name, port = bare, after[1:] if after else None
    elif target.count(":") == 1:
        name, _, port = target.partition(":")
    else:
        name, port = target, None
    if port is not None and not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise BadEndpoint(f"{shown}: {printable(port, 20)!r} is no port from 1 to 65535", hint="write NAME:PORT")
    return _host(name, shown), int(port) if port is not None else None


def _host(text: str, shown: str) -> str:
    bare = text.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        name = DnsName.parse(text)
    except InvalidName as error:
        raise BadEndpoint(f"{shown}: {error}", hint="write NAME:PORT") from error
    if not name.text or name.labels[-1].isdigit():
        raise BadEndpoint(f"{shown}: neither a host name nor an address", hint="write NAME:PORT")
    return name.text


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
