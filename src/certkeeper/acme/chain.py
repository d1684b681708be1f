"""Downloading certificate chains (RFC 8555 §7.4.2)."""

from datetime import datetime

from certkeeper.acme.body import MalformedBody
from certkeeper.acme.link import targets
from certkeeper.acme.session import Session
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import Exchange

MOST_ALTERNATES = 10
_PEM_MARK = b"-----BEGIN CERTIFICATE-----"


class NoChain(MalformedBody):
    """The answer holds no certificate.

    Attributes:
        answer: what came.
    """

    def __init__(self, message: str, answer: bytes) -> None:
        super().__init__(message)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Download:
    """A chain, leaf first, byte for byte as the CA sent it, and when it came.

    `alternates` are the URLs of other chains of the same certificate, at most MOST_ALTERNATES.
    """

    fullchain: bytes = field(repr=False)
    at: datetime
    alternates: tuple[str, ...] = ()


def download(session: Session, url: str) -> Exchange[Download]:
    """The chain at an order's certificate URL, which is the CA's default, or at one of its alternates.

    Raises:
        Problem, TransportError: the CA refused, or cannot be reached.
        NoChain: what came is no chain.
    """
    response = yield from session.read(url, context="certificate: ")
    if _PEM_MARK not in response.body:
        raise NoChain(f"certificate {url}: the answer holds no PEM certificate", response.body)
    others = [other for other in targets(response.header_all("link"), "alternate", url) if other != url]
    return Download(response.body, response.at, tuple(others[:MOST_ALTERNATES]))
