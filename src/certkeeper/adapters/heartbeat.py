"""A URL of the operator's that is asked after each run: a service there raises an alarm once nobody asks any more.

Whoever knows such a URL can ask it, too: what is told of it ends with its host.
"""

from typing import Any
from urllib.parse import urlsplit

from certkeeper.adapters.bounds import Bounds
from certkeeper.adapters.http import HttpClient, Line
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.wire import Request, TransportError
from certkeeper.config.secret import Secret
from certkeeper.config.transport import IpVersion, Pin, Proxy, Transport

BOUNDS = Bounds(connect=5.0, read=5.0, whole=10.0)
_DONE = range(200, 300)


class HeartbeatFailed(CertkeeperError):
    """Whoever waits for it was not told that there was a run."""

    label = "not-told"
    fault = Fault.REMOTE


def beat(url: Secret, line: Line, user_agent: str) -> None:
    """Ask it once.

    Raises:
        HeartbeatFailed: no answer came, or another one than a good one.
    """
    secret = url.reveal()
    parts = urlsplit(secret)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
    try:
        answer = HttpClient(line=line, bounds=BOUNDS).send(Request("GET", secret, (("user-agent", user_agent),)))
    except TransportError as error:
        said = str(error).replace(line.where(secret), shown)
        # Libraries name the path alone, too.
        raise HeartbeatFailed(
            said.replace(parts.path, "/…") if parts.path.strip("/") else said, hint=error.hint
        ) from None
    except CertkeeperError as error:
        raise HeartbeatFailed(f"{shown}: {error}", hint=error.hint) from None
    if answer.status not in _DONE:
        raise HeartbeatFailed(
            f"{shown}: answered with status {answer.status}", hint="is the URL as that service shows it?"
        )


def as_plain(line: Line) -> tuple[Any, ...]:
    """How servers are reached, as a calm run remembers it."""
    way = line.transport
    proxies = [(proxy.url, proxy.userinfo) if proxy is not None else None for proxy in (way.http, way.https)]
    pins = [(pin.host, pin.port, pin.addresses) for pin in way.pins]
    return line.ca_bundle, proxies, way.spared, pins, way.ip_version.value, way.verified, way.connect


def from_plain(plain: tuple[Any, ...]) -> Line:
    """The same, back again."""
    ca_bundle, proxies, spared, pins, ip_version, verified, connect = plain
    http, https = (Proxy(*each) if each is not None else None for each in proxies)
    return Line(
        ca_bundle,
        transport=Transport(
            http, https, spared, tuple(Pin(*pin) for pin in pins), IpVersion(ip_version), verified, connect
        ),
    )
