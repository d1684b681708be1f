"""OCSP responses in the folders of lineages, as dehydrated keeps them: `ocsp-<stamp>.der`, and the link `ocsp.der`.

Where a version is live, the response is a file of the version's own and `ocsp.der` goes through `.live`: what services
read is about the certificate that they read, before a switch and after it. The caller sees to it that nobody else
writes, and that what comes here was proven.
"""

from contextlib import suppress

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder
from certkeeper.adapters.folders import Folders
from certkeeper.adapters.ownership import Ownership
from certkeeper.adapters.permissions import check_writers
from certkeeper.adapters.places import live_stamp, place_of
from certkeeper.adapters.versions import if_there
from certkeeper.apply.ports import StapledFiles
from certkeeper.base.names import Alias
from certkeeper.lineage import layout
from certkeeper.lineage.layout import Place


class Staples:
    """The port Staples: the lineages in these folders."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def read(self, alias: Alias) -> StapledFiles | None:
        """What is live, and the response beside it; None where there is no certificate.

        Raises:
            FileTrouble: a file is there and cannot be read.
        """
        try:
            folder = Folder.open(self._folders.path(alias))
        except FileMissing:
            return None
        with folder:
            cert = if_there(folder, layout.CERT)
            if cert is None:
                return None
            return StapledFiles(cert, if_there(folder, layout.CHAIN) or b"", if_there(folder, layout.STAPLE))

    def save(self, alias: Alias, cert: bytes, der: bytes, now_epoch: int) -> int:
        """Put the response beside that certificate, live or staged; the stamp that its name has, or had before.

        Raises:
            FileTrouble: the lineage has no such certificate, something is in the way, or it cannot be written.
        """
        owned = self._folders.owned.get(alias)
        with Folder.open(self._folders.path(alias)) as folder:
            folder.sweep()
            if if_there(folder, layout.CERT) != cert:
                _save_staged(folder, cert, der, owned)
                return now_epoch
            _check_place(folder)
            if owned is not None:
                check_writers(folder)
            live = live_stamp(folder)
            if (shown := _shown(folder, der, Place.STAMPED if live is None else Place.OURS)) is not None:
                folder.sync()
                return shown
            stamp = layout.free_stamp(now_epoch, _taken(folder))
            if live is None:
                _save_stamped(folder, stamp, der, owned)
            else:
                with folder.child(layout.VERSIONS) as versions, versions.child(layout.version_name(live)) as version:
                    _save_live(folder, version, stamp, der, owned)
            return stamp


def show_staple(folder: Folder, version: Folder) -> None:
    """Lead `ocsp.der` through `.live` where the version that is live now has a response of its own. Where it has none,
    a link to one is about the certificate before, and goes; the file stays.
    """
    if version.is_file(layout.STAPLE):
        if place_of(folder, layout.STAPLE) in {Place.ABSENT, Place.STAMPED}:
            folder.point(layout.STAPLE, layout.live_target(layout.STAPLE))
            folder.sync()
    elif place_of(folder, layout.STAPLE) is Place.STAMPED:
        folder.remove(layout.STAPLE)
        folder.sync()


def name_staple(folder: Folder, version: Folder, stamp: int, owned: Ownership | None) -> None:
    """Give the response that came before its version went live a stamped name, as dehydrated's have; if it has none."""
    behind = version.behind(layout.STAPLE)
    if behind is None or any(_is_stamped(name) and folder.behind(name) == behind for name in folder.names()):
        return
    name = layout.stamped_name(layout.STAPLE, stamp)
    if folder.status(name) is None:
        folder.take(version, layout.STAPLE, name)
        if owned is not None:
            # Where there are no hard links, it is a file of its own.
            folder.give(name, owned, layout.STAPLE)


def remove_stamped(folder: Folder, version: Folder) -> None:
    """Take away the other names of a version's response."""
    behind = version.behind(layout.STAPLE)
    for name in folder.names() if behind is not None else ():
        if _is_stamped(name) and folder.is_file(name) and folder.behind(name) == behind:
            folder.remove(name)


def _save_stamped(folder: Folder, stamp: int, der: bytes, owned: Ownership | None) -> None:
    name = layout.stamped_name(layout.STAPLE, stamp)
    folder.put(name, der)
    if owned is not None:
        folder.give(name, owned, layout.STAPLE)
    folder.sync()
    _keep_plain(folder)
    folder.point(layout.STAPLE, name)
    folder.sync()


def _save_live(folder: Folder, version: Folder, stamp: int, der: bytes, owned: Ownership | None) -> None:
    version.sweep()
    if not (version.is_file(layout.STAPLE) and version.read(layout.STAPLE) == der):
        # Only the newest one keeps a stamped name: cleaning up may be far off.
        remove_stamped(folder, version)
        version.put(layout.STAPLE, der, owned)
    version.sync()
    name = layout.stamped_name(layout.STAPLE, stamp)
    folder.take(version, layout.STAPLE, name)
    if owned is not None:
        # Where there are no hard links, it is a file of its own.
        folder.give(name, owned, layout.STAPLE)
    if place_of(folder, layout.STAPLE) is not Place.OURS:
        _keep_plain(folder)
        folder.point(layout.STAPLE, layout.live_target(layout.STAPLE))
    folder.sync()


def _save_staged(folder: Folder, cert: bytes, der: bytes, owned: Ownership | None) -> None:
    """Beside a certificate that is yet to go live, or that was live before."""
    with suppress(FileMissing), folder.child(layout.VERSIONS) as versions:
        for stamp in layout.version_stamps(versions.names()):
            with versions.child(layout.version_name(stamp)) as version:
                if if_there(version, layout.CERT) == cert:
                    version.sweep()
                    version.put(layout.STAPLE, der, owned)
                    version.sync()
                    return
    raise FileTrouble(
        f"{folder.path_of(layout.STAPLE)}: not written, since the certificate that it is about is not here any more",
        hint="run it again",
    )


def _check_place(folder: Folder) -> None:
    """A link of the operator's leads where the operator wants it."""
    if place_of(folder, layout.STAPLE) in {Place.ELSEWHERE, Place.BLOCKED}:
        path = folder.path_of(layout.STAPLE)
        raise FileTrouble(f"{path}: leads elsewhere, or is no file", hint=f"move it away: ls -ld {path}")


def _keep_plain(folder: Folder) -> None:
    """A file that a person put there keeps its content under a stamped name, as dehydrated's cleanup knows them."""
    if place_of(folder, layout.STAPLE) is Place.PLAIN:
        stamp = layout.free_stamp(folder.modified(layout.STAPLE), _taken(folder))
        folder.take(folder, layout.STAPLE, layout.stamped_name(layout.STAPLE, stamp))


def _shown(folder: Folder, der: bytes, place: Place) -> int | None:
    """The stamp of that response where it is what servers read already."""
    if place_of(folder, layout.STAPLE) is not place or if_there(folder, layout.STAPLE) != der:
        return None
    behind = folder.behind(layout.STAPLE)
    stamps = [layout.stamp_of(name) for name in folder.names() if _is_stamped(name) and folder.behind(name) == behind]
    return max((stamp for stamp in stamps if stamp is not None), default=None)


def _taken(folder: Folder) -> frozenset[int]:
    return frozenset(stamp for name in folder.names() if _is_stamped(name) and (stamp := layout.stamp_of(name)))


def _is_stamped(name: str) -> bool:
    stamp = layout.stamp_of(name)
    return stamp is not None and name == layout.stamped_name(layout.STAPLE, stamp)
