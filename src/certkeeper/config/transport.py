"""How an HTTP API is reached where that differs from what every machine does: proxies, addresses, verification."""

import ipaddress
from enum import StrEnum

from certkeeper.base.value import dataclass, field


class IpVersion(StrEnum):
    """Which addresses are used."""

    ANY = ""
    FOUR = "4"
    SIX = "6"


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy: scheme, host and port. `userinfo` is `user:password`, empty where it wants none."""

    url: str
    userinfo: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Pin:
    """Where a host and port are found, whatever DNS says. `*` is every host that has no pin of its own."""

    host: str
    port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transport:
    """`http` and `https` are the proxies for URLs of these schemes. `spared` are hosts that none is used for, in curl's
    forms: `example.org` and all below it, an address, a network, or `*` alone for every host.

    `verified`: the server's certificate is checked. `connect` bounds the wait for a connection, in seconds; None is
    our own bound.
    """

    http: Proxy | None = None
    https: Proxy | None = None
    spared: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    ip_version: IpVersion = IpVersion.ANY
    verified: bool = True
    connect: float | None = None

    def proxy(self, scheme: str, host: str) -> Proxy | None:
        """The proxy that leads to a host; None where it is reached directly."""
        found = self.https if scheme == "https" else self.http
        return None if found is None or is_spared(host, self.spared) else found

    def pinned(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses that are set for a host and port; none where DNS is to be asked."""
        wanted = host.strip("[]").rstrip(".").lower()
        for name in (wanted, "*"):
            for pin in reversed(self.pins):
                if (pin.host, pin.port) == (name, port):
                    return pin.addresses
        return ()

    @property
    def own_lines(self) -> bool:
        """Whether connections are made in another way than everybody makes them."""
        return bool(self.pins) or self.ip_version is not IpVersion.ANY


def is_spared(host: str, spared: tuple[str, ...]) -> bool:
    """Whether a host is one of those, as curl's no_proxy has it."""
    if spared == ("*",):
        return True
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return any(_within(name, entry) for entry in spared)
    return any(_covers(entry, address) for entry in spared)


def _within(name: str, entry: str) -> bool:
    """A name itself, and what is below it; one leading dot makes no difference."""
    suffix = entry.rstrip(".").removeprefix(".").lower()
    return bool(suffix) and (name == suffix or name.endswith(f".{suffix}"))


def _covers(entry: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """An address, or a network in CIDR form, of which host bits do not count."""
    try:
        return address in ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False
