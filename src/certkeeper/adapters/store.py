"""CERTDIR on disk: lineages read as they are, versions staged beside the live one, switched by one rename.

The caller sees to it that nobody else writes: the run's lock does. Whoever reads through privkey.pem, cert.pem,
chain.pem and fullchain.pem meets the old set or the new one: before the switch, every one of these names is made to go
through `.live`, and while that happens the same content is behind all of them. A kill anywhere leaves the old set or
the new one, and doing the same again ends where it would have ended.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder
from certkeeper.adapters.keys import parse_foreign, parse_own
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias
from certkeeper.lineage import layout, pem
from certkeeper.lineage.layout import Place
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import BadChain, Draft, KeyPlace, Leaf, Lineage, UnusableKey, VersionFiles
from certkeeper.lineage.passage import OPERATORS, Shown, passage, present_stamp


class Store:
    """The lineages under CERTDIR. `certdir` may be missing until the first version is begun."""

    def __init__(self, certdir: str) -> None:
        self._certdir = certdir

    def lineage(self, alias: Alias) -> Lineage:
        """The folder as it is; what is wrong with it is part of the answer, never an exception."""
        try:
            folder = self._open(alias)
        except FileMissing:
            return Lineage(alias)
        except FileTrouble as error:
            return Lineage(alias, trouble=str(error), key_trouble=str(error))
        with folder:
            leaf, trouble, disagreement = _read_certificate(folder)
            key_id, key_trouble = _read_key_id(folder)
            return Lineage(
                alias,
                leaf=leaf,
                trouble=trouble,
                key_place=_key_place(folder),
                key_id=key_id,
                key_trouble=key_trouble,
                stamp=_live_stamp(folder),
                disagreement=disagreement,
            )

    def folders_with_config(self) -> tuple[str, ...]:
        """The folders with settings of their own, sorted.

        Raises:
            FileTrouble: CERTDIR cannot be read.
        """
        try:
            certdir = Folder.open(self._certdir)
        except FileMissing:
            return ()
        with certdir:
            candidates = [name for name in certdir.names() if not name.startswith(".")]
            return tuple(name for name in candidates if certdir.leads_to_file(f"{name}/{layout.CONFIG}"))

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
            foreign = _place(folder, layout.PRIVKEY) in OPERATORS
            return parse_foreign(content, path) if foreign else parse_own(content, path)

    def begin(self, alias: Alias, now_epoch: int) -> Draft:
        """A version in the making: the one that an interrupted run left, with its key, or a new one.

        Raises:
            FileTrouble: the folders cannot be made.
        """
        with Folder.make(self._path(alias)) as folder, folder.make_child(layout.VERSIONS) as versions:
            folder.sweep()
            names = versions.names()
            for stamp in layout.partial_stamps(names):
                name = layout.partial_name(stamp)
                if versions.is_folder(name) and layout.version_name(stamp) not in names:
                    with versions.child(name) as partial:
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
            _put(partial, layout.PRIVKEY, key.pem)
            partial.sync()

    def stage(self, draft: Draft, files: VersionFiles) -> None:
        """Complete the draft and give the version its name. Nothing of it is live yet.

        Raises:
            FileTrouble: it cannot be written, or another version has the name.
        """
        contents = layout.by_name(files)
        name, partial_name = layout.version_name(draft.stamp), layout.partial_name(draft.stamp)
        with Folder.make(self._path(draft.alias)) as folder, folder.make_child(layout.VERSIONS) as versions:
            if versions.status(name) is not None:
                # Not the request: signing it again (ECDSA) gives other bytes, and the certificate is the same.
                if not _holds(versions, name, contents, [file for file in layout.NAMES if file != layout.CSR]):
                    raise FileTrouble(f"{versions.path_of(name)}: is there already, with other contents")
                versions.sync()
                return
            with versions.make_child(partial_name) as partial:
                partial.sweep()
                for file, content in contents.items():
                    _put(partial, file, content)
                partial.sync()
            versions.rename(partial_name, name)
            versions.sync()

    def activate(self, alias: Alias, stamp: int) -> None:
        """Make a staged version the live one, or an older one again.

        Raises:
            BadChain, UnusableKey: the version's own files are unreadable or do not belong together.
            FileTrouble: something cannot be written, or is in the way; the old set stays live.
        """
        with self._open(alias) as folder, folder.child(layout.VERSIONS) as versions:
            folder.sweep()
            with versions.child(layout.version_name(stamp)) as version:
                left_alone = _left_alone(folder, _checked(version))
                _lead_through_live(folder, versions, left_alone, stamp)
                _show_stamped(folder, version, stamp, left_alone)
            folder.point(layout.LIVE, layout.version_target(stamp))
            folder.sync()

    def discard(self, draft: Draft) -> None:
        """Remove the draft, and nothing but what was put there by this class.

        Raises:
            FileTrouble: it holds something else.
        """
        with suppress(FileMissing), self._versions(draft.alias) as versions:
            versions.remove_child(layout.partial_name(draft.stamp), layout.NAMES)
            versions.sync()

    def _path(self, alias: Alias) -> str:
        return f"{self._certdir}/{alias.text}"

    def _open(self, alias: Alias) -> Folder:
        return Folder.open(self._path(alias))

    def _versions(self, alias: Alias) -> Folder:
        with self._open(alias) as folder:
            return folder.child(layout.VERSIONS)


def _read_certificate(folder: Folder) -> tuple[Leaf | None, str, str]:
    """The live leaf, why there is none, and how the certificate's three files contradict each other."""
    path = folder.path_of(layout.CERT)
    try:
        content = folder.read(layout.CERT)
        leaf = parse_leaf(content)
    except FileMissing:
        dangling = folder.target(layout.CERT)
        return None, f"{path}: a link to nothing ({dangling})" if dangling else "", ""
    except FileTrouble as error:
        return None, str(error), ""
    except BadChain as error:
        return None, f"{path}: {'; '.join(error.mismatches)}", ""
    chain, fullchain = _if_readable(folder, layout.CHAIN), _if_readable(folder, layout.FULLCHAIN)
    for name, found in ((layout.CHAIN, chain), (layout.FULLCHAIN, fullchain)):
        if found is None:
            # A service that is started again would miss it.
            return leaf, "", f"{name} is missing"
    return leaf, "", pem.disagreement(content, chain, fullchain)


