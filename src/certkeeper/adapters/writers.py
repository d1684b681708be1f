"""Who besides root and this user can change a file: by writing to it, or by putting another one in its place.

Whoever may write to a folder on the way to a file can do the latter, and so can the owner of each, who may give himself
the permission. In a sticky folder (/tmp) only the owners of the folder and of what is in it can.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from certkeeper.adapters.accesslists import Listed, listed
from certkeeper.base.value import dataclass

_MOST_LINKS = 40


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who can, by what he can do to `place`. `uid` is known of a single user only, `everybody` for sure.

    `users` are those of this machine who can by that, besides root and this user, as far as it lists them; `gid` is
    the group by which they can.
    """

    who: str
    place: str
    fix: str
    uid: int | None = None
    everybody: bool = False
    users: frozenset[int] = frozenset()
    gid: int | None = None

    def root_refuses(self) -> bool:
        """Whether what he can change must not decide what runs: for root another user is as bad as everybody."""
        others = bool(self.users) and self.gid != os.getegid()
        return self.everybody or (os.geteuid() == 0 and others)


class Writers:
    """Looks at folders once: most files of a page are in few of them."""

    def __init__(self) -> None:
        # Who this is when it begins to look, and be it another one by the time of an answer.
        self._me = os.geteuid()
        self._trusted = frozenset({0, self._me})
        self._seen: dict[str, tuple[Writer, ...]] = {}

    def of(self, path: str, status: os.stat_result) -> tuple[Writer, ...]:
        """`status` is that of the file that was opened."""
        whole = os.path.join(os.getcwd(), path)  # noqa: PTH118, PTH109 - as written: `..` leads on from where a link led
        return tuple(dict.fromkeys((*self._of_one(path, status), *self._on_the_way(whole, _MOST_LINKS))))

    def of_path(self, path: str) -> tuple[Writer, ...]:
        """The same for what nobody opened, file or folder; nobody can change what is not there."""
        with suppress(OSError):
            return self.of(path, os.stat(path))  # noqa: PTH116 - text
        return ()

    def _on_the_way(self, path: str, links: int) -> Iterator[Writer]:
        """Who can put something else where this path leads."""
        folder = os.path.dirname(path) or "/"  # noqa: PTH120
        if folder == path or not links:
            return
        yield from self._folder(folder, links)
        with suppress(OSError):
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                # Nobody writes to a link; in a sticky folder its owner can replace it.
                if os.stat(folder).st_mode & stat.S_ISVTX:  # noqa: PTH116
                    yield from self._owner(path, status, "-h ")
                target = os.path.join(os.path.realpath(folder), os.readlink(path))  # noqa: PTH115, PTH118
                yield from self._on_the_way(target, links - 1)

    def _folder(self, folder: str, links: int) -> tuple[Writer, ...]:
        if folder not in self._seen:
            own: tuple[Writer, ...] = ()
            with suppress(OSError):
                own = tuple(self._of_one(folder, os.stat(folder)))  # noqa: PTH116
            self._seen[folder] = (*own, *self._on_the_way(folder, links))
        return self._seen[folder]

    def _of_one(self, place: str, status: os.stat_result) -> Iterator[Writer]:
        if not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and status.st_uid in self._trusted:
            return
        yield from self._owner(place, status)
        if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
            return
        if status.st_mode & stat.S_IWOTH:
            yield Writer("everybody", place, f"chmod o-w {place}", everybody=not _read_only(place))
        elif status.st_mode & stat.S_IWGRP:
            yield from self._group(place, status)

    def _owner(self, place: str, status: os.stat_result, option: str = "") -> Iterator[Writer]:
        if status.st_uid not in self._trusted:
            fix = f"chown {option}{_name(self._me)} {place}"
            users = frozenset() if _read_only(place) else frozenset({status.st_uid})
            yield Writer(_user(status.st_uid), place, fix, status.st_uid, users=users)

    def _group(self, place: str, status: os.stat_result) -> Iterator[Writer]:
        if (found := listed(place)) is not None:
            # The group's permission is then the most that anybody in the list has.
            yield from self._list(place, found, status)
        elif status.st_gid != 0 and not self._alone_in(status.st_gid):
            users = frozenset() if _read_only(place) else _members(status.st_gid) - self._trusted
            yield Writer(_group(status.st_gid), place, f"chmod g-w {place}", users=users, gid=status.st_gid)

    def _list(self, place: str, found: Listed, status: os.stat_result) -> Iterator[Writer]:
        gids = found.gids | (frozenset({status.st_gid}) if found.owning else frozenset())
        gids = frozenset(gid for gid in gids if gid != 0 and not self._alone_in(gid))
        uids = found.uids - self._trusted
        if uids or gids:
            users = frozenset() if _read_only(place) else uids.union(*map(_members, gids)) - self._trusted
            yield Writer("whom its access list names", place, f"getfacl {place}; setfacl -b {place}", users=users)

    def _alone_in(self, gid: int) -> bool:
        """A user's private group, which Debian gives each user."""
        import grp  # noqa: PLC0415 - only where something is open
        import pwd  # noqa: PLC0415

        try:
            members = {pwd.getpwnam(name).pw_uid for name in grp.getgrgid(gid).gr_mem}
            return members <= self._trusted and pwd.getpwuid(os.geteuid()).pw_gid == gid
        except KeyError:
            return False


def _members(gid: int) -> frozenset[int]:
    """Nobody is in Debian's group staff, whose /usr/local is, as it comes."""
    import grp  # noqa: PLC0415 - as above
    import pwd  # noqa: PLC0415

    users = pwd.getpwall()
    try:
        named = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        named = set()
    return frozenset(user.pw_uid for user in users if user.pw_gid == gid or user.pw_name in named)


def group_id(name: str) -> int | None:
    """Of a group by name or number; None where there is none."""
    import grp  # noqa: PLC0415 - as above

    try:
        return int(name) if name.isascii() and name.isdigit() else grp.getgrnam(name).gr_gid
    except (KeyError, ValueError):
        return None


def user_id(name: str) -> int | None:
    """Of a user by name or number; None where there is none."""
    import pwd  # noqa: PLC0415 - as above

    try:
        return int(name) if name.isascii() and name.isdigit() else pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        return None


def running_as() -> str:
    return _name(os.geteuid())


def _read_only(place: str) -> bool:
    """A mount that nobody writes through, as containers are given their configuration, with modes that mean nothing.

    It may be read-only for us alone: a hardened unit of systemd's sees the whole system so.
    """
    with suppress(OSError):
        return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    return False


def _user(uid: int) -> str:
    name = _name(uid)
    return name if name.startswith("user ") else f"user {name}"


def _name(uid: int) -> str:
    import pwd  # noqa: PLC0415 - as above

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _group(gid: int) -> str:
    import grp  # noqa: PLC0415 - as above

    try:
        return f"group {grp.getgrgid(gid).gr_name}"
    except KeyError:
        return f"group {gid}"
