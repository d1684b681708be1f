"""Files that somebody names on the command line: certificates, requests and keys to read, a certificate to write."""

import os

from certkeeper.adapters import jwk, keys
from certkeeper.adapters.files import Folder, read_file
from certkeeper.base.keys import KeyPair


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

    def is_there(self, path: str) -> bool:
        """There is something of that name, in a folder that is there.

        Raises:
            FileTrouble: the folder cannot be opened.
        """
        folder, name = _taken_apart(path)
        with Folder.open(folder) as opened:
            return opened.status(name) is not None

    def write(self, path: str, content: bytes) -> None:
        """A file (0600) with that content, in one step, in the place of one that is there.

        Raises:
            FileTrouble: it cannot be written.
        """
        folder, name = _taken_apart(path)
        with Folder.open(folder) as opened:
            opened.put(name, content)
            opened.sync()


def _taken_apart(path: str) -> tuple[str, str]:
    folder, name = os.path.split(path)
    return folder or ".", name
