"""Which lineages may be under way: in the order of the list, but for zones and CAs that have their share already.

A lineage that works takes a place of its CA's. While it waits for name servers it gives that back, so that a zone
whose servers are slow holds up nobody but its own.
"""

import heapq
from collections import Counter, deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Generic, TypeAlias, TypeVar

from certkeeper.apply.challenges import WAVE_SIZE
from certkeeper.base.value import dataclass
from certkeeper.zone.rrset import Zone

AT_ONCE = 100
"""Lineages of a CA that work at the same time."""
IN_ZONE = WAVE_SIZE
"""Lineages under way with names in one zone, those that wait included: what one wave takes."""
AT_ALL = 500
"""Lineages under way, those that wait included; the others are not begun, so that memory does not grow with them."""

T = TypeVar("T")
_Share: TypeAlias = str | Zone
_ALL = ""


@dataclass(frozen=True, slots=True)
class Berth:
    """What a lineage counts for while it is under way."""

    ca: str
    zones: frozenset[Zone]

    @property
    def shares(self) -> tuple[_Share, ...]:
        return (_ALL, self.ca, *self.zones)


@dataclass(frozen=True, slots=True)
class Room:
    """How many lineages may have a place: of one CA's, of one zone's, and of all."""

    at_ca: int = AT_ONCE
    in_zone: int = IN_ZONE
    at_all: int = AT_ALL


class Berths(Generic[T]):
    """Those that wait to be begun, and how many are under way for whom."""

    def __init__(self, room: Room = Room()) -> None:  # noqa: B008 - a frozen value
        self._limits = room
        self._lines: dict[Berth, deque[tuple[int, T]]] = {}
        self._next: list[tuple[int, Berth]] = []
        """The lines whose first may be begun, as far as is known: by its number, which is its place in the list."""
        self._held: dict[_Share, list[tuple[int, Berth]]] = {}
        """The other lines, by a share of theirs that is used up; as many as could use what is given back are let go."""
        self._taken: Counter[_Share] = Counter()
        self._number = self._left = 0

    def add(self, item: T, ca: str, zones: Collection[Zone]) -> None:
        berth = Berth(ca, frozenset(zones))
        line = self._lines.setdefault(berth, deque())
        line.append((self._number, item))
        if len(line) == 1:
            heapq.heappush(self._next, (self._number, berth))
        self._number += 1
        self._left += 1

    @property
    def waiting(self) -> int:
        """How many were not begun."""
        return self._left

    def begin(self) -> tuple[T, Berth] | None:
        """The next that may be; None where all wait for others to end."""
        while self._next:
            number, berth = heapq.heappop(self._next)
            full = next((share for share in berth.shares if not self._room(share)), None)
            if full is not None:
                heapq.heappush(self._held.setdefault(full, []), (number, berth))
                self._let_go(berth.shares)
                continue
            line = self._lines[berth]
            _, item = line.popleft()
            self._left -= 1
            if line:
                heapq.heappush(self._next, (line[0][0], berth))
            self._taken.update(berth.shares)
            self._let_go(berth.shares)
            return item, berth
        return None

    def end(self, berth: Berth) -> None:
        self._taken.subtract(berth.shares)
        self._let_go(berth.shares)

    @contextmanager
    def lent(self, berth: Berth) -> Iterator[None]:
        """While a lineage only waits, others of its CA's work."""
        self._taken[berth.ca] -= 1
        self._let_go((berth.ca,))
        try:
            yield
        finally:
            self._taken[berth.ca] += 1

    def _room(self, share: _Share) -> bool:
        room = self._limits
        limit = room.in_zone if isinstance(share, Zone) else room.at_ca if share else room.at_all
        return self._taken[share] < limit

    def _let_go(self, shares: Collection[_Share]) -> None:
        """One line for each share that has room: if another share holds that one, the next is let go."""
        for share in shares:
            held = self._held.get(share)
            if held and self._room(share):
                heapq.heappush(self._next, heapq.heappop(held))
