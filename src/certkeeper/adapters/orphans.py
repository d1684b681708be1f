"""Folders of CERTDIR that hold a lineage, and the way of one into the archive."""

import errno
import os
from collections.abc import Collection

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder, explained
from certkeeper.base.names import Alias, InvalidName
from certkeeper.lineage import layout

ARCHIVE = "archive"
_SIGNS = (*layout.NAMES, layout.LIVE, layout.VERSIONS)


def unlisted(certdir: str, listed: Collection[str]) -> tuple[Alias, ...]:
    """The lineages of CERTDIR that are not listed. A folder without a certificate's files is none.

    Raises:
        FileTrouble: CERTDIR cannot be read.
    """
    try:
        folder = Folder.open(certdir)
    except FileMissing:
        return ()
    with folder:
        return tuple(
            alias
            for name in folder.names()
            if name not in listed and (alias := _alias(name)) is not None and _holds_lineage(folder, name)
        )


def archive(certdir: str, basedir: str, alias: Alias, stamp: int) -> str:
    """Move a lineage's folder to BASEDIR/archive, whole and by one rename, and say where it is then.

    What is killed has moved it or not; nothing that is there is overwritten.

    Raises:
        FileTrouble: it cannot be moved, and is where it was.
    """
    with Folder.open(certdir) as certs, Folder.make(f"{basedir}/{ARCHIVE}") as archived:
        if not certs.is_folder(alias.text):
            raise FileTrouble(f"{certs.path_of(alias.text)}: no folder of certkeeper's or dehydrated's")
        while archived.status(name := f"{alias.text}-{stamp}") is not None:
            stamp += 1
        try:
            with explained(archived.path_of(name), "rename to"):
                os.rename(certs.path_of(alias.text), archived.path_of(name))  # noqa: PTH104 - text
        except FileTrouble as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EXDEV:
                raise FileTrouble(
                    f"{archived.path}: not on the file system of {certdir}, so the folder cannot be moved in one step",
                    hint=f"make it a link to a folder there: ln -s {certdir}/.archive {archived.path}",
                ) from error
            raise
        archived.sync()
        certs.sync()
        return archived.path_of(name)


def _alias(name: str) -> Alias | None:
    try:
        return Alias.parse(name)
    except InvalidName:
        return None


def _holds_lineage(folder: Folder, name: str) -> bool:
    if not folder.is_folder(name):
        return False
    try:
        with explained(folder.path_of(name), "list"), folder.child(name) as child:
            return any(child.status(sign) is not None for sign in _SIGNS)
    except FileTrouble:
        # One that cannot be opened is nobody's to call a lineage.
        return os.path.lexists(f"{folder.path_of(name)}/{layout.CERT}")
