"""Old versions, taken away: the folder below `.versions`, and the stamped names that are ours.

The stamped names go first, while there is a version to compare them with. Then one rename takes the version's name
away, so that nobody ever meets a version that is half empty. What a kill leaves is finished the next time.
"""

from collections.abc import Collection
from datetime import datetime

from certkeeper.adapters.files import FileTrouble, Folder
from certkeeper.adapters.staples import remove_stamped
from certkeeper.adapters.versions import described
from certkeeper.lineage import layout
from certkeeper.lineage.model import Version
from certkeeper.lineage.retention import Removal, Retention, Unfinished, abandoned, removals, superseded

# dehydrated renames what it revokes.
_OURS = (*layout.VERSION_FILES, *(layout.revoked_name(name) for name in layout.NAMES))


def removable(
    folder: Folder, versions: Folder, retention: Retention, now: datetime, needed: Collection[int]
) -> tuple[Removal, ...]:
    """What may go, what was begun first coming first.

    Raises:
        FileTrouble: the folders cannot be listed.
    """
    unfinished = [
        Unfinished(name, stamp, versions.modified(name), layout.half_removed(name))
        for name, stamp in layout.unfinished(versions.names()).items()
        if versions.is_folder(name)
    ]
    return removals(
        superseded(described(folder, versions), retention, now, needed),
        abandoned(unfinished, retention, now, needed),
    )


def remove(folder: Folder, versions: Folder, removal: Removal) -> None:
    """Take it away, and nothing that somebody else made.

    Raises:
        FileTrouble: it holds files of somebody else's and is left as it is, or something cannot be removed.
    """
    folder.sweep()
    name = removal.name
    with versions.child(name) as version:
        version.sweep()
        _refuse_foreign(version)
        if removal.version is not None:
            _remove_stamped(folder, version, removal.version)
    if removal.version is not None:
        folder.sync()
        name = layout.removing_name(removal.stamp)
        versions.rename(removal.name, name)
        versions.sync()
    versions.remove_child(name, _OURS)
    versions.sync()


def _refuse_foreign(version: Folder) -> None:
    foreign = [name for name in version.names() if name not in _OURS or not version.is_file(name)]
    if foreign:
        raise FileTrouble(
            f"{version.path}: holds what certkeeper did not put there: {', '.join(foreign)}",
            hint=f"move it away: ls -la {version.path}",
        )


def _remove_stamped(folder: Folder, version: Folder, described_: Version) -> None:
    if described_.adopted:
        # There they are the files that it was made of.
        return
    for name in layout.NAMES:
        stamped = layout.stamped_name(name, described_.stamp)
        if any(_is_ours(folder, stamped, version, inner) for inner in (name, layout.revoked_name(name))):
            folder.remove(stamped)
    remove_stamped(folder, version)


def _is_ours(folder: Folder, stamped: str, version: Folder, name: str) -> bool:
    """The very file of the version, or its copy on a file system without hard links."""
    if not (folder.is_file(stamped) and version.is_file(name)):
        return False
    if folder.behind(stamped) == version.behind(name):
        return True
    return folder.read(stamped) == version.read(name) and not version.links_work(name)
