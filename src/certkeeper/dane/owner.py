"""Where TLSA records stand: `_25._tcp.mail.example.org` (RFC 6698 §3)."""

from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.value import dataclass

_MAX_PORT = 65535
_MOST_TEXT = 300


class BadOwner(CertkeeperError):
    """Text that names no port of a host."""

    label = "tlsa-records"
    fault = Fault.OPERATOR


class Transport(StrEnum):
    """The protocols that RFC 6698 §3 has labels for."""

    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"


@dataclass(frozen=True, slots=True, order=True)
class TlsaOwner:
    """One port of one host. `host` is the name that clients ask for, which is also the TLSA base domain."""

    port: int
    protocol: Transport
    host: DnsName

    @classmethod
    def parse(cls, text: str) -> "TlsaOwner":
        """Read `_25._tcp.mail.example.org`, `mail.example.org:25` or `mail.example.org:25/tcp`.

        Raises:
            BadOwner: with the reason.
        """
        shown = printable(text, 80)
        word = text.strip()
        if len(word) > _MOST_TEXT:
            raise BadOwner(f"TLSA owner {shown}: longer than a name may be")
        if word.startswith("_"):
            port, _, rest = word[1:].partition(".")
            protocol, dot, host = rest.partition(".")
            if not dot or not protocol.startswith("_"):
                raise BadOwner(f"TLSA owner {shown}: no protocol after the port", hint="write _25._tcp.HOST")
            return cls(_port(port, shown), _protocol(protocol[1:], shown), _host(host, shown))
        host, colon, service = word.rpartition(":")
        if not colon:
            raise BadOwner(f"TLSA owner {shown}: no port", hint="write HOST:25, or _25._tcp.HOST")
        port_number, protocol_name = parse_port(service)
        return cls(port_number, protocol_name, _host(host, shown))

    @property
    def name(self) -> DnsName:
        """The owner name of its RRset."""
        return self.host.child(f"_{self.port}._{self.protocol.value}")

    def __str__(self) -> str:
        return self.name.text


def parse_port(text: str) -> tuple[int, Transport]:
    """A word such as `25/tcp` or `25`.

    Raises:
        BadOwner: with the reason.
    """
    shown = printable(text, 80)
    port, slash, protocol = text.strip().partition("/")
    return _port(port, shown), _protocol(protocol, shown) if slash else Transport.TCP


def _port(text: str, shown: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= _MAX_PORT):
        raise BadOwner(f"TLSA owner {shown}: {printable(text, 20)!r} is no port from 1 to {_MAX_PORT}")
    if text.startswith("0"):
        # The label is the number without zeros in front (RFC 6698 §3); _025._tcp is a name that nobody asks for.
        raise BadOwner(f"TLSA owner {shown}: a port has no zeros in front", hint=f"write {int(text)}")
    return int(text)


def _protocol(text: str, shown: str) -> Transport:
    try:
        return Transport(text.lower())
    except ValueError:
        known = ", ".join(Transport)
        raise BadOwner(f"TLSA owner {shown}: {printable(text, 20)!r} is none of {known}", hint="write 25/tcp") from None


def _host(text: str, shown: str) -> DnsName:
    if "*" in text:
        raise BadOwner(
            f"TLSA owner {shown}: a wildcard is no host", hint="write one owner for each host that clients connect to"
        )
    try:
        host = DnsName.parse(text)
        # The labels for port and protocol have to fit in front of it.
        DnsName.parse(f"_{_MAX_PORT}._{Transport.SCTP.value}.{host.text}")
    except InvalidName as error:
        raise BadOwner(f"TLSA owner {shown}: {error}") from error
    if len(host.labels) < 2:
        raise BadOwner(f"TLSA owner {shown}: a host has at least two labels")
    if host.labels[-1].isdigit():
        raise BadOwner(f"TLSA owner {shown}: an address has no TLSA records", hint="write the host's name")
    return host
