"""The port TargetFiles in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from certkeeper.apply.deployports import Placed, Placement
from certkeeper.base.errors import CertkeeperError
from certkeeper.service.target import Form

Set = dict[str, bytes]


@dataclass(slots=True)
class Kept:
    """The versions of one certificate for one target, by stamp and path."""

    versions: dict[int, Set] = field(default_factory=dict)
    older: dict[int, Set] = field(default_factory=dict)
    """What a version had before it was written anew."""
    live: int | None = None
    shown: Set = field(default_factory=dict)
    ours: set[str] = field(default_factory=set)
    found: set[int] = field(default_factory=set)
    """The versions that somebody else had put there."""


class FakeTargetFiles:
    """`others` are somebody else's files, `links` lead elsewhere; `folders` and `groups` are those that there are.

    `broken` are folders that cannot be written to. `astray` are paths whose mode somebody changed. `calls` is
    what was asked, in order.
    """

    def __init__(self, folders: Sequence[str] = (), groups: Sequence[str] = ()) -> None:
        self.folders = set(folders)
        self.groups = set(groups)
        self.others: Set = {}
        self.links: dict[str, str] = {}
        self.broken: set[str] = set()
        self.astray: set[str] = set()
        self.calls: list[str] = []
        self._kept: dict[tuple[str, str], Kept] = {}

    def read(self, path: str) -> bytes | None:
        """What a reader gets through the path."""
        if path in self.others:
            return self.others[path]
        for kept in self._kept.values():
            if path in kept.ours and kept.live is not None:
                return kept.shown.get(path)
        return None

    def check(self, placement: Placement) -> None:
        self.calls.append(f"check {placement.target} {placement.alias}")
        self._refuse(placement)

    def look(self, placement: Placement) -> Placed:
        kept = self._of(placement)
        live = kept.shown if kept.live is not None else {}
        others = tuple(path for path in placement.files if path in self.others or path in self.links)
        expected = [path for path, form in placement.files.items() if form is not Form.OCSP or path in live]
        whole = not others and all(path in live and path in kept.ours for path in expected)
        rest = sorted((stamp for stamp in kept.versions if stamp != kept.live), reverse=True)
        older = tuple(sorted(rest, key=lambda stamp: stamp in kept.found))
        astray = whole and not self.astray.isdisjoint(placement.files)
        return Placed(kept.live if whole else None, others, older, astray=astray)

    def same(self, placement: Placement, stamp: int, contents: Mapping[Form, bytes]) -> bool:
        kept = self._of(placement)
        found = kept.versions.get(stamp, {})
        if kept.live == stamp and kept.shown != found:
            return False
        return self.astray.isdisjoint(placement.files) and all(
            found.get(path) == content for path, content in _wanted(placement, contents).items()
        )

    def stage(self, placement: Placement, stamp: int, contents: Mapping[Form, bytes]) -> None:
        self.calls.append(f"stage {placement.target} {placement.alias} {stamp}")
        self._refuse(placement)
        if not self.same(placement, stamp, contents):
            kept, wanted = self._of(placement), _wanted(placement, contents)
            if stamp in kept.versions and kept.versions[stamp] != wanted:
                kept.older[stamp] = kept.versions[stamp]
            kept.versions[stamp] = wanted
            self.astray -= set(placement.files)

    def switch(self, placement: Placement, stamp: int) -> int | None:
        self.calls.append(f"switch {placement.target} {placement.alias} {stamp}")
        self._refuse(placement)
        kept = self._of(placement)
        if stamp not in kept.versions:
            raise CertkeeperError(f"{_folder(placement)}: there is no copy of that version: {stamp}")
        shown = {path: content for path in placement.files if (content := self.read(path)) is not None}
        if any(path in self.others for path in placement.files):
            kept.live = next((number for number, found in kept.versions.items() if found == shown), None)
            if kept.live is None:
                kept.live = next(number for number in range(1, stamp + 2) if number not in kept.versions)
                kept.versions[kept.live] = shown
                kept.found.add(kept.live)
        before = kept.live if shown else None
        for path in placement.files:
            self.others.pop(path, None)
        kept.ours |= set(placement.files)
        kept.live, kept.shown = stamp, kept.versions[stamp]
        return before

    def has_older(self, placement: Placement, stamp: int) -> bool:
        return stamp in self._of(placement).older

    def switch_to_older(self, placement: Placement, stamp: int) -> None:
        self.calls.append(f"switch {placement.target} {placement.alias} {stamp} older")
        self._refuse(placement)
        kept = self._of(placement)
        kept.live, kept.shown = stamp, kept.older[stamp]

    def keep(self, placement: Placement, stamps: Sequence[int]) -> None:
        self.calls.append(f"keep {placement.target} {placement.alias} {' '.join(map(str, stamps))}")
        kept = self._of(placement)
        kept.versions = {
            stamp: found for stamp, found in kept.versions.items() if stamp in {*stamps, kept.live} | kept.found
        }
        kept.older = {stamp: found for stamp, found in kept.older.items() if stamp == kept.live and found == kept.shown}

    def _of(self, placement: Placement) -> Kept:
        return self._kept.setdefault((placement.target, placement.alias.text), Kept())

    def _refuse(self, placement: Placement) -> None:
        folders = {path.rpartition("/")[0] for path in placement.files}
        if len(folders) != 1:
            raise CertkeeperError(f"target {placement.target}: the files of {placement.alias} are in several folders")
        folder = _folder(placement)
        if folder not in self.folders:
            raise CertkeeperError(f"{folder}: the folder is not there", hint=f"make it: install -d {folder}")
        if placement.access.group and placement.access.group not in self.groups:
            raise CertkeeperError(f"{folder}: there is no group {placement.access.group}", hint="make it: addgroup")
        if folder in self.broken:
            raise CertkeeperError(f"{folder}: cannot write: no space left on device", hint="make room: df -h")
        for path in placement.files:
            if path in self.links:
                raise CertkeeperError(f"{path}: a link that leads elsewhere ({self.links[path]})", hint="ls -l")


def _folder(placement: Placement) -> str:
    return min(placement.files).rpartition("/")[0]


def _wanted(placement: Placement, contents: Mapping[Form, bytes]) -> Set:
    return {
        path: contents[Form.PRIVKEY] + contents[Form.FULLCHAIN] if form is Form.PKCS12 else contents[form]
        for path, form in placement.files.items()
        if form is not Form.OCSP or contents[form]
    }
