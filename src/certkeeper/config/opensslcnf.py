"""OPENSSL_CNF: openssl is not used here; what the file would have put into dehydrated's certificate requests.

dehydrated appends a section SAN to a copy of the file and has openssl take the request's extensions from it. So the
file's own section of that name counts, and nothing else: not even what `req_extensions` names.
"""

from collections.abc import Iterator

from certkeeper.base.errors import Location, printable
from certkeeper.base.patterns import pattern
from certkeeper.base.wire import Exchange
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.reading import read
from certkeeper.config.values import Values

_NAME = "OPENSSL_CNF"
_SECTION = pattern(r"\s*\[\s*([^\]]*?)\s*\]")
_ENTRY = pattern(r"\s*([^=\s#]+)\s*=")
_APPENDED = "SAN"
# dehydrated sets these itself, after the file.
_REPLACED = frozenset({"subjectAltName"})


def request_findings(values: Values) -> Exchange[tuple[Finding, ...]]:
    """A finding for each extension that would have been in requests. A file that cannot be read would have none."""
    if not values.has(_NAME):
        return ()
    path = values.path(_NAME, "")
    text = yield from read(path)
    if not isinstance(text, str):
        return ()
    return tuple(_finding(path, line, name) for line, name in _extensions(text) if name not in _REPLACED)


def _extensions(text: str) -> Iterator[tuple[int, str]]:
    section = ""
    continued = False
    for number, line in enumerate(text.split("\n"), 1):
        inside, continued = continued, line.rstrip("\r").endswith("\\")
        if inside:
            continue
        if found := _SECTION.match(line):
            section = found[1]
        elif section == _APPENDED and (entry := _ENTRY.match(line)):
            yield number, entry[1]


def _finding(path: str, line: int, name: str) -> Finding:
    return Finding(
        "request-extension",
        Severity.WARNING,
        f"{_NAME}: {printable(name, 80)} in section [{_APPENDED}] is not asked for",
        "openssl is not used; dehydrated would put the extension into certificate requests",
        "most CAs ignore it; where yours does not, hand in a request of your own: certkeeper sign",
        Location(path, line),
    )
