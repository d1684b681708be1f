"""dehydrated's cleanup on disk: unused stamped files go into the archive, or away.

A file that goes into the archive has both names for a moment, so that a kill loses none; what the archive has under
that name already is never overwritten.
"""

import os
from collections.abc import Callable

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder
from certkeeper.adapters.looked import Looked
from certkeeper.adapters.mending import damage_of
from certkeeper.adapters.places import place_of
from certkeeper.base.errors import CertkeeperError
from certkeeper.lineage import layout
from certkeeper.lineage.cleanup import CLEANED, Cleared, Clearing, Kind, Named, Unused, unused
from certkeeper.lineage.layout import Place
from certkeeper.lineage.retention import StillTorn

Told = Callable[[Cleared], None]
_NAMES = (*CLEANED, layout.LIVE)
"""What they lead to counts, too."""


def clean(certdir: str, archive: str | None, told: Told, looked: Looked | None = None) -> tuple[CertkeeperError, ...]:
    """Take the unused files of every folder in CERTDIR into a folder of that name in the archive; what went wrong.

    Without an archive they are deleted. `told` hears of each as soon as it is done, `looked` of each folder.

    Raises:
        FileTrouble: CERTDIR cannot be read.
    """
    try:
        with Folder.open(certdir) as all_:
            # As dehydrated does: also the folders of nobody's lineage, and links to folders.
            names = [name for name in all_.names() if not name.startswith(".") and os.path.isdir(all_.path_of(name))]  # noqa: PTH112
    except FileMissing:
        return ()
    troubles: list[CertkeeperError] = []
    if looked is not None and archive is not None:
        # It has a folder for each of them, which is made where it is missing.
        looked.at_file(archive)
    for name in names:
        if looked is not None:
            looked.at_folder(f"{certdir}/{name}", _NAMES)
        try:
            with Folder.open(f"{certdir}/{name}") as folder:
                _clean_folder(folder, f"{archive}/{name}" if archive is not None else None, told, troubles)
        except CertkeeperError as error:
            troubles.append(error)
    return tuple(troubles)


def _clean_folder(folder: Folder, archive: str | None, told: Told, troubles: list[CertkeeperError]) -> None:
    if archive is not None:
        # dehydrated makes one for each folder, and scripts may count on it.
        Folder.make(archive).close()
    found = _unused(folder)
    if not found:
        return
    wrong = damage_of(folder)
    if wrong is not None and not _revoked(folder):
        # Any of the files may be what the folder is mended from.
        name = os.path.basename(folder.path)  # noqa: PTH119 - text
        raise StillTorn(f"{folder.path}: nothing is cleaned up while {wrong}", hint=f"certkeeper heal {name}")
    if archive is not None:
        found = _kept(archive, folder, found, troubles)
    clearing = Clearing.ARCHIVED if archive is not None else Clearing.DELETED
    for item in found:
        folder.remove(item.name)
        told(Cleared(folder.path, item.name, Clearing.UNLINKED if item.kind is Kind.LINK else clearing))
    folder.sync()


def _revoked(folder: Folder) -> bool:
    """The certificate was revoked with dehydrated, which took its name away."""
    return folder.leads_to_file(layout.revoked_name(folder.target(layout.CERT) or ""))


def _kept(
    archive: str, folder: Folder, found: tuple[Unused, ...], troubles: list[CertkeeperError]
) -> tuple[Unused, ...]:
    """Those that the archive has from now on, and the links, which are in no archive."""
    kept: list[Unused] = []
    with Folder.make(archive) as into:
        into.sweep()
        for item in found:
            try:
                if item.kind is Kind.FILE:
                    into.take(folder, item.name, item.name)
                kept.append(item)
            except FileTrouble as error:
                troubles.append(error)
        into.sync()
    return tuple(kept)


def _unused(folder: Folder) -> tuple[Unused, ...]:
    listed = folder.names()
    shown = {name: Named(place_of(folder, name), folder.target(name), folder.leads_to_file(name)) for name in CLEANED}
    behind = {folder.behind(name) for name in listed if folder.target(name) is not None}
    files = [name for name in listed if layout.stamp_of(name) is not None and folder.is_file(name)]
    live = layout.live_stamp(folder.target(layout.LIVE) or "")
    in_use = {name for name in files if folder.behind(name) in behind}
    if live is not None:
        # Where there are no hard links, these are other files than the version's.
        in_use |= {layout.stamped_name(name, live) for name in CLEANED if shown[name].place is Place.OURS}
    return unused(shown, files, in_use)
