"""Challenge files in folders that somebody else's web or TLS server reads: WELLKNOWN and ALPNCERTDIR."""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder, temporary_name
from certkeeper.apply.ports import ServedFile
from certkeeper.plan.records import FileIntent

_LARGEST = 1 << 16


class FolderUnusable(FileTrouble):
    """Challenge files cannot be put into a folder."""


class FolderMissing(FolderUnusable):
    """It is not there, whoever asks."""


def missing_folders(folders: Iterable[str]) -> Mapping[str, FolderMissing]:
    """Those that are not there. Whether others can be written to depends on who runs."""
    found: dict[str, FolderMissing] = {}
    for folder in dict.fromkeys(folders):
        with contextlib.suppress(FolderUnusable):
            try:
                WebFolders().check(folder)
            except FolderMissing as error:
                found[folder] = error
    return found


class WebFolders:
    """Implements the port ChallengeFiles. The folders are the operator's: they are never made here."""

    def check(self, folder: str) -> None:
        """Raises FolderUnusable, with the way out."""
        try:
            Folder.open(folder).close()
        except FileMissing as error:
            raise FolderMissing(
                f"{folder}: the folder for challenge files is not there",
                hint=f"make it, and have your server read it: mkdir -p {folder}; or set WELLKNOWN (http-01) or "
                "ALPNCERTDIR (tls-alpn-01)",
            ) from error
        except FileTrouble as error:
            raise FolderUnusable(f"{error}: challenge files go there", hint=error.hint) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise FolderUnusable(
                f"{folder}: challenge files cannot be written there",
                hint=f"run as a user who may, or see who may: namei -l {folder}; findmnt -T {folder}",
            )

    def put(self, file: ServedFile) -> None:
        """Raises FileTrouble."""
        with Folder.open(file.folder) as folder:
            temporary = temporary_name(file.name)
            try:
                folder.put(temporary, file.content)
                folder.set_mode(temporary, file.mode)
                folder.take(folder, temporary, file.name)
            finally:
                folder.remove(temporary)
            # Where there are no hard links it was copied.
            folder.set_mode(file.name, file.mode)
            folder.sync()

    def remove(self, intent: FileIntent) -> bool:
        """Only the very content that was written; what a killed run had half written goes, too. Raises FileTrouble."""
        with contextlib.suppress(FileMissing), Folder.open(intent.folder) as folder:
            # Others of this run write into the same folder at this moment.
            folder.sweep(intent.name)
            if _is(folder, intent):
                folder.remove(intent.name)
                folder.sync()
                return True
        return False


def _is(folder: Folder, intent: FileIntent) -> bool:
    """Whether the name is a regular file, no link to one, with that content."""
    if not folder.is_file(intent.name):
        return False
    try:
        content = folder.read(intent.name, _LARGEST)
    except FileTrouble:
        return False
    return hashlib.sha256(content).hexdigest() == intent.digest
