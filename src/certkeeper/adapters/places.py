"""What the names in a certificate's folder are: files, links, and where these lead. No file is opened."""

from certkeeper.adapters.files import Folder
from certkeeper.lineage import layout
from certkeeper.lineage.layout import Place
from certkeeper.lineage.model import KeyPlace


def before_the_first_switch(folder: Folder, name: str) -> bool:
    """A killed run set the name, and did not come to `.live`: nothing was ever behind it."""
    return folder.target(name) == layout.live_target(name) and folder.status(layout.LIVE) is None


def place_of(folder: Folder, name: str) -> Place:
    target = folder.target(name)
    if target is not None:
        return layout.link_place(name, target)
    if folder.status(name) is None:
        return Place.ABSENT
    return Place.PLAIN if folder.is_file(name) else Place.BLOCKED


def key_place(folder: Folder) -> KeyPlace:
    match place_of(folder, layout.PRIVKEY):
        case Place.ABSENT:
            return KeyPlace.ABSENT
        case Place.OURS if before_the_first_switch(folder, layout.PRIVKEY):
            return KeyPlace.ABSENT
        case Place.PLAIN | Place.BLOCKED:
            return KeyPlace.PLAIN
        case _:
            return KeyPlace.LINK


def live_stamp(folder: Folder) -> int | None:
    # Where cert.pem does not go through `.live`, dehydrated or a person wrote last.
    if folder.target(layout.CERT) != layout.live_target(layout.CERT):
        return None
    return layout.live_stamp(folder.target(layout.LIVE) or "")
