"""Hosts and ports as settings write them: addresses, names, brackets around IPv6."""

import ipaddress

from certkeeper.base.names import DnsName, InvalidName


class BadHost(Exception):
    """Why a text is no host."""


def canonical_host(text: str) -> str:
    """An address in its short form, or a host name in lower case.

    Raises:
        BadHost: neither of them.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        name = DnsName.parse(text)
    except InvalidName as error:
        raise BadHost(str(error)) from error
    if not name.text or name.labels[-1].isdigit():
        raise BadHost(f"{text!r} is neither a host name nor an address")
    return name.text


def split_port(text: str, default: int) -> tuple[str, int]:
    """`host`, `host:port`, `[v6]:port`, or an IPv6 address without brackets and port.

    Raises:
        BadHost: no host, or no port from 1 to 65535.
    """
    if text.startswith("["):
        host, closed, rest = text.partition("]")
        host += closed
    elif text.count(":") == 1:
        host, _, rest = text.partition(":")
        rest = f":{rest}"
    else:
        host, rest = text, ""
    if not rest:
        return canonical_host(host), default
    port = rest[1:]
    if rest[0] != ":" or not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise BadHost(f"{text!r} has no port from 1 to 65535")
    return canonical_host(host), int(port)


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    bare = host.strip("[]").rstrip(".").lower()
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return bare == "localhost" or bare.endswith(".localhost")
