"""Torn lineages on disk: what they show, which whole versions and sets there are, and the way back to one of them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder
from certkeeper.adapters.keys import parse_own
from certkeeper.adapters.ownership import Ownership
from certkeeper.adapters.switching import adopt, shown_by, switch
from certkeeper.adapters.versions import judged, read_origin
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass
from certkeeper.lineage import layout
from certkeeper.lineage.layout import CERT, CHAIN, CSR, FULLCHAIN, NAMES, PRIVKEY
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.mending import (
    Candidate,
    Damage,
    LeftToRun,
    Mended,
    NothingWhole,
    Present,
    choose,
    damage,
    left_to_run,
)
from certkeeper.lineage.model import BadChain, Leaf, UnusableKey
from certkeeper.lineage.pem import certificates


@dataclass(frozen=True, slots=True)
class _Kept:
    """All that a folder keeps beside what it shows. `versions` are contents by stamp, `beside` by stamped name."""

    live: int | None
    versions: Mapping[int, Mapping[str, bytes]]
    beside: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class _Whole:
    """A candidate, its contents, and the folder's own files that hold them."""

    candidate: Candidate
    contents: Mapping[str, bytes]
    sources: Mapping[str, str | None]


def damage_of(folder: Folder) -> Damage | None:
    """What is wrong with the files that the folder shows.

    Raises:
        FileTrouble: one of them cannot be read.
    """
    return damage(_present(folder))


def mend(alias: Alias, folder: Folder, now: datetime, owned: Ownership | None = None) -> Mended | LeftToRun | None:
    """Make a whole version live where the files that the folder shows are torn; None where they are not.

    Raises:
        NothingWhole: there is no version to mend from.
        FileTrouble: something cannot be read or written, or is in the way.
    """
    present = _present(folder)
    wrong = damage(present)
    if wrong is None:
        return None
    kept = _kept(folder)
    revoked = _revoked(kept)
    waiting = left_to_run(present, _known_keys(present, kept), revoked)
    if waiting is not None:
        return waiting
    found = {whole.candidate: whole for whole in _whole(present, kept) if whole.candidate.cert not in revoked}
    best = choose(present, found, now)
    if best is None:
        raise NothingWhole(f"{wrong}, and there is no whole version to mend it from", hint=f"certkeeper run {alias}")
    with folder.make_child(layout.VERSIONS) as versions:
        stamp = _made(folder, versions, found[best], owned) if best.beside else best.stamp
        switch(folder, versions, stamp, owned)
    return Mended(stamp, wrong.past)


def _present(folder: Folder) -> Present:
    shown = {name: shown_by(folder, name) for name in NAMES}
    cert = shown[CERT]
    taken_away = cert.content is None and cert.target is not None
    origin = read_origin(folder)
    return Present(
        shown,
        key_id=_key_id(shown[PRIVKEY].content),
        leaf=_leaf(cert.content),
        began=folder.target(layout.LIVE) is not None,
        revoked=taken_away and folder.leads_to_file(layout.revoked_name(cert.target or "")),
        key_elsewhere=origin is not None and origin.key_elsewhere,
    )


def _kept(folder: Folder) -> _Kept:
    """What cannot be read just now is not there: it is nothing to mend from."""
    versions: dict[int, Mapping[str, bytes]] = {}
    with suppress(FileMissing), folder.child(layout.VERSIONS) as versions_:
        for stamp in layout.version_stamps(versions_.names()):
            with suppress(FileTrouble), versions_.child(layout.version_name(stamp)) as version:
                versions[stamp] = _readable(version, [*NAMES, layout.ORIGIN, layout.revoked_name(CERT)])
    beside = _readable(folder, [name for name in folder.names() if layout.stamp_of(name) is not None])
    return _Kept(layout.live_stamp(folder.target(layout.LIVE) or ""), versions, beside)


def _readable(folder: Folder, names: list[str]) -> Mapping[str, bytes]:
    contents = {}
    for name in names:
        with suppress(FileTrouble):
            if folder.is_file(name):
                contents[name] = folder.read(name)
    return contents


