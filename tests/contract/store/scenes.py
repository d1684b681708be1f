"""The folders that an activation may meet, and what has to come of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from builders.certificates import new_key, version_files
from certkeeper.adapters.store import Store
from certkeeper.base.keys import KeyPair
from certkeeper.lineage import layout
from certkeeper.lineage.model import VersionFiles
from contract.store.folders import (
    ALIAS,
    NOW_STAMP,
    OLD_STAMP,
    ORIGIN,
    dehydrated_folder,
    issue,
    link,
    plain_folder,
    private_file,
)

OLD_KEY = new_key()
NEW_KEY = new_key()
OLD = version_files(OLD_KEY)

View = dict[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Scene:
    """A folder is arranged, then a version with `key` goes live."""

    name: str
    arrange: Callable[[Path], None]
    key: KeyPair
    files: VersionFiles

    def __str__(self) -> str:
        return self.name


def view(folder: Path) -> View:
    """What a reader gets through each of the names."""
    return {name: read(folder / name) for name in layout.NAMES}


def read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def nothing(_: Path) -> None:
    return


def plain_key_only(folder: Path) -> None:
    folder.mkdir()
    private_file(folder / "privkey.pem", OLD_KEY.pem)


def ours(folder: Path) -> None:
    issue(Store(str(folder.parent)), OLD_KEY, OLD_STAMP)


def dehydrateds(folder: Path) -> None:
    dehydrated_folder(folder, OLD)


def plain(folder: Path) -> None:
    plain_folder(folder, OLD)


def links_and_plain_key(folder: Path) -> None:
    dehydrated_folder(folder, OLD)
    (folder / "privkey-1600000000.pem").unlink()
    private_file(folder / "privkey.pem", OLD_KEY.pem)


def ours_with_plain_key(folder: Path) -> None:
    links_and_plain_key(folder)
    issue(Store(str(folder.parent)), OLD_KEY, OLD_STAMP + 50)


def dehydrated_wrote_last(folder: Path) -> None:
    issue(Store(str(folder.parent)), new_key(), OLD_STAMP - 100)
    dehydrated_folder(folder, OLD)


def dehydrated_wrote_last_with_our_key(folder: Path) -> None:
    ours(folder)
    dehydrated_folder(folder, version_files(OLD_KEY), OLD_STAMP + 100)
    (folder / f"privkey-{OLD_STAMP + 100}.pem").unlink()
    link(folder / "privkey.pem", ".live/privkey.pem")


def revoked(folder: Path) -> None:
    dehydrateds(folder)
    (folder / "cert-1600000000.pem").rename(folder / "cert-1600000000.pem-revoked")


def key_elsewhere(folder: Path) -> None:
    dehydrateds(folder)
    private_file(folder.parent / "elsewhere.pem", OLD_KEY.pem)
    link(folder / "privkey.pem", "../elsewhere.pem")


def key_of_nothing(folder: Path) -> None:
    dehydrateds(folder)
    (folder / "privkey-1600000000.pem").unlink()
    private_file(folder / "privkey.pem", b"no key at all\n")


_ARRANGEMENTS: tuple[Callable[[Path], None], ...] = (
    nothing,
    plain_key_only,
    ours,
    dehydrateds,
    plain,
    links_and_plain_key,
    ours_with_plain_key,
    dehydrated_wrote_last,
    dehydrated_wrote_last_with_our_key,
    revoked,
    key_elsewhere,
    key_of_nothing,
)

SCENES = tuple(
    Scene(f"{arrange.__name__}-{word}", arrange, key, version_files(key))
    for arrange in _ARRANGEMENTS
    for word, key in (("new_key", NEW_KEY), ("same_key", OLD_KEY))
)


def renew(scene: Scene, store: Store) -> int:
    """What the engine does, from the beginning; the stamp that is live afterwards."""
    draft = store.begin(ALIAS, NOW_STAMP)
    if draft.key is None or draft.key.key_id != scene.key.key_id:
        store.save_key(draft, scene.key)
    store.stage(draft, replace(scene.files, origin=ORIGIN))
    store.show(ALIAS, draft.stamp)
    store.activate(ALIAS, draft.stamp)
    return draft.stamp
