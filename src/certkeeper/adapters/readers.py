"""Users of services that read keys as themselves: who of them is in a group, and what they can really read."""

import errno
import grp
import os
import pwd
import select
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from certkeeper.adapters.users import drop
from certkeeper.base.access import Access
from certkeeper.base.errors import printable
from certkeeper.base.value import dataclass
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
    yield from _refused(user, paths, _read)


def impassable(user: str, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Those of the folders that the user cannot get into, and why. Who is not root cannot try."""
    yield from _refused(user, folders, _enter)


def _refused(user: str, paths: Sequence[str], look: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    found = _user(user)
    if found is None or os.geteuid() != 0 or found.pw_uid == 0 or not paths:
        return
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _try(found, paths, look, writing)
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


def _read(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    os.read(fd, 1)
    os.close(fd)


def _enter(path: str) -> None:
    os.close(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
    if not os.access(path, os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _try(user: pwd.struct_passwd, paths: Sequence[str], look: Callable[[str], None], out: int) -> None:
    """In the child, which ends here whatever happens."""
    try:
        drop(user, user.pw_gid)
        for number, path in enumerate(paths):
            try:
                look(path)
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


@dataclass(frozen=True, slots=True)
class OldGroups:
    """A process that began before its user was in the group, and so is not in it. `command` is its name."""

    user: str
    group: str
    pid: int
    command: str


def old_groups(user: str, group: str, proc: str = "/proc") -> OldGroups | None:
    """The first process of a user who is in the group now that is not. Who may see no others' processes finds none."""
    found, gids = _user(user), _gids([group])
    if found is None or not gids or gids.isdisjoint(os.getgrouplist(user, found.pw_gid)):
        return None
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):  # noqa: PTH208 - text
        said = _status(f"{proc}/{pid}/status")
        ids = {number for key in ("Gid", "Groups") for number in said.get(key, "").split()}
        owned = str(found.pw_uid) in said.get("Uid", "").split()
        if owned and ids.isdisjoint(map(str, gids)):
            return OldGroups(user, group, pid, printable(said.get("Name", "?"), 40))
    return None


def restarted(user: str) -> str:
    """The unit of Debian's that has to be restarted for that user's processes; empty where nobody knows."""
    return _SERVICES.get(user, "")


def _status(path: str) -> Mapping[str, str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - text
            lines = [line.partition(":") for line in file]
    except OSError:
        # It has ended since.
        return {}
    return {key: value.strip() for key, _, value in lines}


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
