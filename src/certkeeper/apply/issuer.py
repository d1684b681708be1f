"""The certificate after a leaf's, for a CA that sends the leaf alone: fetched from where the leaf says that it is.

The address is in a certificate that the CA just signed, and is plain HTTP as a rule (RFC 5280 §4.2.2.1): what makes the
answer good is that it signed the leaf, whoever sent it.
"""

from urllib.parse import urljoin

from certkeeper.acme.address import askable
from certkeeper.acme.problem import problem_from_response
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.wire import Exchange, Request, Response, ask
from certkeeper.lineage.issuer import read_issuer
from certkeeper.lineage.leaf import issuer_urls
from certkeeper.lineage.model import BadChain
from certkeeper.lineage.pem import certificates, split_fullchain

_REDIRECTED = frozenset({301, 302, 303, 307, 308})
_HOPS = 5
"""The first address, and redirects."""
_LARGEST = 64 * 1024
"""Octets. Certificates of CAs have some two thousand."""
_LONGEST_URL = 300


class NoIssuer(CertkeeperError):
    """The issuer's certificate cannot be had."""

    label = "key-or-chain"
    fault = Fault.REMOTE


def issuer_of(fullchain: bytes, user_agent: str) -> Exchange[bytes]:
    """The issuer of the chain's leaf, in PEM: what follows it, or else what is at the address that it names.

    Raises:
        NoIssuer: it names none, or what is there is not its issuer's certificate.
        TransportError: nothing came from there.
    """
    leaf, _ = split_fullchain(fullchain)
    _, *rest = certificates(fullchain)
    if rest:
        return rest[0]
    url = _address(leaf)
    response = yield from _fetched(url, user_agent)
    if len(response.body) > _LARGEST:
        raise NoIssuer(f"{_shown(url)}: {len(response.body)} octets are no certificate")
    try:
        return read_issuer(leaf, response.body, response.at)
    except BadChain as error:
        raise NoIssuer(f"{_shown(url)}: {error}", hint=error.hint) from error


def _address(leaf: bytes) -> str:
    try:
        urls = issuer_urls(leaf)
    except BadChain as error:
        raise NoIssuer(str(error), hint=error.hint) from error
    for url in urls:
        if _fetchable(url):
            return url
    named = f"only at {_shown(urls[0])}" if urls else "nowhere"
    raise NoIssuer(
        f"the CA sent the certificate without its chain, and says {named} where that of its issuer is",
        hint="ask the CA for the certificate of its issuer",
    )


def _fetched(url: str, user_agent: str) -> Exchange[Response]:
    asked = url
    for _ in range(_HOPS):
        response = yield from ask(Request("GET", asked, (("user-agent", user_agent),)))
        if response.status == 200:
            return response
        location = response.header("location") if response.status in _REDIRECTED else None
        if location is None:
            # Scripts are told of it as of what a CA refuses.
            refusal = problem_from_response(response, url=asked, method="get")
            raise NoIssuer(
                f"{_shown(asked)}: status {response.status}",
                hint="the leaf says that its issuer's certificate is there",
            ) from refusal
        asked = _next(asked, location)
    raise NoIssuer(f"{_shown(url)}: redirected more than {_HOPS - 1} times")


def _next(asked: str, location: str) -> str:
    try:
        following = urljoin(asked, location)
    except ValueError:
        following = ""
    if not _fetchable(following):
        raise NoIssuer(f"{_shown(asked)}: redirected to {_shown(location)}, which is no address to fetch from")
    return following


def _fetchable(url: str) -> bool:
    """Like a URL that a CA names, but plain HTTP is no worse here."""
    return askable(url, "http://")


def _shown(url: str) -> str:
    return printable(url, _LONGEST_URL)
