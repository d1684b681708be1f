"""A certificate's files and folders brought to the owner, group and mode that the page asks for.

Files are found by the names that services use, and opened one component after the other, no link followed: what a
link of the operator's leads to is the operator's. Nothing is given away in a folder that somebody else can write in,
who could have put another file there.
"""

import os
import stat
from contextlib import ExitStack

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder, explained
from certkeeper.adapters.ownership import Ownership
from certkeeper.adapters.places import place_of
from certkeeper.lineage import layout
from certkeeper.lineage.access import READ
from certkeeper.lineage.layout import Place

_FOLDERS = ("", f"/{layout.VERSIONS}", f"/{layout.LIVE}")


def give_all(version: Folder, owned: Ownership) -> tuple[str, ...]:
    """The files of a version, and then the version itself; what was not so."""
    changed = [name for name in READ if version.is_file(name) and version.give(name, owned, name)]
    return (*changed, version.path) if version.let_in(owned) else tuple(changed)


def let_into(path: str, owned: Ownership) -> tuple[str, ...]:
    """The group gets through that folder; what was not so.

    Raises:
        FileTrouble: the folder is not this user's to change.
    """
    with explained(path, "look at"):
        status = _status(path)
    if status is None or not owned.shut(status):
        return ()
    with Folder.open(path) as folder:
        check_writers(folder)
        return (path,) if folder.let_in(owned) else ()


def put_right(path: str, owned: Ownership) -> tuple[str, ...]:
    """What services read of the lineage with that folder; what was not so.

    Raises:
        FileTrouble: it cannot be done, or somebody else can write in one of the folders.
    """
    if not _astray(path, owned):
        return ()
    with Folder.open(path) as folder, ExitStack() as stack:
        check_writers(folder)
        inner = [*_versions(folder, stack)]
        for inside in inner:
            check_writers(inside)
        live = inner[1] if len(inner) > 1 else None
        changed = [name for name in READ if _put_right(folder, live, name, owned)]
        # Nobody new gets in before the files are as they have to be.
        changed += [inside.path for inside in reversed((folder, *inner)) if inside.let_in(owned)]
        return tuple(changed)


def check_folders(path: str) -> tuple[os.stat_result, ...]:
    """What the lineage's folders are, of those that are there.

    Raises:
        FileTrouble: somebody besides root and this user can write in one of them, which keeps its next version back.
    """
    found = []
    with explained(path, "look at"):
        for folder in _FOLDERS:
            status = _status(path + folder)
            if status is not None:
                _check(path + folder, status)
                found.append(status)
    return tuple(found)


def _astray(path: str, owned: Ownership) -> bool:
    """A look at each name, and no more: this is done for every certificate in every run."""
    if any(owned.shut(status) for status in check_folders(path)):
        return True
    with explained(path, "look at"):
        for name in READ:
            status = _status(f"{path}/{name}")
            if status is not None and owned.astray(name, status):
                return True
    return False


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - text
    except (FileNotFoundError, NotADirectoryError):
        return None


def _versions(folder: Folder, stack: ExitStack) -> list[Folder]:
    """The folder of the versions and the live version's, as far as they are there."""
    if not folder.is_folder(layout.VERSIONS):
        return []
    versions = stack.enter_context(folder.child(layout.VERSIONS))
    stamp = layout.live_stamp(folder.target(layout.LIVE) or "")
    if stamp is None:
        return [versions]
    try:
        return [versions, stack.enter_context(versions.child(layout.version_name(stamp)))]
    except FileMissing:
        return [versions]


def _put_right(folder: Folder, live: Folder | None, name: str, owned: Ownership) -> bool:
    place = place_of(folder, name)
    if place is Place.OURS:
        return live is not None and live.is_file(name) and live.give(name, owned, name)
    actual = (folder.target(name) or "") if place is Place.STAMPED else name
    return place in {Place.STAMPED, Place.PLAIN} and folder.is_file(actual) and folder.give(actual, owned, name)


def check_writers(folder: Folder) -> None:
    """Nobody but root and this user writes in the folder.

    Raises:
        FileTrouble: somebody else does, or may.
    """
    _check(folder.path, folder.own_status())


def _check(path: str, status: os.stat_result) -> None:
    if status.st_uid not in {0, os.geteuid()}:
        raise FileTrouble(
            f"{path}: the folder belongs to somebody else (user {status.st_uid}), who could put any file there",
            hint=f"chown {os.geteuid()} {path}; or run certkeeper as that user, with DEHYDRATED_USER",
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise FileTrouble(f"{path}: others can write in the folder, and put any file there", hint=f"chmod go-w {path}")
