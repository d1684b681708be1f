"""What is written down while days are played."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.lineage.model import Leaf
from certkeeper.plan.rehearsal.result import Lapse, Load, Nearest, Question, Replacement

_NEAREST = 10


class Ledger:
    """Of one question."""

    def __init__(self, question: Question) -> None:
        self._question = question
        days = (question.start.date() + timedelta(days=day) for day in range(question.days + 1))
        self._loads = {day: Load(day) for day in days}
        self._left_waiting: dict[date, int] = {}
        self._nearest: dict[Alias, Nearest] = {}
        self.lapses: list[Lapse] = []
        self.stuck: dict[Alias, str] = {}
        self.lives: dict[tuple[str, str], timedelta] = {}
        self._revoked: set[Alias] = set()
        self._affected, self._unaware = 0, 0
        self._last: datetime | None = None

    def ran(self, now: datetime, *, issued: int, refused: int, waiting: int) -> None:
        """One run; `waiting` are those that it leaves although they are due."""
        day = now.date()
        before = self._loads.setdefault(day, Load(day))
        self._loads[day] = replace(
            before,
            issued=before.issued + issued,
            refused=before.refused + refused,
            waiting=max(before.waiting, waiting),
            run=max(before.run, issued),
        )
        self._left_waiting[day] = waiting

    def replaced(self, alias: Alias, before: Leaf | None, now: datetime) -> None:
        """There is a new certificate in the place of that one."""
        self.stuck.pop(alias, None)
        if alias in self._revoked:
            self._revoked.discard(alias)
            self._last = now
        if before is None:
            return
        left = before.not_after - now
        if left <= timedelta(0):
            self.lapses.append(Lapse(alias, before.not_after, now))
        known = self._nearest.get(alias)
        if known is None or left < known.left:
            self._nearest[alias] = Nearest(alias, now, left)

    def revoked(self, aliases: Iterable[Alias], unaware: int) -> None:
        """These have to be replaced at once; of so many others nobody learns that."""
        self._revoked = set(aliases)
        self._affected, self._unaware = len(self._revoked), unaware

    def ended(self, live: Iterable[tuple[Alias, Leaf | None]]) -> None:
        """The days are over, with these live."""
        for alias, leaf in live:
            if leaf is not None and leaf.not_after < self._question.end:
                self.lapses.append(Lapse(alias, leaf.not_after, None))
        self.lapses.sort(key=lambda lapse: (lapse.at, lapse.alias))

    def loads(self) -> tuple[Load, ...]:
        """Every day of the question. Who waits goes on to do so on days whose runs have nothing to look at."""
        last: date = (self._question.end - timedelta(microseconds=1)).date()
        found, waiting = [], 0
        for day, load in self._loads.items():
            if day > last:
                break
            found.append(load if day in self._left_waiting else replace(load, waiting=waiting))
            waiting = self._left_waiting.get(day, waiting)
        return tuple(found)

    def nearest(self) -> tuple[Nearest, ...]:
        """The certificates that came nearest to their end, nearest first."""
        found = sorted(self._nearest.values(), key=lambda near: (near.left, near.alias))
        return tuple(near for near in found if near.left > timedelta(0))[:_NEAREST]

    def replacement(self) -> Replacement | None:
        at = self._question.revoked_at
        if at is None:
            return None
        return Replacement(at, self._affected, self._affected - len(self._revoked), self._last, self._unaware)
