"""ACCOUNTDIR on disk, in dehydrated's layout: per CA a folder with a key, the account's URL and the account object."""

import json
from collections.abc import Iterator
from typing import cast

from certkeeper.adapters.earlier import LEGACY_KEY, Earlier
from certkeeper.adapters.files import FileMissing, FileTrouble, Folder
from certkeeper.adapters.index import Index
from certkeeper.base.accounts import AccountLook, StoredAccount, account_folder
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.keys import KeyPair

KEY = "account_key.pem"
ACCOUNT_ID = "account_id.json"
REGISTRATION = "registration_info.json"
DEACTIVATED = "deactivated"
PENDING_KEY = "account_key.pending.pem"
"""Ours: the key that the account goes over to. dehydrated does not look at it."""


_KIND = "account"
_READ = (KEY, ACCOUNT_ID, DEACTIVATED, PENDING_KEY)


class AccountDeactivated(CertkeeperError):
    """The operator deactivated this account; dehydrated refuses to work with it too."""

    label = "ca-account"
    fault = Fault.OPERATOR


class Accounts:
    """The accounts under ACCOUNTDIR, which may be missing until the first key is saved."""

    def __init__(self, accountdir: str, earlier: Earlier | None = None, index: Index | None = None) -> None:
        self._accountdir = accountdir
        self._earlier = earlier
        self._index = index
        # The keys of this run: nobody else's is ever removed.
        self._made: dict[str, bytes] = {}

    def read(self, ca: str) -> StoredAccount | None:
        """The account for the CA with that directory URL; None where there is no key.

        Raises:
            AccountDeactivated: with the marker's path.
            UnusableKey: the key cannot be used.
            FileTrouble: the folder or a file in it cannot be read.
        """
        earlier = self._earlier if self._earlier is not None and self._earlier.ca == ca else None
        # What is not at its place yet counts where it is, also for commands that write nothing.
        place = (earlier.old_folder if earlier is not None else None) or self._path(ca)
        try:
            folder = Folder.open(place)
        except FileMissing:
            return _legacy(earlier)
        with folder:
            if folder.status(DEACTIVATED) is not None:
                raise _deactivated(folder)
            try:
                pem = folder.read(KEY)
            except FileMissing:
                return _legacy(earlier)
            return StoredAccount(_parsed(pem, folder.path_of(KEY)), _kid(folder), _pending(folder))

    def look(self, ca: str) -> AccountLook | None:
        """The same without the keys; what the index knows of a registered account is not read again.

        Raises:
            AccountDeactivated, UnusableKey, FileTrouble: as `read`.
        """
        if self._index is None:
            return _look(self.read(ca))
        folder = self._path(ca)
        seen = self._index.see(folder, _READ)
        known = self._index.known(_KIND, folder, seen)
        if known is not None:
            kid, pending = cast("tuple[str, bool]", known)
            return AccountLook(kid, pending)
        found = _look(self.read(ca))
        if found is not None and found.kid is not None:
            self._index.learn(_KIND, folder, seen, [found.kid, found.pending])
        return found

    def has_registration(self, ca: str) -> bool:
        """What the CA said of the account is here. dehydrated leaves an empty file where it was refused.

        Raises:
            FileTrouble: the folder cannot be read.
        """
        try:
            with Folder.open(self._path(ca)) as folder:
                return bool(folder.read(REGISTRATION).strip())
        except FileMissing:
            return False

    def bring_earlier(self) -> Iterator[str]:
        """Bring the account from before to its place, and tell what was done.

        Raises:
            FileTrouble: it cannot be done.
        """
        if self._earlier is not None:
            yield from self._earlier.bring()

    def folder(self, ca: str) -> str:
        """Where the account for that CA is kept, or would be."""
        return self._path(ca)

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

    def keep_registration(self, ca: str, registration: bytes, now_epoch: int) -> None:
        """Replace the account object; the one before stays as `registration_info-<epoch>.json`, as dehydrated has it.

        Raises:
            FileTrouble: it cannot be written.
        """
        with Folder.open(self._path(ca)) as folder:
            folder.sweep()
            if folder.is_file(REGISTRATION):
                before = folder.read(REGISTRATION)
                if before == registration:
                    return
                folder.put(free_name(folder, REGISTRATION, now_epoch), before)
            folder.put(REGISTRATION, registration)
            folder.sync()

    def save_pending_key(self, ca: str, key: KeyPair) -> None:
        """Keep the key that the account is to go over to.

        Raises:
            FileTrouble: it cannot be written, or another one is there.
        """
        with Folder.open(self._path(ca)) as folder:
            folder.sweep()
            if folder.status(PENDING_KEY) is not None:
                path = folder.path_of(PENDING_KEY)
                raise FileTrouble(f"{path}: is there already", hint="certkeeper account recover")
            folder.put(PENDING_KEY, key.pem)
            folder.sync()

    def adopt_pending_key(self, ca: str) -> None:
        """Put it in the place of the present key, in one step.

        Raises:
            FileTrouble: it cannot be done; both keys are as they were.
        """
        with Folder.open(self._path(ca)) as folder:
            folder.rename(PENDING_KEY, KEY)
            folder.sync()

    def drop_pending_key(self, ca: str) -> None:
        """Take it away.

        Raises:
            FileTrouble: it cannot be removed.
        """
        with Folder.open(self._path(ca)) as folder:
            folder.remove(PENDING_KEY)
            folder.sync()

    def retire(self, ca: str, now_epoch: int) -> None:
        """Set dehydrated's marker, then rename the account's files, so that they are nobody's account any more.

        Raises:
            FileTrouble: the marker is set or not; doing it again goes on.
        """
        with Folder.open(self._path(ca)) as folder:
            folder.sweep()
            if folder.status(DEACTIVATED) is None:
                folder.put(DEACTIVATED, b"")
                folder.sync()
            for name in (KEY, PENDING_KEY, REGISTRATION, ACCOUNT_ID):
                if folder.status(name) is not None:
                    folder.rename(name, free_name(folder, name, now_epoch))
            folder.sync()

    def _path(self, ca: str) -> str:
        return f"{self._accountdir}/{account_folder(ca)}"


