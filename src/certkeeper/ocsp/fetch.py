"""Gets a response from a responder: one exchange, over HTTP (RFC 6960 appendix A.1, RFC 5019 §5)."""

import base64
from urllib.parse import quote, urljoin, urlsplit

from certkeeper.base.errors import printable
from certkeeper.base.times import parse_retry_after
from certkeeper.base.wire import Exchange, Request, Response, TransportError, ask
from certkeeper.ocsp.model import LARGEST, Flaw, NoStaple, Staple
from certkeeper.ocsp.request import Issued, request
from certkeeper.ocsp.response import verified

REQUEST_TYPE = "application/ocsp-request"
RESPONSE_TYPE = "application/ocsp-response"
_LONGEST_GET = 255
"""Octets of the whole URL; what is longer is sent with POST (RFC 5019 §5)."""
_HOPS = 4
"""The first address, and redirects."""
_LONGEST_URL = 2000
_MOVED = frozenset({301, 302, 303, 307, 308})
_SAME_METHOD = frozenset({307, 308})
_NO_GET = frozenset({400, 403, 404, 405, 411, 414, 501})
"""What responders that know POST alone say to GET."""
_PATIENCE = "the CA runs that responder; certkeeper ocsp fetch asks it again"


def fetched(asked: Issued, user_agent: str, nonce: bytes = b"") -> Exchange[Staple]:
    """What the certificate's responder says of it now, proven; whatever that is. At most two requests, and redirects.

    Raises:
        NoStaple: nothing that counts came, or there is nobody to ask.
        TransportError: nothing came at all.
    """
    url = asked.subject.url
    if url is None:
        raise NoStaple(Flaw.NO_RESPONDER, "the certificate names no OCSP responder", hint="its CA has none")
    if not _fetchable(url):
        raise NoStaple(Flaw.HTTP, f"{_shown(url)}, which the certificate names, is no address to ask at")
    tries = requests(url, request(asked, nonce), user_agent)
    try:
        response = yield from _followed(tries[0])
        if len(tries) > 1 and response.status in _NO_GET:
            response = yield from _followed(tries[1])
    except TransportError as error:
        # A request in base 64 tells people nothing, and is longer than all the rest.
        said = str(error).replace(tries[0].url, _shown(url))
        hint = _PATIENCE if error.sent and error.transient else error.hint
        raise TransportError(said, transient=error.transient, sent=error.sent, hint=hint) from error
    return verified(_body(response, url), asked, response.at, nonce)


def requests(url: str, der: bytes, user_agent: str) -> tuple[Request, ...]:
    """The requests to try, in this order: GET where it is small, since caches can answer that, and POST."""
    accepted = (("accept", RESPONSE_TYPE), ("user-agent", user_agent))
    posted = Request("POST", url, (*accepted, ("content-type", REQUEST_TYPE)), der)
    # A slash at the end of the URL is not doubled. Base 64 has slashes of its own, which are escaped.
    asking = f"{url.removesuffix('/')}/{quote(base64.b64encode(der).decode(), safe='')}"
    parts = urlsplit(url)
    small = len(asking) <= _LONGEST_GET and not parts.query and not parts.fragment
    return (Request("GET", asking, accepted), posted) if small else (posted,)


def _followed(first: Request) -> Exchange[Response]:
    asking = first
    for _ in range(_HOPS):
        response = yield from ask(asking)
        location = response.header("location") if response.status in _MOVED else None
        if location is None or (asking.method == "POST" and response.status not in _SAME_METHOD):
            return response
        asking = Request(asking.method, _next(asking.url, location), asking.headers, asking.body)
    raise NoStaple(Flaw.HTTP, f"{_shown(first.url)} redirects more than {_HOPS - 1} times")


def _next(url: str, location: str) -> str:
    try:
        following = urljoin(url, location)
    except ValueError:
        following = ""
    if not _fetchable(following) or (url.startswith("https:") and not following.startswith("https:")):
        raise NoStaple(Flaw.HTTP, f"{_shown(url)} redirects to {_shown(location)}, where nobody is asked")
    return following


def _fetchable(url: str) -> bool:
    """A plain http(s) URL. What comes from there is signed, so http is no worse."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # only asking for it shows that it is a number
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _LONGEST_URL
    return bool(plain and parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc)


def _body(response: Response, url: str) -> bytes:
    where = _shown(url)
    if response.status != 200:
        wait = parse_retry_after(response.header("retry-after") or "", response.at)
        raise NoStaple(
            Flaw.HTTP,
            f"{where} answers with status {response.status}",
            hint=_PATIENCE,
            retry_at=response.at + wait if wait is not None else None,
        )
    kind = (response.header("content-type") or "nothing that it has a name for").partition(";")[0].strip()
    if kind.lower() != RESPONSE_TYPE:
        raise NoStaple(
            Flaw.HTTP,
            f"{where} answers with {printable(kind, 60)}, not {RESPONSE_TYPE}",
            hint="does something else answer at that address, such as a portal of this network?",
        )
    if len(response.body) > LARGEST:
        raise NoStaple(
            Flaw.TOO_LARGE,
            f"{where} answers with {len(response.body)} octets, more than any response has",
            hint="does something else answer at that address?",
        )
    return response.body


def _shown(url: str) -> str:
    return printable(url, 120)
