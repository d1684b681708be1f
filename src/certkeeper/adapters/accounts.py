"""ACCOUNTDIR on disk, in dehydrated's layout: per CA a folder with a key, the account's URL and the account object."""

import json

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder
from certkeeper.adapters.keys import parse_own
from certkeeper.base.accounts import StoredAccount, account_folder
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.keys import KeyPair

KEY = "account_key.pem"
ACCOUNT_ID = "account_id.json"
REGISTRATION = "registration_info.json"
DEACTIVATED = "deactivated"


class AccountDeactivated(CertkeeperError):
    """The operator deactivated this account; dehydrated refuses to work with it too."""

    fault = Fault.OPERATOR


class Accounts:
    """The accounts under ACCOUNTDIR, which may be missing until the first key is saved."""

    def __init__(self, accountdir: str) -> None:
        self._accountdir = accountdir
        # The keys of this run: nobody else's is ever removed.
        self._made: dict[str, bytes] = {}

    def read(self, ca: str) -> StoredAccount | None:
        """The account for the CA with that directory URL; None where there is no key.

        Raises:
            AccountDeactivated: with the marker's path.
            UnusableKey: the key cannot be used.
            FileTrouble: the folder or a file in it cannot be read.
        """
        try:
            folder = Folder.open(self._path(ca))
        except FileMissing:
            return None
        with folder:
            if folder.status(DEACTIVATED) is not None:
                path = folder.path_of(DEACTIVATED)
                raise AccountDeactivated(
                    f"{path}: this account has been deactivated",
                    hint=f"move its folder away, then register anew: mv {folder.path} {folder.path}.deactivated",
                )
            try:
                pem = folder.read(KEY)
            except FileMissing:
                return None
            return StoredAccount(parse_own(pem, folder.path_of(KEY)), _kid(folder))

    def save_key(self, ca: str, key: KeyPair) -> None:
        """Keep a new account's key, before the CA is asked to take it.

        Raises:
            FileTrouble: it cannot be written, or another key is there.
        """
        with Folder.make_lasting(self._path(ca)) as folder:
            folder.sweep()
            if folder.status(KEY) is not None:
                if folder.read(KEY) == key.pem:
                    return
                path = folder.path_of(KEY)
                raise FileTrouble(f"{path}: there is another account key", hint=f"move it away: {path}")
            self._made[ca] = key.pem
            folder.put(KEY, key.pem)
            folder.sync()

    def save(self, ca: str, kid: str, registration: bytes) -> None:
        """Keep what the CA said: the account's URL, and the account object as it came (JSON).

        Raises:
            FileTrouble: it cannot be written.
        """
        with Folder.make(self._path(ca)) as folder:
            folder.sweep()
            folder.put(REGISTRATION, registration)
            # The URL comes last: with it the account counts as registered.
            folder.put(ACCOUNT_ID, json.dumps({"url": kid}, separators=(",", ":")).encode() + b"\n")
            folder.sync()

    def remove_unregistered(self, ca: str) -> None:
        """Take away the key that this object saved and the CA refused; any other key stays.

        Raises:
            FileTrouble: it cannot be removed.
        """
        made = self._made.pop(ca, None)
        if made is None:
            return
        with Folder.open(self._path(ca)) as folder:
            if _kid(folder) is None and folder.read(KEY) == made:
                folder.remove(KEY)
                folder.sync()

    def _path(self, ca: str) -> str:
        return f"{self._accountdir}/{account_folder(ca)}"


def _kid(folder: Folder) -> str | None:
    """The account's URL. An empty or broken file counts as none: the CA is asked again."""
    try:
        stored = json.loads(folder.read(ACCOUNT_ID))
    except (FileMissing, ValueError, RecursionError):
        return None
    url = stored.get("url") if isinstance(stored, dict) else None
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else None
