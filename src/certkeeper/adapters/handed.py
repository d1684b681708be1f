"""Files that somebody names on the command line: certificates, requests and keys to read, a certificate to write."""

import itertools
import os
import stat

from certkeeper.adapters import jwk, keys
from certkeeper.adapters.files import FileTrouble, Folder, read_file, temporary_name
from certkeeper.base.keys import KeyPair

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class HandedFiles:
    """Reads what it is handed, and writes nothing but what `write` is asked for."""

    def read(self, path: str) -> bytes:
        """Its content, at most 1 MiB. Raises FileTrouble."""
        return read_file(path)

    def account_key(self, path: str) -> KeyPair:
        """An account's key of another program: PEM, or a JWK. Raises UnusableKey."""
        return jwk.load_account_key(path)

    def key_beside(self, path: str, key_id: str) -> KeyPair | None:
        """The private key that lies beside a certificate's file; None where there is none with that key_id."""
        return keys.key_beside(path, key_id)

    def public_key(self, path: str, content: bytes) -> bytes:
        """The SubjectPublicKeyInfo in DER of the private key in that content. Raises UnusableKey."""
        return keys.public_key_of(content, path)

    def is_there(self, path: str) -> bool:
        """There is a file of that name, in a folder that can be written to.

        Raises:
            FileTrouble: `write` could not write it, or what is there is no regular file.
        """
        folder, name = _taken_apart(path)
        with Folder.open(folder) as opened:
            found = _replaceable(opened, name, path)
            _try_to_write(opened, name, path)
            return found

    def set_aside(self, path: str, other: str) -> None:
        """Give a file another name in its folder; a file that is there with the same content is replaced.

        Raises:
            FileTrouble: it cannot be done, or something else has that name.
        """
        folder, name = _taken_apart(path)
        _, new = _taken_apart(other)
        with Folder.open(folder) as opened:
            if opened.status(new) is not None and opened.read(new) != opened.read(name):
                raise FileTrouble(f"{other}: is there already, with other contents", hint=f"move it away: {other}")
            opened.rename(name, new)
            opened.sync()

    def write(self, path: str, content: bytes) -> None:
        """A file (0600) with that content, in one step, in the place of one that is there.

        Raises:
            FileTrouble: it cannot be written, or what is there is no regular file.
        """
        folder, name = _taken_apart(path)
        with Folder.open(folder) as opened:
            _replaceable(opened, name, path)
            opened.put(name, content)
            opened.sync()

    def write_new(self, path: str, content: bytes) -> None:
        """A new file (0600) with that content, in one step; its folder is made (0700) where it is missing.

        Raises:
            FileTrouble: it cannot be written, or something of that name is there.
        """
        folder, name = _taken_apart(path)
        with Folder.make(folder) as opened:
            if opened.status(name or ".") is not None:
                raise FileTrouble(f"{path}: is there already", hint="name a file that is not there yet")
            staged = f".{name}.{os.getpid()}.new"
            opened.put(staged, content)
            try:
                # A link replaces nothing, should the name be taken in this moment.
                opened.take(opened, staged, name)
            finally:
                opened.remove(staged)
            opened.sync()

    def make_folder(self, path: str) -> bool:
        """A folder (0700), with those above it; whether there was none before.

        Raises:
            FileTrouble: it cannot be made.
        """
        if os.path.lexists(path):
            return False
        Folder.make_lasting(path).close()
        return True

    def keep_beside(self, path: str, content: bytes, now_epoch: int) -> str:
        """A new file (0600) with that content beside a file that is there, `PATH.pem.STAMP`; its path.

        Raises:
            FileTrouble: it cannot be written, or `path` is no regular file, so that nobody would look there.
        """
        folder, name = _taken_apart(path)
        with Folder.open(folder) as opened:
            if not opened.is_file(name):
                raise FileTrouble(f"{path}: no regular file to put another one beside")
            return _keep(opened, name, content, now_epoch)

    def keep_in(self, folder: str, path: str, content: bytes, now_epoch: int) -> str:
        """The same in that folder, under the name that the last part of `path` makes.

        Raises:
            FileTrouble: it cannot be written.
        """
        with Folder.open(folder) as opened:
            return _keep(opened, _taken_apart(path)[1], content, now_epoch)


def _keep(folder: Folder, name: str, content: bytes, now_epoch: int) -> str:
    free = (f"{name}.pem.{stamp}" for stamp in itertools.count(now_epoch))
    kept = next(candidate for candidate in free if folder.status(candidate) is None)
    folder.put(kept, content)
    folder.sync()
    return folder.path_of(kept)


def _taken_apart(path: str) -> tuple[str, str]:
    folder, name = os.path.split(path)
    return folder or ".", name


def _replaceable(folder: Folder, name: str, path: str) -> bool:
    """There is a regular file. A rename over /dev/null would take the machine's device away from everybody.

    Raises:
        FileTrouble: there is something else.
    """
    status = folder.status(name or ".")
    if status is None or stat.S_ISREG(status.st_mode):
        return status is not None
    kind = next((said for is_one, said in _KINDS if is_one(status.st_mode)), "no regular file")
    raise FileTrouble(f"{path}: {kind}, which is not replaced by a file", hint="name a file that is not there yet")


def _try_to_write(folder: Folder, name: str, path: str) -> None:
    """By doing it: of permissions alone root is told that everything goes."""
    probe = temporary_name(name)
    try:
        folder.put(probe, b"")
        folder.remove(probe)
    except FileTrouble as error:
        raise FileTrouble(str(error).replace(folder.path_of(probe), path), hint=error.hint) from error
