"""The account of a key that somebody named on the command line, with dehydrated's files beside it."""

import json
import os

from certkeeper.adapters import jwk
from certkeeper.adapters.accounts import Accounts, free_name, url_in
from certkeeper.adapters.files import FileMissing, FileTrouble, Folder
from certkeeper.base.accounts import StoredAccount
from certkeeper.base.keys import KeyPair


class OwnKeyAccounts(Accounts):
    """One account for every CA: `PATH` is its key, `PATH.json` the account object, `PATH_id.json` its URL.

    The key is never made, changed or removed here.
    """

    def __init__(self, path: str) -> None:
        folder, self._name = os.path.split(path)
        super().__init__(folder or ".")
        self._folder = folder or "."
        self._key = path

    def read(self, ca: str) -> StoredAccount | None:
        """The key, with the account's URL where it is known. Raises UnusableKey."""
        del ca
        key = jwk.load_account_key(self._key)
        with Folder.open(self._folder) as folder:
            return StoredAccount(key, url_in(folder, f"{self._name}_id.json"))

    def folder(self, ca: str) -> str:
        del ca
        return self._folder

    def has_registration(self, ca: str) -> bool:
        del ca
        try:
            with Folder.open(self._folder) as folder:
                return bool(folder.read(f"{self._name}.json").strip())
        except FileMissing:
            return False

    def save_key(self, ca: str, key: KeyPair) -> None:
        """Raises FileTrouble: the key is the operator's."""
        raise FileTrouble(f"{self._key}: {key.description} is not put in its place for {ca}")

    def save(self, ca: str, kid: str, registration: bytes) -> None:
        del ca
        with Folder.open(self._folder) as folder:
            folder.put(f"{self._name}.json", registration)
            folder.put(f"{self._name}_id.json", json.dumps({"url": kid}, separators=(",", ":")).encode() + b"\n")
            folder.sync()

    def remove_unregistered(self, ca: str) -> None:
        """Nothing was made."""

    def keep_registration(self, ca: str, registration: bytes, now_epoch: int) -> None:
        del ca
        current = f"{self._name}.json"
        with Folder.open(self._folder) as folder:
            if folder.is_file(current) and (before := folder.read(current)) != registration:
                folder.put(free_name(folder, current, now_epoch), before)
            folder.put(current, registration)
            folder.sync()

    def retire(self, ca: str, now_epoch: int) -> None:
        """The files of an account that is deactivated, under other names. The key stays where it is."""
        del ca
        with Folder.open(self._folder) as folder:
            for name in (f"{self._name}.json", f"{self._name}_id.json"):
                if folder.status(name) is not None:
                    folder.rename(name, free_name(folder, name, now_epoch))
            folder.sync()
