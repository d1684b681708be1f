"""Users of services that read keys as themselves: who of them is in a group, and what they can really read."""

import grp
import os
import pwd
import select
import time
from collections.abc import Collection, Iterator, Sequence

from certkeeper.adapters.users import drop
from certkeeper.base.access import Access
from certkeeper.lineage.layout import FULLCHAIN, PRIVKEY

_SERVICES = {
    "prosody": "prosody",
    "ejabberd": "ejabberd",
    "postgres": "postgresql",
    "mysql": "mariadb",
    "openldap": "slapd",
    "Debian-exim": "exim4",
    "turnserver": "coturn",
    "mumble-server": "mumble-server",
    "asterisk": "asterisk",
    "_dnsdist": "dnsdist",
}
"""Debian's users, with the units to restart. Web servers, Postfix and Dovecot read keys as root."""

_LONGEST = 10.0
"""Seconds that a user's look at the files may take: a folder may be on a server that does not answer."""
_END = b"end\n"


def outsiders(groups: Collection[str]) -> Iterator[tuple[str, str]]:
    """Users that are there and in none of these groups, with their services.

    A group of one user's own is for that user: nobody else is to be in it.
    """
    gids = _gids([group for group in groups if not _own(group)])
    if not gids:
        return
    for user, service in _SERVICES.items():
        found = _user(user)
        if found is not None and gids.isdisjoint(os.getgrouplist(user, found.pw_gid)):
            yield user, service


def insiders(access: Access) -> tuple[str, ...]:
    """Users that are there and may read the key by this."""
    gids = _gids([access.group] if access.group and access.key_mode & 0o040 else [])
    users = [user for user in _SERVICES if (found := _user(user)) and gids & {*os.getgrouplist(user, found.pw_gid)}]
    return tuple(dict.fromkeys([*([access.owner] if access.owner else []), *users]))


def unreadable_for(user: str, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Key and certificate in these folders that the user cannot read, and why. Who is not root cannot try."""
    paths = [f"{folder}/{name}" for folder in folders for name in (PRIVKEY, FULLCHAIN)]
    # What is not there is nobody's trouble here.
    yield from unreadable(user, [path for path in paths if os.path.exists(path)])  # noqa: PTH110 - text


def unreadable(user: str, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Those of the files that the user cannot read, and why. Who is not root cannot try."""
    found = _user(user)
    if found is None or os.geteuid() != 0 or found.pw_uid == 0 or not paths:
        return
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _try(found, paths, writing)
    os.close(writing)
    try:
        said = _heard(reading)
    finally:
        os.close(reading)
        os.kill(child, 9)
        os.waitpid(child, 0)
    for line in said.removesuffix(_END).splitlines():
        number, code = line.split()
        yield paths[int(number)], os.strerror(int(code)).lower()
    if not said.endswith(_END):
        yield paths[0], "it could not be tried"


def _try(user: pwd.struct_passwd, paths: Sequence[str], out: int) -> None:
    """In the child, which ends here whatever happens."""
    try:
        drop(user, user.pw_gid)
        for number, path in enumerate(paths):
            try:
                fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                os.read(fd, 1)
                os.close(fd)
            except OSError as error:
                os.write(out, b"%d %d\n" % (number, error.errno or 0))
        os.write(out, _END)
    finally:
        os._exit(0)


def _heard(reading: int) -> bytes:
    said, until = b"", time.monotonic() + _LONGEST
    while (left := until - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
        if not (more := os.read(reading, 65536)):
            break
        said += more
    return said


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _own(group: str) -> bool:
    user = _user(group)
    return user is not None and {user.pw_gid} == _gids([group])


def _gids(groups: Collection[str]) -> frozenset[int]:
    found = set()
    for group in groups:
        try:
            found.add(grp.getgrnam(group).gr_gid)
        except KeyError:
            continue
    return frozenset(found)
