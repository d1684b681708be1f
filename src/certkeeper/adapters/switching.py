"""From what a folder shows to another version: one rename, after every name was made to go through `.live`."""

from collections.abc import Collection, Mapping
from contextlib import suppress

from certkeeper.adapters.files import FileTrouble, Folder
from certkeeper.adapters.keys import parse_own
from certkeeper.adapters.ownership import Ownership
from certkeeper.adapters.permissions import check_writers, give_all
from certkeeper.adapters.places import place_of
from certkeeper.adapters.staples import name_staple, show_staple
from certkeeper.adapters.versions import checked, holds, if_there
from certkeeper.base.value import replace
from certkeeper.lineage import layout
from certkeeper.lineage.layout import Place
from certkeeper.lineage.model import UnusableKey
from certkeeper.lineage.passage import OPERATORS, Shown, passage, present_stamp


def switch(folder: Folder, versions: Folder, stamp: int, owned: Ownership | None = None) -> None:
    """Make that version of the folder the live one; its files are `owned`, where that is asked for, before they show.

    Raises:
        BadChain, UnusableKey: the version's own files are unreadable or do not belong together.
        FileTrouble: something cannot be written, or is in the way; the old set stays live.
    """
    folder.sweep()
    with versions.child(layout.version_name(stamp)) as version:
        # What a killed run did to names has to last before anything is built on it.
        version.sync()
        versions.sync()
        folder.sync()
        left_alone = _left_alone(folder, checked(version))
        if owned is not None:
            for place in (folder, versions, version):
                check_writers(place)
            give_all(version, owned)
            # What shows now will be reached through here before the switch.
            versions.let_in(owned)
        _lead_through_live(folder, versions, left_alone, stamp, owned)
        _show_stamped(folder, version, stamp, left_alone, owned)
        name_staple(folder, version, stamp, owned)
        if not version.is_file(layout.PRIVKEY):
            _detach_key(folder)
        if owned is not None:
            folder.let_in(owned)
    folder.point(layout.LIVE, layout.version_target(stamp))
    folder.sync()
    with versions.child(layout.version_name(stamp)) as version:
        show_staple(folder, version)


def show(folder: Folder, versions: Folder, stamp: int) -> Mapping[str, str]:
    """Give that version its stamped names, and nothing more; where in the folder each of its files is then.

    Raises:
        BadChain, UnusableKey, FileTrouble: as `switch`.
    """
    folder.sweep()
    with versions.child(layout.version_name(stamp)) as version:
        left_alone = _left_alone(folder, checked(version))
        # They are private until the switch gives them to their owner.
        _show_stamped(folder, version, stamp, left_alone, None)
        hidden = {name for name in left_alone if version.is_file(name)}
    folder.sync()
    inside = layout.version_target(stamp)
    # Where there is no key at all, dehydrated's name for it stands for that.
    return {name: f"{inside}/{name}" if name in hidden else layout.stamped_name(name, stamp) for name in layout.NAMES}


def _left_alone(folder: Folder, key_id: str | None) -> frozenset[str]:
    """privkey.pem, where a person put it there and the version uses the same key, or where it has none."""
    if key_id is None:
        return frozenset({layout.PRIVKEY})
    content = if_there(folder, layout.PRIVKEY)
    if content is None or place_of(folder, layout.PRIVKEY) not in OPERATORS:
        return frozenset()
    with suppress(UnusableKey):
        if parse_own(content, folder.path_of(layout.PRIVKEY)).key_id == key_id:
            return frozenset({layout.PRIVKEY})
    return frozenset()


