"""Copies of certificates for services, compared with the versions that they are of.

What was compared is remembered in the index, so that a run reads only copies that have changed since.
"""

from collections.abc import Callable

from certkeeper.adapters.copies import where
from certkeeper.adapters.index import Index
from certkeeper.adapters.installed import Installed
from certkeeper.apply.deployports import Placed, Placement
from certkeeper.apply.placements import contents
from certkeeper.apply.ports import Store
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.value import replace


class Compared(Installed):
    """The same, and a look sees what somebody else wrote into a copy, too. A store is made only where one is needed."""

    def __init__(self, store: Callable[[], Store], index: Index) -> None:
        self._store = store
        self._index = index

    def look(self, placement: Placement) -> Placed:
        """Raises FileTrouble, NoSuchOwner."""
        folder, files = where(placement)
        kind = f"copies {placement.target} {placement.alias}"
        seen = self._index.see(folder, tuple(files))
        found = super().look(placement)
        if found.stamp is None or found.astray or self._index.known(kind, folder, seen) == found.stamp:
            return found
        if self._is_version(placement, found.stamp):
            self._index.learn(kind, folder, seen, found.stamp)
            return found
        return replace(found, astray=True)

    def _is_version(self, placement: Placement, stamp: int) -> bool:
        """True also where nobody can say: what is wrong with the version is told by whoever needs it."""
        try:
            version = self._store().version(placement.alias, stamp)
            if version is None:
                return True
            return self.same(placement, stamp, contents(version, set(placement.files.values())))
        except CertkeeperError:
            return True
