"""The folder of a service and the copies in it: opened one component after the other, looked at, refused.

Nothing is written in a folder, and nothing in it is believed, that somebody besides root and this user can change, by
itself or through a folder on the way to it: who can would have root write where he likes.
"""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder, explained
from certkeeper.adapters.ownership import AS_IT_IS, Ownership, Thoroughfare, resolve
from certkeeper.adapters.permissions import check_writers
from certkeeper.adapters.writers import Writers
from certkeeper.apply.deployports import Placement
from certkeeper.base.access import NO_ACCESS
from certkeeper.base.value import dataclass, field, replace
from certkeeper.service import copies
from certkeeper.service.copies import Copy
from certkeeper.service.target import Form

_LET_IN = 0o010


@dataclass(frozen=True, slots=True)
class CopyOwnership(Ownership):
    """The same for copies, by what they hold; other names are left alone."""

    files: Mapping[str, Form] = field(default_factory=dict)

    def mode(self, name: str) -> int | None:
        form = self.files.get(name)
        if form is None:
            return None
        return self.access.key_mode if form.secret else self.access.public_mode


@dataclass(frozen=True, slots=True)
class Site:
    """The service's folder, held open, and of the folders from there to the copies those that are there.

    `files` are the forms by the names that the service uses.
    """

    placement: Placement
    folder: Folder
    inner: tuple[Folder, ...]
    files: Mapping[str, Form]

    @property
    def place(self) -> Folder | None:
        """The folder of the copies."""
        return self.inner[-1] if len(self.inner) == len(self.way) else None

    @property
    def way(self) -> tuple[str, ...]:
        return copies.way(self.placement.target, self.placement.alias.text)

    def link(self, name: str) -> str:
        return copies.link(self.placement.target, self.placement.alias.text, name)

    def is_ours(self, name: str) -> bool:
        """The service's name goes through `.live`."""
        return self.folder.target(name) == self.link(name)

    def live(self) -> Copy | None:
        """The copy that `.live` leads to; None where there is none, or it is none of ours."""
        if self.place is None:
            return None
        copy = copies.complete(self.place.target(copies.LIVE) or "")
        return copy if copy is not None and self.place.is_folder(copy.name) else None

    def all(self) -> tuple[Copy, ...]:
        """The complete copies, newest first."""
        place = self.place
        if place is None:
            return ()
        found = (copy for name in place.names() if (copy := copies.complete(name)) is not None)
        return tuple(sorted((copy for copy in found if place.is_folder(copy.name)), reverse=True))

    def newest(self, stamp: int) -> Copy | None:
        """The copy of that version that counts."""
        return next((copy for copy in self.all() if copy.stamp == stamp), None)

    def older(self, stamp: int) -> Copy | None:
        """The one before that."""
        return next((copy for copy in self.all() if copy.stamp == stamp and copy != self.newest(stamp)), None)

    def contents(self, copy: Copy | None) -> dict[str, bytes]:
        """What a copy has under the service's names."""
        if copy is None or self.place is None:
            return {}
        with self.place.child(copy.name) as version:
            return {name: version.read_here(name) for name in self.files if version.status(name) is not None}


@contextmanager
def site(placement: Placement) -> Iterator[Site]:
    """As it is. Nothing is made.

    Raises:
        FileTrouble: the paths are in several folders, the folder is missing, or a link is in the way.
    """
    path, files = where(placement)
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(Folder.open(path))
        except FileMissing as error:
            raise FileMissing(
                f"{path}: the folder is not there, where target {placement.target} is to have its files",
                hint=f"make it: install -d -m 0755 {path}; or correct the paths of target {placement.target}",
            ) from error
        yield Site(placement, folder, tuple(_inner(placement, folder, stack)), files)


@contextmanager
def made(placement: Placement, owned: Ownership) -> Iterator[Site]:
    """The same, with the folders to the copies made where they are missing, and the group let through them.

    Raises:
        FileTrouble: as `site`; or somebody else can write in one of the folders.
    """
    with site(placement) as there, ExitStack() as stack:
        refuse_writers(there)
        inside, inner = there.folder, []
        for name in there.way:
            inside = stack.enter_context(inside.make_child(name))
            check_writers(inside)
            if inside.let_in(_through(inside, owned) if name == copies.COMMON else owned):
                inside.sync()
            inner.append(inside)
        yield replace(there, inner=tuple(inner))


