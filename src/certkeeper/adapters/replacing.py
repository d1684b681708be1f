"""From what a service's names show to another copy: one rename, after every name was made to go through `.live`.

While that happens the same content is behind each name: where `.live` leads to something else, what the names show is
made a copy first. So whoever reads meets the old set or the new one, and a kill leaves one of them.
"""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence

from certkeeper.adapters.copies import Site, open_to_more, refuse_obstacles
from certkeeper.adapters.files import FileMissing, Folder
from certkeeper.adapters.ownership import AS_IT_IS, Ownership, Thoroughfare
from certkeeper.base.access import NO_ACCESS
from certkeeper.base.value import dataclass, field
from certkeeper.service import copies
from certkeeper.service.copies import Copy, Making

_OPEN_TO_ALL = Thoroughfare(NO_ACCESS)


@dataclass(frozen=True, slots=True)
class AsFound(Ownership):
    """What a file was like before it was copied."""

    permissions: int = field(default=0o600)

    def mode(self, name: str) -> int | None:  # noqa: ARG002 - of whatever name
        return self.permissions


def switch(there: Site, place: Folder, copy: Copy, owned: Ownership) -> Copy | None:
    """Lead the service's names to that copy; the one that they led to before, None where they led to nothing.

    Raises:
        FileTrouble: something cannot be written, or is in the way; the old set stays.
    """
    refuse_obstacles(there)
    put_right(place, copy, owned, there.files)
    if lead := [name for name in there.files if not there.is_ours(name)]:
        _lead_through_live(there, place, lead, owned)
    before = there.live()
    # A killed run may have given the copy its name just now.
    place.sync()
    if before != copy:
        place.point(copies.LIVE, copy.name)
        place.sync()
    return before


def put_right(place: Folder, copy: Copy, owned: Ownership, names: Iterable[str]) -> None:
    """Owner, group and modes of a copy that we made; what somebody else had put there keeps its own."""
    with place.child(copy.name) as version:
        if version.target(copies.FOUND) is None:
            for name in names:
                if version.is_file(name):
                    version.give(name, owned, name)
        if version.let_in(owned):
            version.sync()


def make_lasting(there: Site) -> None:
    """What earlier runs did to names on the way to the copies, whether or not they came to that."""
    for folder in (*reversed(there.inner), there.folder):
        folder.sync()


def _lead_through_live(there: Site, place: Folder, lead: Sequence[str], owned: Ownership) -> None:
    make_lasting(there)
    shown = _shown(there)
    if shown != there.contents(there.live()):
        if shown:
            found = next((copy for copy in there.all() if there.contents(copy) == shown), None)
            place.point(copies.LIVE, (found or _adopt(there, place, shown, owned)).name)
        else:
            # Nobody reads a set that no name leads to; without it the names all show the new one at once.
            place.remove(copies.LIVE)
        place.sync()
    for name in lead:
        there.folder.sweep(name)
        there.folder.point(name, there.link(name))
    there.folder.sync()


def _shown(there: Site) -> dict[str, bytes]:
    """What a reader gets through the service's names."""
    behind = there.contents(there.live())
    shown = {}
    for name in there.files:
        if not there.is_ours(name):
            if there.folder.status(name) is not None:
                shown[name] = there.folder.read_here(name)
        elif name in behind:
            shown[name] = behind[name]
    return shown


def _adopt(there: Site, place: Folder, shown: Mapping[str, bytes], owned: Ownership) -> Copy:
    """Make what the names show a copy: the very files, where there are hard links."""
    copy = _free(place, max(there.folder.modified(name) for name in shown))
    live = there.live()
    making = copy.named(Making.ADOPTING)
    with place.make_child(making) as version:
        version.point(copies.FOUND, copies.listing(shown))
        # What is in here without a list would be in the way of the next run.
        version.sync()
        readable = [owned]
        for name in shown:
            if there.is_ours(name) and live is not None:
                with place.child(live.name) as source:
                    _take(version, source, name)
            else:
                _take(version, there.folder, name)
                if open_to_more(_status(there.folder, name), owned):
                    readable = [owned, _OPEN_TO_ALL]
        for way in readable:
            # Who could read it where it was can go on doing so.
            for folder in (*there.inner, version):
                folder.let_in(way)
        version.sync()
    make_lasting(there)
    place.rename(making, copy.name)
    place.sync()
    return copy


def _free(place: Folder, wanted: int) -> Copy:
    """A stamp that no copy has; what a killed run began is removed."""
    entries = {name: found for name in place.names() if (found := copies.entry(name)) is not None}
    for name, (_, making) in entries.items():
        if making is Making.ADOPTING and place.is_folder(name):
            remove_copy(place, name)
    taken = {copy.stamp for copy, making in entries.values() if making is not Making.ADOPTING}
    stamp = max(wanted, 0)
    while stamp in taken:
        stamp += 1
    return Copy(stamp)


def remove_copy(place: Folder, name: str) -> None:
    """A folder with files that its list names; the list goes last."""
    with place.child(name) as version:
        files = listed(version)
    place.remove_child(name, (*sorted(files), *copies.LISTS))
    place.sync()


def listed(version: Folder) -> frozenset[str]:
    """The files of a copy that we put there."""
    return frozenset[str]().union(*(copies.listed(version.target(name)) for name in copies.LISTS))


def _take(version: Folder, source: Folder, name: str) -> None:
    version.take(source, name, name)
    # Where there are no hard links it was copied, and is private.
    version.give(name, _as_found(_status(source, name)), name)


def _as_found(status: os.stat_result) -> AsFound:
    """Only root can give a file away; everybody's own copy is their own."""
    root = os.geteuid() == 0
    uid = status.st_uid if root else AS_IT_IS
    gid = status.st_gid if root or status.st_gid in {os.getegid(), *os.getgroups()} else AS_IT_IS
    return AsFound(NO_ACCESS, uid, gid, permissions=stat.S_IMODE(status.st_mode) & 0o777)


def _status(folder: Folder, name: str) -> os.stat_result:
    found = folder.status(name)
    if found is None:
        raise FileMissing(f"{folder.path_of(name)}: is gone")
    return found
