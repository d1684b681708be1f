"""Owners, groups and modes of a certificate's files and folders, set through descriptors.

No path is followed here: a file that is open is the file that is meant. At no moment has a file an owner or a group
that may do more with it than both the present and the wanted mode allow, so a kill leaves it closed rather than open.
"""

import grp
import os
import pwd
import stat

from certkeeper.base.access import Access
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.value import dataclass
from certkeeper.lineage.access import READ
from certkeeper.lineage.layout import PRIVKEY

AS_IT_IS = -1
_ENTER = 0o050
_PASS = 0o011
_WRITE_BY_OTHERS = 0o022


class NoSuchOwner(CertkeeperError):
    """There is no such user or group, or whoever runs this cannot give files to it."""

    label = "file-trouble"
    fault = Fault.OPERATOR
    local = True


@dataclass(frozen=True, slots=True)
class Ownership:
    """An Access as numbers. AS_IT_IS is what nobody asked to be changed.

    `folder_gid` is the group that gets through folders: CERT_GROUP, else the own group of CERT_OWNER.
    """

    access: Access
    uid: int = AS_IT_IS
    gid: int = AS_IT_IS
    folder_gid: int = AS_IT_IS

    def mode(self, name: str) -> int | None:
        """The mode of what has that name; None is that it is left alone."""
        if name == PRIVKEY:
            return self.access.key_mode
        return self.access.public_mode if name in READ else None

    def astray(self, name: str, status: os.stat_result) -> bool:
        """Whether that file is not what it has to be."""
        mode = self.mode(name)
        return mode is not None and (
            stat.S_IMODE(status.st_mode) != mode
            or self.uid not in {AS_IT_IS, status.st_uid}
            or self.gid not in {AS_IT_IS, status.st_gid}
        )

    def give(self, fd: int, name: str) -> bool:
        """Make that file what it has to be; whether anything was to be done."""
        status = os.fstat(fd)
        mode = self.mode(name)
        if mode is None or not stat.S_ISREG(status.st_mode) or not self.astray(name, status):
            return False
        _set(fd, status, self.uid, self.gid, mode)
        return True

    def shut(self, status: os.stat_result) -> bool:
        """Whether the group cannot get through that folder. Others may already be let in: then so is the group."""
        if self.folder_gid == AS_IT_IS:
            return False
        return not status.st_mode & (0o010 if status.st_gid == self.folder_gid else 0o001)

    def let_in(self, fd: int) -> bool:
        """Let the group, and nobody else beside it, through a folder; whether anything was to be done."""
        status = os.fstat(fd)
        if not self.shut(status):
            return False
        mode = (stat.S_IMODE(status.st_mode) | _ENTER) & ~_WRITE_BY_OTHERS
        _set(fd, status, AS_IT_IS, self.folder_gid, mode)
        return True


@dataclass(frozen=True, slots=True)
class Thoroughfare(Ownership):
    """Everybody gets through a folder, and nobody new sees which names are in it. Files are left alone."""

    def mode(self, name: str) -> int | None:  # noqa: ARG002 - as for others
        return None

    def shut(self, status: os.stat_result) -> bool:
        return status.st_mode & _PASS != _PASS

    def let_in(self, fd: int) -> bool:
        status = os.fstat(fd)
        if not self.shut(status):
            return False
        os.fchmod(fd, stat.S_IMODE(status.st_mode) | _PASS)
        return True


def _set(fd: int, status: os.stat_result, uid: int, gid: int, mode: int) -> None:
    """Owner and group change while the file allows no more than both modes do."""
    present = stat.S_IMODE(status.st_mode)
    if uid not in {AS_IT_IS, status.st_uid} or gid not in {AS_IT_IS, status.st_gid}:
        if present & ~mode:
            os.fchmod(fd, present & mode)
        os.fchown(fd, uid, gid)
        # chown takes some bits away.
        present = stat.S_IMODE(os.fstat(fd).st_mode)
    if present != mode:
        os.fchmod(fd, mode)


def resolve(access: Access, owner: str = "CERT_OWNER", group: str = "CERT_GROUP") -> Ownership:
    """The numbers of these names. `owner` and `group` say in errors what asks for them.

    Raises:
        NoSuchOwner: there is no such user or group, or files cannot be given to it.
    """
    uid = gid = folder_gid = AS_IT_IS
    if access.owner:
        try:
            user = pwd.getpwnam(access.owner)
        except KeyError:
            raise NoSuchOwner(
                f"{owner}: there is no user {access.owner}",
                hint=f"correct the name, or make the user: adduser --system {access.owner}",
            ) from None
        uid, folder_gid = user.pw_uid, user.pw_gid
    if access.group:
        try:
            gid = folder_gid = grp.getgrnam(access.group).gr_gid
        except KeyError:
            raise NoSuchOwner(f"{group}: there is no group {access.group}", hint=_make_group(access.group)) from None
    _check_power(access, uid, gid, owner, group)
    if uid == os.geteuid() and not access.group:
        # The folders are this user's, too.
        folder_gid = AS_IT_IS
    return Ownership(access, uid, gid, folder_gid)


def _make_group(group: str) -> str:
    return "apt install ssl-cert" if group == "ssl-cert" else f"correct the name, or make it: addgroup --system {group}"


def _check_power(access: Access, uid: int, gid: int, owner: str, group: str) -> None:
    """Only root gives files away; everybody else may choose among the groups that they are in."""
    euid = os.geteuid()
    if euid == 0:
        return
    if uid not in {AS_IT_IS, euid}:
        raise NoSuchOwner(f"{owner}: only root can give files to {access.owner}", hint="run it as root")
    if gid != AS_IT_IS and gid not in {os.getegid(), *os.getgroups()}:
        try:
            me = pwd.getpwuid(euid).pw_name
        except KeyError:
            me = str(euid)
        raise NoSuchOwner(f"{group}: {me} is not in the group {access.group}", hint=f"adduser {me} {access.group}")
