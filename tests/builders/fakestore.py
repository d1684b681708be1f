"""The port Store in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from certkeeper.adapters.keys import parse_own
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias
from certkeeper.lineage import layout
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import Draft, KeyPlace, Lineage, Version, VersionFiles


@dataclass(frozen=True, slots=True)
class Live:
    """What is live of a lineage."""

    stamp: int
    files: VersionFiles


class FakeStore:
    """Lineages in memory. `broken` are folders that cannot be written to."""

    def __init__(self) -> None:
        self.live: dict[Alias, Live] = {}
        self.drafts: dict[Alias, Draft] = {}
        self.staged: dict[tuple[Alias, int], VersionFiles] = {}
        self.earlier: dict[tuple[Alias, int], VersionFiles] = {}
        self.broken: Mapping[Alias, CertkeeperError] = {}
        self._stamps: dict[Alias, int] = {}
        self.shown: list[tuple[Alias, Live]] = []
        self.next_keys: dict[Alias, KeyPair] = {}
        self.announced: list[str] = []

    def begin(self, alias: Alias, now_epoch: int) -> Draft:
        if alias in self.broken:
            raise self.broken[alias]
        if alias not in self.drafts:
            stamp = max(now_epoch, self._stamps.get(alias, 0) + 1)
            self._stamps[alias] = stamp
            self.drafts[alias] = Draft(alias, stamp)
        return self.drafts[alias]

    def save_key(self, draft: Draft, key: KeyPair) -> None:
        assert self.drafts[draft.alias].stamp == draft.stamp
        self.drafts[draft.alias] = replace(draft, key=key)

    def live_key(self, alias: Alias) -> KeyPair:
        if alias not in self.live:
            raise CertkeeperError(f"{alias}/privkey.pem: not there")
        return parse_own(self.live[alias].files.privkey, f"{alias}/privkey.pem")

    def next_key(self, alias: Alias) -> KeyPair:
        return self.next_keys[alias]

    def save_next_key(self, alias: Alias, key: KeyPair) -> None:
        before = self.next_keys.get(alias)
        assert before is None or before.key_id == self.live_key(alias).key_id, "a key that nobody has used yet"
        self.next_keys[alias] = key
        self.announced.append(key.key_id)

    def remove_next_key(self, alias: Alias) -> None:
        self.next_keys.pop(alias, None)

    def stage(self, draft: Draft, files: VersionFiles) -> None:
        kept = self.drafts.pop(draft.alias)
        assert kept.key is not None
        assert kept.key.pem == files.privkey, "staged with a key that was not on disk"
        self.staged[draft.alias, draft.stamp] = files

    def show(self, alias: Alias, stamp: int) -> Mapping[str, str]:
        assert stamp in self._complete(alias)
        return {name: layout.stamped_name(name, stamp) for name in layout.NAMES}

    def activate(self, alias: Alias, stamp: int) -> None:
        before = self.live.get(alias)
        if before is not None and before.stamp == stamp:
            return
        held = self.staged if (alias, stamp) in self.staged else self.earlier
        self.live[alias] = Live(stamp, held.pop((alias, stamp)))
        if before is not None:
            self.earlier[alias, before.stamp] = before.files
        self.shown.append((alias, self.live[alias]))

    def version(self, alias: Alias, stamp: int) -> VersionFiles | None:
        return self._complete(alias).get(stamp)

    def versions(self, alias: Alias) -> tuple[Version, ...]:
        live = self.live.get(alias)
        return tuple(
            Version(
                stamp,
                key_id=parse_own(files.privkey, "privkey.pem").key_id,
                leaf=parse_leaf(files.fullchain),
                live=live is not None and live.stamp == stamp,
                origin=files.origin,
            )
            for stamp, files in sorted(self._complete(alias).items(), reverse=True)
        )

    def _complete(self, alias: Alias) -> dict[int, VersionFiles]:
        others = {**self.earlier, **self.staged}
        found = {stamp: files for (of, stamp), files in others.items() if of == alias}
        live = self.live.get(alias)
        return found | ({live.stamp: live.files} if live is not None else {})

    def discard(self, draft: Draft) -> None:
        self.drafts.pop(draft.alias, None)

    def lineage(self, alias: Alias) -> Lineage:
        live = self.live.get(alias)
        if live is None:
            return Lineage(alias)
        leaf = parse_leaf(live.files.fullchain)
        coming = self.next_keys.get(alias)
        return Lineage(
            alias,
            leaf=leaf,
            key_place=KeyPlace.LINK,
            key_id=leaf.key_id,
            stamp=live.stamp,
            next_key_id=coming.key_id if coming is not None else None,
            origin=live.files.origin,
        )
