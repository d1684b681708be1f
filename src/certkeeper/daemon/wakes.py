"""When the next run is to start. No clock is read here."""

from certkeeper.base.value import dataclass

SHORTEST = 60.0
"""Seconds between the end of a run and the next one, unless somebody asks."""
_LONGEST_PAUSE = 3600.0
JUMP = 60.0
"""Seconds by which the two clocks may part before somebody has set the clock."""
_AFTER_CRASH = 600.0
_TOLD = frozenset({0, 1, 2, 130, 143})
"""How runs end that told what is due, or what a person has to mend first."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment on both clocks: seconds of the epoch, which can be set, and seconds that only ever pass."""

    wall: float
    steady: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that is over. `due` is when the next one has something to do, in seconds of the epoch, None where nothing
    is known. `again` counts the runs in a row after which something was due at once.
    """

    at: Moment
    due: float | None = None
    again: int = 0

    @property
    def pause(self) -> float:
        """Seconds until the next run at the earliest: what is due at once, and stays so, keeps no machine busy."""
        return min(SHORTEST * 2.0**self.again, _LONGEST_PAUSE)


def after(before: Ended | None, code: int, due: float | None, now: Moment) -> Ended:
    """What a run leaves that ended with this code. One that ended by itself in no known way is tried again soon."""
    if code not in _TOLD:
        due = now.wall + _AFTER_CRASH
    at_once = due is not None and due <= now.wall
    return Ended(now, due, (before.again if before is not None else 0) + 1 if at_once else 0)


def reason(ended: Ended, now: Moment, every: float) -> str:
    """Why a run is to start now; empty where none is."""
    passed = now.steady - ended.at.steady
    if abs(now.wall - ended.at.wall - passed) > JUMP:
        return "the clock was set"
    if passed < ended.pause:
        return ""
    if ended.due is not None and now.wall >= ended.due:
        return "something is due"
    return "it is time to look" if passed >= every else ""


def next_at(ended: Ended, now: Moment, every: float) -> float:
    """When that will be, in seconds of the epoch, as far as it can be told now."""
    latest = now.wall + ended.at.steady + every - now.steady
    due = min(latest, ended.due) if ended.due is not None else latest
    return max(due, now.wall + ended.at.steady + ended.pause - now.steady)