def _lead_through_live(
    folder: Folder, versions: Folder, left_alone: Collection[str], coming: int, owned: Ownership | None
) -> None:
    """Make every name a link through `.live`, while the same content stays behind each of them.

    `coming` is the stamp of the version that is to be live, whose names must stay free.
    """
    shown = {name: shown_by(folder, name) for name in layout.NAMES}
    if layout.key_elsewhere({layout.ORIGIN: if_there(folder, layout.live_target(layout.ORIGIN))}):
        # What privkey.pem is says nothing of the present state.
        key = shown[layout.PRIVKEY]
        shown[layout.PRIVKEY] = replace(key, live=key.content)
    way = passage(shown, left_alone)
    if way.adopt:
        stamp = _adopt(folder, versions, shown, left_alone, owned)
        folder.point(layout.LIVE, layout.version_target(stamp))
        folder.sync()
    if way.keep_key:
        _keep_key(folder, coming)
    for name in way.lead:
        folder.point(name, layout.live_target(name))
    if way.lead:
        folder.sync()


def _detach_key(folder: Folder) -> None:
    """Lead privkey.pem past `.live`, to where dehydrated would have left it: what is to be live has no key."""
    if place_of(folder, layout.PRIVKEY) is not Place.OURS:
        return
    stamp = layout.live_stamp(folder.target(layout.LIVE) or "")
    if stamp is None or not folder.is_file(layout.live_target(layout.PRIVKEY)):
        # Nothing is behind it: a killed run came that far.
        folder.remove(layout.PRIVKEY)
    else:
        name = layout.stamped_name(layout.PRIVKEY, stamp)
        if folder.status(name) is None:
            with folder.child(layout.VERSIONS) as versions, versions.child(layout.version_name(stamp)) as version:
                folder.take(version, layout.PRIVKEY, name)
        folder.point(layout.PRIVKEY, name)
    folder.sync()


def shown_by(folder: Folder, name: str) -> Shown:
    place = place_of(folder, name)
    if place is Place.BLOCKED:
        path = folder.path_of(name)
        raise FileTrouble(f"{path}: neither a file nor a link", hint=f"move it away: ls -ld {path}")
    live = if_there(folder, layout.live_target(name))
    return Shown(place, folder.target(name), live if place is Place.OURS else if_there(folder, name), live)


def _adopt(
    folder: Folder,
    versions: Folder,
    shown: Mapping[str, Shown],
    left_alone: Collection[str],
    owned: Ownership | None,
) -> int:
    """Make the present state a version; its stamp."""
    contents = {name: entry.content for name, entry in shown.items() if entry.content is not None}
    stamp = present_stamp(shown, {name: folder.modified(name) for name in contents})
    # A file that stays in its place must not share its content with a version: people write into such files.
    sources = {name: _own_file(folder, name, shown[name]) for name in contents if name not in left_alone}
    return adopt(folder, versions, stamp, contents, sources, owned)


def adopt(
    folder: Folder,
    versions: Folder,
    stamp: int,
    contents: Mapping[str, bytes],
    sources: Mapping[str, str | None],
    owned: Ownership | None,
) -> int:
    """Make these contents a version with that stamp, or a later one where it is taken; the stamp.

    `sources` are the folder's own files that hold them and may be hard-linked.
    """
    while versions.status(layout.version_name(stamp)) is not None:
        if holds(versions, layout.version_name(stamp), contents, layout.NAMES):
            if owned is not None:
                with versions.child(layout.version_name(stamp)) as version:
                    give_all(version, owned)
            return stamp
        stamp += 1
    making = layout.adopting_name(stamp)
    if versions.is_folder(making):
        versions.remove_child(making, layout.VERSION_FILES)
    with versions.make_child(making) as version:
        version.put(layout.ADOPTED, b"")
        for name, content in contents.items():
            source = sources.get(name)
            if source is None:
                version.put(name, content)
            else:
                version.take(folder, source, name)
        if owned is not None:
            give_all(version, owned)
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


def _show_stamped(
    folder: Folder, version: Folder, stamp: int, left_alone: Collection[str], owned: Ownership | None
) -> None:
    """The same files under stamped names, as dehydrated looks for them."""
    for name in layout.NAMES:
        if name not in left_alone and version.is_file(name):
            folder.take(version, name, stamped := layout.stamped_name(name, stamp))
            if owned is not None:
                # Where there are no hard links, it is a file of its own.
                folder.give(stamped, owned, name)
