"""CERTDIR on disk: lineages read as they are, versions staged beside the live one, switched by one rename.

The caller sees to it that nobody else writes: the run's lock does. Whoever reads through privkey.pem, cert.pem,
chain.pem and fullchain.pem meets the old set or the new one: before the switch, every one of these names is made to go
through `.live`, and while that happens the same content is behind all of them. A kill anywhere leaves the old set or
the new one, and doing the same again ends where it would have ended.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder
from certkeeper.adapters.folders import Folders
from certkeeper.adapters.keys import parse_foreign, parse_own
from certkeeper.adapters.mending import damage_of, mend
from certkeeper.adapters.ownership import Ownership
from certkeeper.adapters.places import key_place, live_stamp, place_of
from certkeeper.adapters.pruning import removable, remove
from certkeeper.adapters.switching import show, switch
from certkeeper.adapters.versions import (
    described,
    files_of,
    holds,
    read_certificate,
    read_key_id,
    read_origin,
    revocations,
)
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias
from certkeeper.lineage import layout
from certkeeper.lineage.mending import LeftToRun, Mended
from certkeeper.lineage.model import Draft, Lineage, UnusableKey, Version, VersionFiles
from certkeeper.lineage.passage import OPERATORS
from certkeeper.lineage.retention import Removal, Retention, StillTorn
from certkeeper.lineage.revocation import Revocation, is_compromised, reason_of, write_revocations


class Store:
    """The lineages in these folders, which may be missing until the first version is begun."""

    def __init__(
        self,
        certdir: str,
        elsewhere: Mapping[Alias, str] | None = None,
        owned: Mapping[Alias, Ownership] | None = None,
        entered: Ownership | None = None,
    ) -> None:
        self.folders = Folders(certdir, elsewhere or {}, owned or {}, entered)

    def lineage(self, alias: Alias) -> Lineage:
        """The folder as it is; what is wrong with it is part of the answer.

        Raises:
            OutOfDescriptors: it could not be looked at, which says nothing about it.
        """
        try:
            folder = self._open(alias)
        except FileMissing:
            return Lineage(alias)
        except FileTrouble as error:
            return Lineage(alias, trouble=str(error), key_trouble=str(error))
        with folder:
            leaf, trouble, disagreement = read_certificate(folder)
            key_id, key_trouble = read_key_id(folder, layout.PRIVKEY)
            next_key_id, next_key_trouble = read_key_id(folder, layout.NEXT_KEY)
            known = revocations(folder)
            origin = read_origin(folder)
            used = leaf.key_id if origin is not None and origin.key_elsewhere and leaf is not None else key_id
            return Lineage(
                alias,
                leaf=leaf,
                trouble=trouble,
                key_place=key_place(folder),
                key_id=key_id,
                key_trouble=key_trouble,
                stamp=live_stamp(folder),
                disagreement=disagreement,
                next_key_id=next_key_id,
                next_key_trouble=next_key_trouble,
                origin=origin,
                revoked=reason_of(leaf, known),
                compromised=is_compromised(used, known),
            )

    def certificate(self, alias: Alias) -> bytes:
        """What is behind cert.pem.

        Raises:
            FileTrouble: there is none, or it cannot be read.
        """
        with self._open(alias) as folder:
            return folder.read(layout.CERT)

    def make_folder(self, alias: Alias) -> None:
        """The certificate's folder, empty where it was missing.

        Raises:
            FileTrouble: it cannot be made.
        """
        Folder.make(self.folders.path(alias)).close()

    def withdraw_certificate(self, alias: Alias, stamp: int) -> None:
        """Take cert.pem out of a version; where that one is live, its name leads to nothing, as dehydrated leaves it.

        Raises:
            FileTrouble: it cannot be removed.
        """
        with self._versions(alias) as versions, versions.child(layout.version_name(stamp)) as version:
            version.remove(layout.CERT)
            version.sync()

    def mark_revoked(self, alias: Alias, revocation: Revocation) -> None:
        """Write down that a certificate of the lineage's was revoked. What is served stays as it is.

        Raises:
            FileTrouble: it cannot be written.
        """
        with self._open(alias) as folder:
            folder.sweep()
            folder.put(layout.REVOKED, write_revocations(revocations(folder), revocation))
            folder.sync()

    def live_key(self, alias: Alias) -> KeyPair:
        """The key behind privkey.pem; one that a person put there is proven to be sound.

        Raises:
            UnusableKey: there is none, or no CA takes it.
            FileTrouble: the folder cannot be opened.
        """
        with self._open(alias) as folder:
            path = folder.path_of(layout.PRIVKEY)
            try:
                content = folder.read(layout.PRIVKEY)
            except FileTrouble as error:
                raise UnusableKey(str(error), hint=error.hint) from error
            foreign = place_of(folder, layout.PRIVKEY) in OPERATORS
            return parse_foreign(content, path) if foreign else parse_own(content, path)

    def next_key(self, alias: Alias) -> KeyPair:
        """The key that was made for the next certificate.

        Raises:
            UnusableKey: there is none, or it cannot be read.
            FileTrouble: the folder cannot be opened.
        """
        with self._open(alias) as folder:
            try:
                content = folder.read(layout.NEXT_KEY)
            except FileTrouble as error:
                raise UnusableKey(str(error), hint=error.hint) from error
            return parse_own(content, folder.path_of(layout.NEXT_KEY))

    def save_next_key(self, alias: Alias, key: KeyPair) -> None:
        """Put it in the place of the one that is live now.

        Raises:
            FileTrouble: there is another key, which nobody has used yet, or it cannot be written.
        """
        with self._open(alias) as folder:
            present, _ = read_key_id(folder, layout.NEXT_KEY)
            live, _ = read_key_id(folder, layout.PRIVKEY)
            if folder.status(layout.NEXT_KEY) is not None and (present is None or present != live):
                path = folder.path_of(layout.NEXT_KEY)
                raise FileTrouble(f"{path}: a key that is not in use yet, or none at all", hint=f"move it away: {path}")
            folder.put(layout.NEXT_KEY, key.pem)
            folder.sync()

    def remove_next_key(self, alias: Alias) -> None:
        """Remove that key; what is no key stays.

        Raises:
            FileTrouble: it cannot be removed.
        """
        with self._open(alias) as folder:
            if folder.is_file(layout.NEXT_KEY) and read_key_id(folder, layout.NEXT_KEY)[0] is not None:
                folder.remove(layout.NEXT_KEY)
                folder.sync()

    def begin(self, alias: Alias, now_epoch: int) -> Draft:
        """A version in the making: the one that an interrupted run left, with its key, or a new one.

        Raises:
            FileTrouble: the folders cannot be made.
        """
        path = self.folders.path(alias)
        with Folder.make_lasting(path) as folder, folder.make_lasting_child(layout.VERSIONS) as versions:
            folder.sweep()
            names = versions.names()
            for stamp in layout.partial_stamps(names):
                name = layout.partial_name(stamp)
                if versions.is_folder(name) and layout.version_name(stamp) not in names:
                    with versions.child(name) as partial:
                        partial.sweep()
                        # The killed run may not have come to this, and the CA is about to hear of the key.
                        partial.sync()
                        versions.sync()
                        return Draft(alias, stamp, _draft_key(partial))
            stamp = layout.free_stamp(now_epoch, layout.taken_stamps(folder.names(), names))
            versions.make_child(layout.partial_name(stamp)).close()
            return Draft(alias, stamp)

    def save_key(self, draft: Draft, key: KeyPair) -> None:
        """Put the key into the draft, where the next run finds it.

        Raises:
            FileTrouble: it cannot be written, or the draft is gone.
        """
        with self._versions(draft.alias) as versions, versions.child(layout.partial_name(draft.stamp)) as partial:
            _put(partial, layout.PRIVKEY, key.pem, self.folders.owned.get(draft.alias))
            partial.sync()

    def stage(self, draft: Draft, files: VersionFiles) -> None:
        """Complete the draft and give the version its name. Nothing of it is live yet.

        Raises:
            FileTrouble: it cannot be written, or another version has the name.
        """
        contents = layout.by_name(files)
        name, partial_name = layout.version_name(draft.stamp), layout.partial_name(draft.stamp)
        with Folder.make(self.folders.path(draft.alias)) as folder, folder.make_child(layout.VERSIONS) as versions:
            if versions.status(name) is not None:
                # Not the request: signing it again (ECDSA) gives other bytes, and the certificate is the same.
                if not holds(versions, name, contents, [file for file in layout.NAMES if file != layout.CSR]):
                    raise FileTrouble(f"{versions.path_of(name)}: is there already, with other contents")
                versions.sync()
                return
            with versions.make_child(partial_name) as partial:
                partial.sweep()
                if layout.PRIVKEY not in contents and partial.is_file(layout.PRIVKEY):
                    # An earlier attempt made it, before somebody else's request was to be signed.
                    partial.remove(layout.PRIVKEY)
                for file, content in contents.items():
                    _put(partial, file, content, self.folders.owned.get(draft.alias))
                partial.sync()
            versions.rename(partial_name, name)
            versions.sync()

    def show(self, alias: Alias, stamp: int) -> Mapping[str, str]:
        """Give a staged version dehydrated's stamped names, and say where in the folder each of its files is then.

        What is live stays as it is. A key that a person put there keeps its name, and has no stamped one.

        Raises:
            BadChain, UnusableKey, FileTrouble: as `activate`.
        """
        with self._open(alias) as folder, folder.child(layout.VERSIONS) as versions:
            return show(folder, versions, stamp)

    def activate(self, alias: Alias, stamp: int) -> None:
        """Make a staged version the live one, or an older one again.

        Raises:
            BadChain, UnusableKey: the version's own files are unreadable or do not belong together.
            FileTrouble: something cannot be written, or is in the way; the old set stays live.
        """
        with self._open(alias) as folder, folder.child(layout.VERSIONS) as versions:
            switch(folder, versions, stamp, self.folders.owned.get(alias))
        self.folders.let_into_certdir(alias)

    def version(self, alias: Alias, stamp: int) -> VersionFiles | None:
        """The complete version of that stamp, live or not; None where there is none, or it is not whole.

        The request is empty where an adopted version has none.

        Raises:
            FileTrouble: a file is there and cannot be read.
        """
        name = layout.version_name(stamp)
        with suppress(FileMissing), self._versions(alias) as versions, versions.child(name) as version:
            return files_of(version)
        return None

    def versions(self, alias: Alias) -> tuple[Version, ...]:
        """Every version of the lineage, newest first; what is wrong with one is part of it.

        Raises:
            FileTrouble: the folders cannot be listed.
        """
        with suppress(FileMissing), self._open(alias) as folder, folder.child(layout.VERSIONS) as versions:
            return described(folder, versions)
        return ()

    def discard(self, draft: Draft) -> None:
        """Remove the draft, and nothing but what was put there by this class.

        Raises:
            FileTrouble: it holds something else.
        """
        with suppress(FileMissing), self._versions(draft.alias) as versions:
            versions.remove_child(layout.partial_name(draft.stamp), layout.VERSION_FILES)
            versions.sync()

    def removable(
        self, alias: Alias, retention: Retention, now: datetime, needed: Collection[int] = ()
    ) -> tuple[Removal, ...]:
        """What may go of the lineage's old versions and unfinished ones; `needed` are stamps that must stay.

        Raises:
            StillTorn: what services use is torn, and any version may be what it is mended from.
            FileTrouble: the folders cannot be read.
        """
        with suppress(FileMissing), self._open(alias) as folder, folder.child(layout.VERSIONS) as versions:
            found = removable(folder, versions, retention, now, needed)
            wrong = damage_of(folder) if found else None
            if wrong is not None:
                raise StillTorn(f"nothing is removed while {wrong}", hint=f"certkeeper heal {alias}")
            return found
        return ()

    def remove(self, alias: Alias, removal: Removal) -> None:
        """Take away what `removable` found, under the same lock.

        Raises:
            FileTrouble: it holds files of somebody else's and is left as it is, or something cannot be removed.
        """
        with self._open(alias) as folder, folder.child(layout.VERSIONS) as versions:
            remove(folder, versions, removal)

    def mend(self, alias: Alias, now: datetime) -> Mended | LeftToRun | None:
        """Make a whole version live again where the lineage is torn; None where it is not, or has no certificate yet.

        Raises:
            NothingWhole: there is no version to mend from.
            FileTrouble: something cannot be read or written, or is in the way.
        """
        try:
            folder = self._open(alias)
        except FileMissing:
            return None
        with folder:
            return mend(alias, folder, now, self.folders.owned.get(alias))

    def _open(self, alias: Alias) -> Folder:
        return Folder.open(self.folders.path(alias))

    def _versions(self, alias: Alias) -> Folder:
        with self._open(alias) as folder:
            return folder.child(layout.VERSIONS)


def _draft_key(partial: Folder) -> KeyPair | None:
    try:
        return parse_own(partial.read(layout.PRIVKEY), partial.path_of(layout.PRIVKEY))
    except (FileMissing, UnusableKey):
        return None


def _put(partial: Folder, name: str, content: bytes, owned: Ownership | None) -> None:
    if not (partial.is_file(name) and partial.read(name) == content):
        partial.put(name, content, owned)
