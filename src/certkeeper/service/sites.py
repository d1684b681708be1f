"""Which names the configuration of a service says that it serves: for a first proposal, not for a verdict.

Only what stands in plain text is found. Variables, patterns and names that no CA would look at are passed over.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from certkeeper.base.errors import Location
from certkeeper.base.names import Identifier, IdentifierType, InvalidName
from certkeeper.base.value import dataclass
from certkeeper.service.target import Kind

_COMMENT = re.compile(r"#[^\n]*")
_LUA_COMMENT = re.compile(r"--[^\n]*")
_SERVER_NAME = re.compile(r"(?<![\w-])server_name\s+([^;{}]+);")
_VIRTUAL_HOST = re.compile(r"<VirtualHost\b[^>]*>(.*?)</VirtualHost>", re.IGNORECASE | re.DOTALL)
_APACHE_NAMES = re.compile(r"^\s*Server(?:Name|Alias)\s+([^\n]+)", re.IGNORECASE | re.MULTILINE)
_POSTFIX = re.compile(r"^(\w+)\s*=\s*([^\n]*)", re.MULTILINE)
_DOVECOT = re.compile(r"^\s*local_name\s+([^\s{]+)", re.MULTILINE)
_PROSODY = re.compile(r"""^\s*(?:VirtualHost|Component)\s*\(?\s*["']([^"'\n]+)["']""", re.MULTILINE)
_HAPROXY = re.compile(
    r"(?:hdr(?:_dom)?\(host\)|req\.hdr\(host\)|(?:ssl_fc|req_ssl|req\.ssl)_sni)((?:[ \t]+[^\s#{}]+)+)"
)
# Names of this machine alone, and those that are kept out of the public DNS (RFC 2606, RFC 6761, RFC 6762, RFC 8375).
_PRIVATE = frozenset(
    {"alt", "example", "home", "internal", "invalid", "lan", "local", "localdomain", "localhost", "test"}
)


@dataclass(frozen=True, slots=True)
class Site:
    """Names that one service serves together: a virtual host."""

    service: str
    names: tuple[Identifier, ...]
    where: Location


def sites(kind: Kind, file: str, text: str) -> tuple[Site, ...]:
    """What that file of a service's configuration says."""
    reader = _READERS.get(kind)
    found: list[Site] = []
    for at, words in reader(text) if reader is not None else ():
        names = tuple(dict.fromkeys(name for word in words if (name := public(word)) is not None))
        if names:
            found.append(Site(kind.value, names, Location(file, text.count("\n", 0, at) + 1)))
    return tuple(found)


def public(word: str) -> Identifier | None:
    """The name, where a public CA may look at it."""
    try:
        found = Identifier.parse(word.strip("\"'").rstrip("."))
    except InvalidName:
        return None
    if found.type is not IdentifierType.DNS or len(found.domain.labels) < 2 or found.domain.labels[-1] in _PRIVATE:
        return None
    return found


def _blank(pattern: "re.Pattern[str]", text: str) -> str:
    """The text without its comments; everything else stays where it was."""
    return pattern.sub(lambda found: " " * len(found[0]), text)


def _nginx(text: str) -> Iterator[tuple[int, list[str]]]:
    for found in _SERVER_NAME.finditer(_blank(_COMMENT, text)):
        # A leading dot is the name and all below it.
        words = [each for word in found[1].split() for each in ([word[1:], f"*{word}"] if word[0] == "." else [word])]
        yield found.start(), words


def _apache(text: str) -> Iterator[tuple[int, list[str]]]:
    text = _blank(_COMMENT, text)
    for block in _VIRTUAL_HOST.finditer(text):
        lines = [word for found in _APACHE_NAMES.finditer(block[1]) for word in found[1].split()]
        yield block.start(), [_without_port(word) for word in lines]


def _without_port(word: str) -> str:
    return word.rpartition("//")[2].partition(":")[0]


def _postfix(text: str) -> Iterator[tuple[int, list[str]]]:
    said = {found[1]: (found.start(), found[2].strip()) for found in _POSTFIX.finditer(_blank(_COMMENT, text))}
    if "myhostname" in said:
        at, name = said["myhostname"]
        _, domain = said.get("mydomain", (0, ""))
        yield at, [re.sub(r"\$(?:mydomain\b|\{mydomain\})", domain, name)]


def _plain(
    pattern: "re.Pattern[str]", comment: "re.Pattern[str]" = _COMMENT
) -> Callable[[str], Iterator[tuple[int, list[str]]]]:
    """A reader of lines that hold one name, or several words of which some are names."""

    def read(text: str) -> Iterator[tuple[int, list[str]]]:
        for found in pattern.finditer(_blank(comment, text)):
            yield found.start(1), [word for word in found[1].split() if not word.startswith("-")]

    return read


_READERS: Mapping[Kind, Callable[[str], Iterator[tuple[int, list[str]]]]] = {
    Kind.NGINX: _nginx,
    Kind.APACHE: _apache,
    Kind.POSTFIX: _postfix,
    Kind.DOVECOT: _plain(_DOVECOT),
    Kind.PROSODY: _plain(_PROSODY, _LUA_COMMENT),
    Kind.HAPROXY: _plain(_HAPROXY),
}
