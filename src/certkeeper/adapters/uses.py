"""Which services' configuration names a folder. It is only read, and only in well-known places, up to a bound."""

import os
import re
from collections.abc import Collection, Iterator

from certkeeper.adapters.files import FileTrouble, read_file
from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.value import dataclass, field
from certkeeper.plan.orphans import Uses

PLACES = (
    *("nginx", "apache2", "httpd", "lighttpd", "caddy", "haproxy", "traefik"),
    *("postfix", "dovecot", "exim4", "opensmtpd", "smtpd.conf", "cyrus.conf", "imapd.conf"),
    *("prosody", "ejabberd", "coturn", "turnserver.conf", "mumble-server.ini", "mumble"),
    *("proftpd", "vsftpd.conf", "stunnel", "unbound", "bind", "powerdns", "ldap", "postgresql", "mysql", "webmin"),
    *("systemd/system", "cron.d"),
)
"""Below /etc."""
MOST_FILES = 5000
MOST_OCTETS = 64 << 20
DEEPEST = 6
_LARGEST = 1 << 20
_SWITCHED_OFF = ("-available", ".bak", ".dpkg-old", ".dpkg-dist", "~")
"""Endings of names of what no service reads."""
_COMMENT = re.compile(rb"\s*(#|;|//|--)")
_NAME_GOES_ON = rb"(?![A-Za-z0-9._-])"


@dataclass(slots=True)
class _Left:
    """What may still be looked at."""

    files: int = MOST_FILES
    octets: int = MOST_OCTETS
    unread: list[str] = field(default_factory=list)


def find_uses(folders: Collection[str], root: str = "/etc", more: Collection[str] = ()) -> Uses:
    """Lines below `root`, and in `more` files and folders, that name one of the folders, comments left out."""
    if not folders:
        return Uses({})
    wanted = {path.encode(): folder for folder in folders for path in (folder, os.path.realpath(folder))}
    pattern = re.compile(
        rb"(" + rb"|".join(re.escape(path) for path in sorted(wanted, reverse=True)) + rb")" + _NAME_GOES_ON
    )
    left, found = _Left(), dict[str, dict[Location, None]]()
    for place in dict.fromkeys((*(f"{root}/{place}" for place in PLACES), *more)):
        for path in _files(place, left, 0):
            for number, folder in _named(path, pattern, left):
                found.setdefault(wanted[folder], {})[Location(path, number)] = None
    return Uses({folder: tuple(places) for folder, places in found.items()}, tuple(left.unread))


def _files(path: str, left: _Left, depth: int) -> Iterator[str]:
    """Regular files, links to such included, in the order of their names. Links to folders are not followed."""
    if os.path.isfile(path):  # noqa: PTH113 - text, as in all adapters
        yield path
        return
    if not os.path.isdir(path) or (depth and os.path.islink(path)):  # noqa: PTH112, PTH114 - as above
        return
    if depth > DEEPEST:
        left.unread.append(path)
        return
    try:
        names = sorted(os.listdir(path))  # noqa: PTH208 - as above
    except OSError:
        left.unread.append(path)
        return
    for name in names:
        if not name.endswith(_SWITCHED_OFF):
            yield from _files(f"{path}/{name}", left, depth + 1)


def _named(path: str, pattern: "re.Pattern[bytes]", left: _Left) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that name a folder, with that folder."""
    try:
        size = os.stat(path).st_size  # noqa: PTH116 - as above
        if size > _LARGEST or left.files <= 0 or left.octets < size:
            left.unread.append(path)
            return
        left.files, left.octets = left.files - 1, left.octets - size
        content = read_file(path)
    except (OSError, FileTrouble, CertkeeperError):
        left.unread.append(path)
        return
    if pattern.search(content) is None:
        return
    for number, line in enumerate(content.splitlines(), 1):
        if _COMMENT.match(line) is None:
            for match in pattern.finditer(line):
                yield number, match[1]