def _if_readable(folder: Folder, name: str) -> bytes | None:
    try:
        return folder.read(name)
    except FileTrouble:
        return None


def _read_key_id(folder: Folder) -> tuple[str | None, str]:
    """The key_id of privkey.pem, and why there is none."""
    path = folder.path_of(layout.PRIVKEY)
    try:
        # Whoever made it: only its public half is looked at here.
        return parse_own(folder.read(layout.PRIVKEY), path).key_id, ""
    except FileMissing:
        dangling = folder.target(layout.PRIVKEY)
        return None, f"{path}: a link to nothing ({dangling})" if dangling else ""
    except (FileTrouble, UnusableKey) as error:
        return None, str(error)


def _place(folder: Folder, name: str) -> Place:
    target = folder.target(name)
    if target is not None:
        return layout.link_place(name, target)
    if folder.status(name) is None:
        return Place.ABSENT
    return Place.PLAIN if folder.is_file(name) else Place.BLOCKED


def _key_place(folder: Folder) -> KeyPlace:
    match _place(folder, layout.PRIVKEY):
        case Place.ABSENT:
            return KeyPlace.ABSENT
        case Place.PLAIN | Place.BLOCKED:
            return KeyPlace.PLAIN
        case _:
            return KeyPlace.LINK


def _live_stamp(folder: Folder) -> int | None:
    # Where cert.pem does not go through `.live`, dehydrated or a person wrote last.
    if folder.target(layout.CERT) != layout.live_target(layout.CERT):
        return None
    return layout.live_stamp(folder.target(layout.LIVE) or "")


def _draft_key(partial: Folder) -> KeyPair | None:
    try:
        return parse_own(partial.read(layout.PRIVKEY), partial.path_of(layout.PRIVKEY))
    except (FileMissing, UnusableKey):
        return None


def _put(partial: Folder, name: str, content: bytes) -> None:
    if not (partial.is_file(name) and partial.read(name) == content):
        partial.put(name, content)


def _holds(versions: Folder, name: str, contents: Mapping[str, bytes], files: Collection[str]) -> bool:
    with versions.child(name) as version:
        return all(_if_there(version, file) == contents.get(file) for file in files)