def where(placement: Placement) -> tuple[str, Mapping[str, Form]]:
    """The folder of a placement, and the forms by the names in it.

    Raises:
        FileTrouble: there is no such folder, or it could not be told from others.
    """
    subject = f"target {placement.target}"
    files: dict[str, Form] = {}
    folders = set()
    for path, form in placement.files.items():
        folder, name = os.path.split(path)
        if not folder.startswith("/") or name in copies.OURS | {"", ".", ".."}:
            raise FileTrouble(f"{path}: no path for a file of {subject}", hint="write it from / on, with a name")
        folders.add(folder)
        files[name] = form
    if len(folders) != 1 or len(files) != len(placement.files):
        raise FileTrouble(
            f"{subject}: the files of {placement.alias} are in several folders: {', '.join(sorted(folders))}",
            hint="only files in one folder can be switched in one step: put them into one, or describe two targets",
        )
    if "/" in placement.target or placement.target.startswith("."):
        raise FileTrouble(f"{subject}: its name cannot be that of a folder", hint="name it with letters and digits")
    return folders.pop(), files


def ownership(placement: Placement) -> CopyOwnership:
    """Whose the copies are: what nobody asked for is as it is for whoever runs this.

    Raises:
        NoSuchOwner: there is no such user or group, or files cannot be given to it.
    """
    path, files = where(placement)
    subject = f"of target {placement.target}"
    asked = resolve(placement.access, f"{path}: owner {subject}", f"{path}: group {subject}")
    uid = os.geteuid() if asked.uid == AS_IT_IS else asked.uid
    gid = os.getegid() if asked.gid == AS_IT_IS and uid == os.geteuid() else asked.gid
    return CopyOwnership(asked.access, uid, gid, asked.folder_gid, files)


def refuse_writers(there: Site) -> None:
    """Nobody but root and this user can put anything into the folder, or another folder in its place.

    Raises:
        FileTrouble: somebody can.
    """
    path = there.folder.path
    for writer in Writers().of(path, there.folder.own_status()):
        raise FileTrouble(
            f"{path}: {writer.who} can put any file there"
            + (f", through {writer.place}" if writer.place != path else ""),
            hint=writer.fix,
        )
    for inside in there.inner:
        check_writers(inside)


def refuse_obstacles(there: Site) -> None:
    """The service's names are free, ours, or plain files; `.live` is a link.

    Raises:
        FileTrouble: something else is there.
    """
    for name in there.files:
        path = there.folder.path_of(name)
        if there.is_ours(name):
            continue
        if (target := there.folder.target(name)) is not None:
            raise FileTrouble(
                f"{path}: a link that leads elsewhere ({target}), which certkeeper did not make",
                hint=f"have {there.placement.target} read another path, or take the link away: ls -l {path}",
            )
        if there.folder.status(name) is not None and not there.folder.is_file(name):
            raise FileTrouble(f"{path}: neither a file nor a link", hint=f"move it away: ls -ld {path}")
    place = there.place
    if place is not None and place.status(copies.LIVE) is not None and place.target(copies.LIVE) is None:
        path = place.path_of(copies.LIVE)
        raise FileTrouble(f"{path}: not the link that it has to be", hint=f"move it away: ls -ld {path}")


def refuse_unwritable(there: Site) -> None:
    """Files can be made in the folder.

    Raises:
        FileTrouble: it is mounted read-only, or this user may not.
    """
    path = there.folder.path_of(min(there.files))
    with explained(path, "write"):
        # What root may do everywhere, nobody does on such a mount.
        if os.statvfs(there.folder.path).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        if not os.access(there.folder.path, os.W_OK | os.X_OK, effective_ids=True):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def open_to_more(status: os.stat_result, owned: Ownership) -> bool:
    """Somebody besides root, this user and the group can read that file."""
    mode = stat.S_IMODE(status.st_mode)
    group_reads = bool(mode & stat.S_IRGRP) and status.st_gid != owned.folder_gid
    return bool(mode & stat.S_IROTH) or group_reads or status.st_uid not in {0, os.geteuid()}


def _inner(placement: Placement, folder: Folder, stack: ExitStack) -> Iterator[Folder]:
    inside = folder
    for name in copies.way(placement.target, placement.alias.text):
        if inside.status(name) is None:
            return
        inside = stack.enter_context(inside.child(name))
        yield inside


def _through(common: Folder, owned: Ownership) -> Ownership:
    """How the group gets through the folder that all targets have in common: as everybody, where another one has it."""
    status = common.own_status()
    return Thoroughfare(NO_ACCESS) if owned.shut(status) and status.st_mode & _LET_IN else owned
