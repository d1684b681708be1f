"""Accounts from before: of the CA whose place this one took (OLDCA), and of a dehydrated that kept its key in BASEDIR.

They are brought to where accounts are, under the run's lock: a link to the old CA's folder, the key under its name of
today. Nothing is ever overwritten, and a kill between two steps leaves what the next run finishes.
"""

import os
from collections.abc import Iterator

from certkeeper.adapters.files import FileMissing, Folder, explained
from certkeeper.base.accounts import account_folder
from certkeeper.base.value import dataclass

LEGACY_KEY = "private_key.pem"
EARLIER_FILES = (LEGACY_KEY, "private_key.json")
"""In BASEDIR."""
_LEGACY = ((LEGACY_KEY, "account_key.pem"), ("private_key.json", "registration_info.json"))
_DEACTIVATED = "deactivated"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What may be there from before, for the account at `ca`. `old_ca` is empty where it took nobody's place."""

    ca: str
    old_ca: str
    basedir: str
    accountdir: str

    @property
    def folder(self) -> str:
        return f"{self.accountdir}/{account_folder(self.ca)}"

    @property
    def old_folder(self) -> str | None:
        """The folder to link to: there is one, and the account's own is missing."""
        if not self.old_ca or self.old_ca == self.ca or os.path.lexists(self.folder):
            return None
        old = f"{self.accountdir}/{account_folder(self.old_ca)}"
        return old if os.path.exists(old) else None  # noqa: PTH110 - text

    def legacy_key(self) -> bytes | None:
        """The key that dehydrated kept in BASEDIR."""
        try:
            with Folder.open(self.basedir) as base:
                return base.read(LEGACY_KEY)
        except FileMissing:
            return None

    def bring(self) -> Iterator[str]:
        """Bring them to their place, and tell of each in dehydrated's words.

        Raises:
            FileTrouble: it cannot be done.
        """
        if self.old_folder is not None:
            yield self._link()
        if os.path.lexists(f"{self.folder}/{_DEACTIVATED}"):
            return
        for name, new in _LEGACY:
            if os.path.isfile(f"{self.basedir}/{name}"):  # noqa: PTH113 - text
                yield from self._move(name, new)

    def _link(self) -> str:
        with Folder.open(self.accountdir) as accounts:
            # By hand: it must fail where somebody made the name meanwhile.
            with explained(self.folder, "set the link"):
                os.symlink(account_folder(self.old_ca), self.folder)  # noqa: PTH211 - text
            accounts.sync()
        return f"! Reusing account from {self.old_ca}"

    def _move(self, name: str, new: str) -> Iterator[str]:
        with Folder.open(self.basedir) as base, Folder.make_lasting(self.folder) as folder:
            if folder.status(new) is None:
                self._take(base, name, folder, new)
                yield f"! Moving {name} to {folder.path_of(new)}"
            elif folder.read(new) != base.read(name):
                # Another account's: dehydrated leaves it, too.
                return
            folder.sync()
            base.remove(name)
            base.sync()

    @staticmethod
    def _take(base: Folder, name: str, folder: Folder, new: str) -> None:
        if base.is_file(name):
            folder.take(base, name, new)
        else:
            # A link: what it leads to stays where it is.
            folder.put(new, base.read(name))
