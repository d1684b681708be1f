"""Looks at the folders of lineages. What is known of files that are as they were is not read again.

This module loads no cryptography: that comes with the store, once a file has to be read.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import cast

from certkeeper.adapters.files import FileMissing, FileTrouble, read_file
from certkeeper.adapters.folders import Folders
from certkeeper.adapters.index import Index
from certkeeper.base.names import Alias, Identifier, IdentifierType
from certkeeper.base.times import from_epoch
from certkeeper.lineage import layout
from certkeeper.lineage.model import Dropped, KeyPlace, Leaf, Lineage, Origin, Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.adapters.store import Store

_KIND = "lineage"
_READ = (
    layout.PRIVKEY,
    layout.CERT,
    layout.CHAIN,
    layout.FULLCHAIN,
    layout.NEXT_KEY,
    layout.REVOKED,
    layout.live_target(layout.ORIGIN),
)
"""All the files that a Lineage is made of."""
_SEEN = (*_READ, layout.LIVE)


class Looks:
    """The port Looks. What was seen of sound lineages is remembered in the index; whatever is odd is looked at anew."""

    def __init__(self, folders: Folders, index: Index) -> None:
        self._folders = folders
        self._index = index
        self._unpacked: dict[str, tuple[object, Lineage]] = {}

    def lineage(self, alias: Alias) -> Lineage:
        """As `Store.lineage`."""
        folder = self._folders.path(alias)
        seen = self._index.see(folder, _SEEN)
        row = self._index.known(_KIND, folder, seen)
        if row is not None:
            return self._lineage(alias, row)
        found = self._store.lineage(alias)
        if found.sound and all(_readable(f"{folder}/{name}") for name in _READ):
            self._index.learn(_KIND, folder, seen, row_of(found))
        return found

    def versions(self, alias: Alias) -> tuple[Version, ...]:
        """As `Store.versions`."""
        return self._store.versions(alias)

    @cached_property
    def _store(self) -> "Store":
        from certkeeper.adapters.store import Store  # noqa: PLC0415 - cryptography, only where something is to be read

        return Store(self._folders.certdir, self._folders.elsewhere)

    def _lineage(self, alias: Alias, row: object) -> Lineage:
        """A run looks at each more than once."""
        known, lineage = self._unpacked.get(alias.text, (None, None))
        if lineage is None or known is not row:
            lineage = lineage_of(alias, cast("Sequence[object]", row))
            self._unpacked[alias.text] = row, lineage
        return lineage


def _readable(path: str) -> bool:
    """What cannot be read may be readable a moment later, with nothing of its stat changed: a disk that stumbled."""
    with suppress(FileMissing):
        try:
            read_file(path)
        except FileMissing:
            raise
        except FileTrouble:
            return False
    return True


def row_of(lineage: Lineage) -> list[object]:
    """A sound lineage as JSON has it."""
    leaf, origin = lineage.leaf, lineage.origin
    return [
        _leaf_row(leaf) if leaf is not None else None,
        lineage.key_place.value,
        lineage.key_id,
        lineage.stamp,
        lineage.next_key_id,
        _origin_row(origin) if origin is not None else None,
        lineage.revoked,
        lineage.compromised,
    ]


def lineage_of(alias: Alias, row: Sequence[object]) -> Lineage:
    """The same lineage again."""
    leaf, key_place, key_id, stamp, next_key_id, origin, revoked, compromised = row
    return Lineage(
        alias,
        leaf=_leaf(cast("Sequence[object]", leaf)) if leaf is not None else None,
        key_place=KeyPlace(cast("str", key_place)),
        key_id=cast("str | None", key_id),
        stamp=cast("int | None", stamp),
        next_key_id=cast("str | None", next_key_id),
        origin=_origin(cast("Sequence[object]", origin)) if origin is not None else None,
        revoked=cast("int | None", revoked),
        compromised=cast("bool", compromised),
    )


def _leaf_row(leaf: Leaf) -> list[object]:
    names = sorted((item.type.value, item.value) for item in leaf.identifiers)
    return [
        leaf.key_id,
        names,
        int(leaf.not_before.timestamp()),
        int(leaf.not_after.timestamp()),
        leaf.serial,
        leaf.issuer,
        leaf.ocsp_url,
        leaf.must_staple,
        leaf.authority_key_id,
        leaf.key_kind,
    ]


def _leaf(row: Sequence[object]) -> Leaf:
    key_id, names, not_before, not_after, *rest = row
    return Leaf(
        cast("str", key_id),
        frozenset(Identifier(IdentifierType(kind), value) for kind, value in cast("list[tuple[str, str]]", names)),
        from_epoch(cast("int", not_before)),
        from_epoch(cast("int", not_after)),
        *cast("tuple[str, str, str | None, bool, str, str]", rest),
    )


def _origin_row(origin: Origin) -> list[object]:
    dropped = [[item.name.type.value, item.name.value, item.inputs, item.why] for item in origin.dropped]
    return [origin.ca, origin.profile, origin.must_staple, origin.test, dropped, origin.key_elsewhere]


def _origin(row: Sequence[object]) -> Origin:
    *asked, dropped, key_elsewhere = row
    names = (
        Dropped(Identifier(IdentifierType(kind), name), inputs, why)
        for kind, name, inputs, why in cast("list[tuple[str, str, str, str]]", dropped)
    )
    return Origin(*cast("tuple[str, str, bool, bool]", asked), tuple(names), cast("bool", key_elsewhere))