def _revoked(kept: _Kept) -> frozenset[bytes]:
    """The certificates that dehydrated revoked, under whatever name a copy of them still is."""
    found = [content for name, content in kept.beside.items() if name.endswith(layout.revoked_name(""))]
    found += [files[name] for files in kept.versions.values() if (name := layout.revoked_name(CERT)) in files]
    return frozenset(block for content in found for block in certificates(content)[:1])


def _known_keys(present: Present, kept: _Kept) -> frozenset[str]:
    """The keys that have been used, as far as a key or a certificate of theirs is left."""
    contents = [*kept.beside.values(), *(content for files in kept.versions.values() for content in files.values())]
    keys = {_key_id(content) for content in contents}
    leaves = {leaf.key_id for content in contents if (leaf := _leaf(content)) is not None}
    shown = {present.leaf.key_id} if present.leaf is not None else set()
    return frozenset({key for key in keys if key is not None} | leaves | shown)


def _whole(present: Present, kept: _Kept) -> Iterator[_Whole]:
    for stamp, contents in kept.versions.items():
        yield from _judged(contents, {}, stamp, beside=False, live=stamp == kept.live)
    keys = dict(_keys(present, kept))
    for stamp in sorted({layout.stamp_of(name) or 0 for name in kept.beside}):
        names = {name: layout.stamped_name(name, stamp) for name in NAMES}
        sources: dict[str, str | None] = {
            name: names[name] for name in (CERT, CHAIN, FULLCHAIN, CSR) if names[name] in kept.beside
        }
        contents = {name: kept.beside[source] for name, source in sources.items() if source is not None}
        leaf = _leaf(contents.get(CERT))
        if leaf is None or leaf.key_id not in keys:
            continue
        own = names[PRIVKEY]
        source, key = (own, kept.beside[own]) if _key_id(kept.beside.get(own)) == leaf.key_id else keys[leaf.key_id]
        yield from _judged({**contents, PRIVKEY: key}, {**sources, PRIVKEY: source}, stamp, beside=True, live=False)


def _keys(present: Present, kept: _Kept) -> Iterator[tuple[str, tuple[str | None, bytes]]]:
    """Every key that is left, by key_id, with the name of the folder's own file; what comes later is preferred."""
    shown = present.content(PRIVKEY)
    found: list[tuple[str | None, bytes]] = [(None, shown)] if shown is not None else []
    found += [(None, files[PRIVKEY]) for files in kept.versions.values() if PRIVKEY in files]
    found += sorted((name, content) for name, content in kept.beside.items() if name.startswith("privkey-"))
    for name, content in found:
        if (key_id := _key_id(content)) is not None:
            yield key_id, (name, content)


def _judged(
    contents: Mapping[str, bytes], sources: Mapping[str, str | None], stamp: int, *, beside: bool, live: bool
) -> Iterator[_Whole]:
    _, leaf, trouble = judged(contents)
    if leaf is not None and not trouble:
        cert = certificates(contents[CERT])[0]
        yield _Whole(Candidate(stamp, leaf, cert, beside=beside, live=live), contents, sources)


def _made(folder: Folder, versions: Folder, whole: _Whole, owned: Ownership | None) -> int:
    """A version of a set that dehydrated left, under a stamp whose names are free for it; the stamp."""
    stamp = whole.candidate.stamp
    while any(_is_other(folder, layout.stamped_name(name, stamp), whole.contents.get(name)) for name in NAMES):
        stamp += 1
    return adopt(folder, versions, stamp, whole.contents, whole.sources, owned)


def _is_other(folder: Folder, name: str, content: bytes | None) -> bool:
    return (
        folder.status(name) is not None
        and content is not None
        and not (folder.is_file(name) and folder.read(name) == content)
    )


def _key_id(content: bytes | None) -> str | None:
    with suppress(UnusableKey):
        return parse_own(content, PRIVKEY).key_id if content is not None else None
    return None


def _leaf(content: bytes | None) -> Leaf | None:
    with suppress(BadChain):
        return parse_leaf(content) if content is not None else None
    return None
