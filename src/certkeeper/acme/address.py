"""Which of the URLs that a CA hands out are asked (RFC 8555 §6.1)."""

from urllib.parse import urlsplit

from certkeeper.acme.body import MalformedBody
from certkeeper.base.errors import printable

_LONGEST = 2000


def askable(url: str, directory_url: str) -> bool:
    """May a CA with that directory send us to this URL?

    Any host is taken, since a CA may spread its resources, TLS proves each of them, and a signature is good for its
    own URL only. Plain http is taken from a directory that is plain http itself, which is so on loopback only.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # only asking for it shows that it is a number
    except ValueError:
        return False
    schemes = ("https", "http") if directory_url.lower().startswith("http://") else ("https",)
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _LONGEST
    return bool(plain and parts.scheme in schemes and parts.hostname and "@" not in parts.netloc)


def require_askable(url: str, directory_url: str, context: str) -> None:
    """Refuse to ask a URL that no CA has reason to name.

    Raises:
        MalformedBody: it is one.
    """
    if not askable(url, directory_url):
        raise MalformedBody(f"{context}the CA names {printable(url, 120)!r} as the URL to ask, which is no https URL")