def _look(stored: StoredAccount | None) -> AccountLook | None:
    return AccountLook(stored.kid, stored.pending is not None) if stored is not None else None


def _parsed(pem: bytes, path: str) -> KeyPair:
    """As in `keys`."""
    from certkeeper.adapters import keys  # noqa: PLC0415 - cryptography: most runs only look whether there is an account

    return keys.parse_own(pem, path)


def _legacy(earlier: Earlier | None) -> StoredAccount | None:
    pem = earlier.legacy_key() if earlier is not None else None
    if earlier is None or pem is None:
        return None
    return StoredAccount(_parsed(pem, f"{earlier.basedir}/{LEGACY_KEY}"))


def _deactivated(folder: Folder) -> AccountDeactivated:
    path = folder.path_of(DEACTIVATED)
    # dehydrated leaves the files where they are.
    anew = f"mv {folder.path} {folder.path}.deactivated" if folder.status(KEY) is not None else f"rm {path}"
    return AccountDeactivated(
        f"{path}: this account has been deactivated",
        hint=f"make room for a new one: {anew}; then: certkeeper account register --accept-terms",
    )


def _pending(folder: Folder) -> KeyPair | None:
    try:
        return _parsed(folder.read(PENDING_KEY), folder.path_of(PENDING_KEY))
    except FileMissing:
        return None


def free_name(folder: Folder, name: str, epoch: int) -> str:
    """`account_key.pem` and 1700000000 make `account_key-1700000000.pem`, or a later second that nothing has yet."""
    base, _, extension = name.rpartition(".")
    while folder.status(f"{base}-{epoch}.{extension}") is not None:
        epoch += 1
    return f"{base}-{epoch}.{extension}"


def _kid(folder: Folder) -> str | None:
    return url_in(folder, ACCOUNT_ID)


def url_in(folder: Folder, name: str) -> str | None:
    """The account's URL. An empty or broken file counts as none: the CA is asked again."""
    try:
        stored = json.loads(folder.read(name))
    except (FileMissing, ValueError, RecursionError):
        return None
    url = stored.get("url") if isinstance(stored, dict) else None
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else None