def _checked(version: Folder) -> str:
    """The key_id of a version whose files are there and belong together."""
    key = parse_own(version.read(layout.PRIVKEY), version.path_of(layout.PRIVKEY))
    fullchain = version.read(layout.FULLCHAIN)
    if parse_leaf(version.read(layout.CERT)).key_id != key.key_id:
        raise BadChain(("privkey.pem is not the key of cert.pem",), name=version.path)
    if parse_leaf(fullchain).key_id != key.key_id:
        raise BadChain(("privkey.pem is not the key of fullchain.pem",), name=version.path)
    return key.key_id


def _left_alone(folder: Folder, key_id: str) -> frozenset[str]:
    """privkey.pem, where a person put it there and the version uses the same key."""
    content = _if_there(folder, layout.PRIVKEY)
    if content is None or _place(folder, layout.PRIVKEY) not in OPERATORS:
        return frozenset()
    with suppress(UnusableKey):
        if parse_own(content, folder.path_of(layout.PRIVKEY)).key_id == key_id:
            return frozenset({layout.PRIVKEY})
    return frozenset()


def _lead_through_live(folder: Folder, versions: Folder, left_alone: Collection[str], coming: int) -> None:
    """Make every name a link through `.live`, while the same content stays behind each of them.

    `coming` is the stamp of the version that is to be live, whose names must stay free.
    """
    shown = {name: _shown(folder, name) for name in layout.NAMES}
    way = passage(shown, left_alone)
    if way.adopt:
        stamp = _adopt(folder, versions, shown, left_alone)
        folder.point(layout.LIVE, layout.version_target(stamp))
        folder.sync()
    if way.keep_key:
        _keep_key(folder, coming)
    for name in way.lead:
        folder.point(name, layout.live_target(name))
    if way.lead:
        folder.sync()


def _shown(folder: Folder, name: str) -> Shown:
    place = _place(folder, name)
    if place is Place.BLOCKED:
        path = folder.path_of(name)
        raise FileTrouble(f"{path}: neither a file nor a link", hint=f"move it away: ls -ld {path}")
    live = _if_there(folder, layout.live_target(name))
    return Shown(place, folder.target(name), live if place is Place.OURS else _if_there(folder, name), live)


def _if_there(folder: Folder, name: str) -> bytes | None:
    try:
        return folder.read(name)
    except FileMissing:
        return None


def _adopt(folder: Folder, versions: Folder, shown: Mapping[str, Shown], left_alone: Collection[str]) -> int:
    """Make the present state a version; its stamp."""
    contents = {name: entry.content for name, entry in shown.items() if entry.content is not None}
    stamp = present_stamp(shown, {name: folder.modified(name) for name in contents})
    while versions.status(layout.version_name(stamp)) is not None:
        if _holds(versions, layout.version_name(stamp), contents, layout.NAMES):
            return stamp
        stamp += 1
    making = layout.adopting_name(stamp)
    if versions.is_folder(making):
        versions.remove_child(making, layout.NAMES)
    with versions.make_child(making) as version:
        for name, content in contents.items():
            source = _own_file(folder, name, shown[name])
            # A file that stays in its place must not share its content with a version: people write into such files.
            if source is None or name in left_alone:
                version.put(name, content)
            else:
                version.take(folder, source, name)
        version.sync()
    versions.rename(making, layout.version_name(stamp))
    versions.sync()
    return stamp


def _own_file(folder: Folder, name: str, entry: Shown) -> str | None:
    """The regular file of this folder that is behind the name, None where it is somewhere else."""
    source = entry.target if entry.place is Place.STAMPED and entry.target else name
    return source if folder.is_file(source) else None


def _keep_key(folder: Folder, coming: int) -> None:
    """Give the key that a person put there another name, before its name is taken."""
    content = folder.read(layout.PRIVKEY)
    stamp = folder.modified(layout.PRIVKEY)
    while (folder.status(name := layout.stamped_name(layout.PRIVKEY, stamp)) is not None) or stamp == coming:
        if folder.is_file(name) and folder.read(name) == content:
            return
        stamp += 1
    if folder.is_file(layout.PRIVKEY):
        folder.take(folder, layout.PRIVKEY, name)
    else:
        folder.put(name, content)
    folder.sync()


def _show_stamped(folder: Folder, version: Folder, stamp: int, left_alone: Collection[str]) -> None:
    """The same files under stamped names, as dehydrated looks for them."""
    for name in layout.NAMES:
        if name not in left_alone and version.is_file(name):
            folder.take(version, name, layout.stamped_name(name, stamp))
