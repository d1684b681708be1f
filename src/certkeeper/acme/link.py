"""Link header fields (RFC 8288), as far as a CA uses them."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urljoin, urlsplit

from certkeeper.base.patterns import pattern

_TARGET = pattern(r"[\s,]*<([^<>]*)>")
_PARAMETER = pattern(r'\s*;\s*([^\s=;,"<>]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?')
_LONGEST = 10_000
"""Characters of a field that are read. No CA has that much to say."""


def targets(fields: Iterable[str], relation: str, base: str) -> tuple[str, ...]:
    """The http(s) URLs that stand in that relation to `base`, each once and in order; relative ones are resolved.

    The rest of a field that cannot be read is passed over. A link with an anchor speaks of another resource (§3.2).
    """
    found: dict[str, None] = {}
    for field in fields:
        for target, parameters in _links(field[:_LONGEST]):
            relations = parameters.get("rel", "").lower().split()
            if relation in relations and "anchor" not in parameters:
                url = resolved(base, target)
                if url:
                    found[url] = None
    return tuple(found)


def _links(field: str) -> Iterator[tuple[str, dict[str, str]]]:
    at = 0
    while (target := _TARGET.match(field, at)) is not None:
        at = target.end()
        parameters: dict[str, str] = {}
        while (parameter := _PARAMETER.match(field, at)) is not None:
            at = parameter.end()
            name, quoted, token = parameter.groups()
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token or ""
            # §3.3: the first rel counts.
            parameters.setdefault(name.lower(), value)
        yield target[1], parameters


def resolved(base: str, target: str) -> str:
    """The absolute http(s) URL without a fragment; empty where it is none that can be asked."""
    try:
        url = urljoin(base, target.strip()).partition("#")[0]
        parts = urlsplit(url)
        _ = parts.port  # only asking for it shows that it is a number
    except ValueError:
        return ""
    usable = parts.scheme in ("https", "http") and parts.hostname and url.isascii() and url.isprintable()
    return url if usable and " " not in url else ""
