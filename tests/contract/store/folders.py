"""Folders as dehydrated, a person or an earlier run left them, and a reader who knows only the four names."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from builders.certificates import version_files
from certkeeper.adapters.store import Store
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias
from certkeeper.lineage import layout
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import Origin, VersionFiles

ALIAS = Alias("example.org")
OLD_STAMP = 1_600_000_000
NOW_STAMP = 1_700_000_000
ORIGIN = Origin("https://ca.test/directory")


def dehydrated_folder(folder: Path, files: VersionFiles, stamp: int = OLD_STAMP) -> None:
    """Five stamped files and five flat links."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in layout.by_name(files).items():
        stamped = layout.stamped_name(name, stamp)
        private_file(folder / stamped, content)
        link(folder / name, stamped)


def plain_folder(folder: Path, files: VersionFiles) -> None:
    """Regular files under the names that services use, and no request."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in layout.by_name(files).items():
        if name != layout.CSR:
            private_file(folder / name, content)
            os.utime(folder / name, (OLD_STAMP, OLD_STAMP))


def private_file(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def issue(store: Store, key: KeyPair, now: int = NOW_STAMP, alias: Alias = ALIAS) -> int:
    """One renewal, as the engine does it; the stamp."""
    draft = store.begin(alias, now)
    store.save_key(draft, key)
    store.stage(draft, replace(version_files(key), origin=ORIGIN))
    store.activate(alias, draft.stamp)
    return draft.stamp


@dataclass(frozen=True, slots=True)
class Pair:
    """What a service gets: the key file's bytes and the chain's."""

    key: bytes
    fullchain: bytes
    cert: bytes
    chain: bytes


def look(folder: Path) -> Pair | None:
    """One look through the names; None where key or certificate are missing."""
    try:
        return Pair(
            *((folder / name).read_bytes() for name in ("privkey.pem", "fullchain.pem", "cert.pem", "chain.pem"))
        )
    except FileNotFoundError:
        return None


def pair_of(files: VersionFiles) -> Pair:
    return Pair(files.privkey, files.fullchain, files.cert, files.chain)


def key_id_of_chain(fullchain: bytes) -> str:
    return parse_leaf(fullchain).key_id
