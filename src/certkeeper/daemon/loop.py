"""The daemon's loop: a run when something is due, when files of the page change, when somebody asks, and every now and
then. A run is a process of its own, so one that fails, or grows, leaves nothing here.
"""

from collections.abc import Collection
from enum import Enum
from typing import Protocol

from certkeeper.daemon.notify import Notify
from certkeeper.daemon.wakes import Ended, Moment, after, next_at, reason

LOOK = 15.0
"""Seconds between looks at the page's files, and at the clocks."""
_SETTLING = 2.0
"""Seconds in which nothing more must change: an editor may be writing still."""
_PATIENCE = 90.0
"""Seconds that a run has to come to an orderly end: it withdraws what it published."""
_LONGEST_RUN = 6 * 3600.0


class Asked(Enum):
    """What signals ask for."""

    STOP = "stop"
    RELOAD = "reload"
    RUN = "run"


class Child(Protocol):
    """A run under way."""

    def ended(self) -> int | None:
        """Its exit code, as shells have it; None while it runs."""

    @property
    def due(self) -> float | None:
        """When it said that something is due next, in seconds of the epoch."""

    def stop(self) -> None:
        """Ask for an orderly end."""

    def kill(self) -> None: ...


class World(Protocol):
    """The machine, as the loop sees it."""

    def now(self) -> Moment: ...

    def wait(self, seconds: float, child: Child | None) -> Collection[Asked]:
        """Until that much time passed, a signal came, or the child ended or said something."""

    def start(self) -> Child:
        """Start a run."""

    def read_page(self) -> None:
        """Find out which files the page is made of."""

    def seen(self) -> object:
        """These files as they are; equal where nothing changed."""

    def changed(self, before: object) -> str:
        """The name of one of them that is not as it was."""

    def say(self, text: str) -> None: ...


class Loop:
    """`every` are seconds after which a run looks, whatever the last one said; `silence` are those that the watchdog
    allows.
    """

    def __init__(self, world: World, notify: Notify, *, every: float, silence: float | None = None) -> None:
        self._world = world
        self._notify = notify
        self._every = every
        self._longest_wait = min(LOOK, silence / 2) if silence is not None else LOOK
        self._ended: Ended | None = None
        self._page: object = None
        self._stopping = False
        self._wanted = ""
        self._status = ""

    def run(self) -> None:
        """Until somebody ends it."""
        self._look()
        self._notify.ready("starting")
        why = "started"
        while not self._stopping:
            self._carry_out(why)
            why = self._next()
        self._notify.stopping("stopped")

    def _carry_out(self, why: str) -> None:
        """One run, to its end."""
        self._tell(f"running: {why}")
        began = self._world.now().steady
        child = self._world.start()
        patience: float | None = None
        while (code := child.ended()) is None:
            asked = self._wait(self._longest_wait, child)
            now = self._world.now().steady
            again = Asked.STOP in asked and patience is not None
            if patience is None and (self._stopping or now - began > _LONGEST_RUN):
                self._tell("ending the run under way")
                child.stop()
                patience = now + _PATIENCE
            elif patience is not None and (again or now > patience):
                child.kill()
        self._ended = after(self._ended, code, child.due, self._world.now())

    def _next(self) -> str:
        """Wait until a run is to start, and say why; it is of no matter once somebody ends the daemon."""
        while not self._stopping:
            if self._wanted:
                why, self._wanted = self._wanted, ""
                return why
            now = self._world.now()
            ended = self._ended or Ended(now)
            if why := reason(ended, now, self._every):
                return why
            if name := self._changed():
                self._world.say(f"{name} changed: a run looks at it")
                return f"{name} changed"
            at = next_at(ended, now, self._every)
            self._tell(f"waiting until {_utc(at)}")
            self._wait(min(self._longest_wait, max(at - now.wall, 0.0)), None)
        return ""

    def _changed(self) -> str:
        """Which file of the page did, once no more does."""
        before, seen = self._page, self._world.seen()
        if seen == before:
            return ""
        name = self._world.changed(before)
        while not self._stopping:
            self._wait(_SETTLING, None)
            last, seen = seen, self._world.seen()
            if seen == last:
                break
        self._look()
        return name

    def _look(self) -> None:
        self._world.read_page()
        self._page = self._world.seen()

    def _wait(self, seconds: float, child: Child | None) -> Collection[Asked]:
        asked = self._world.wait(seconds, child)
        self._notify.alive()
        for one in asked:
            if one is Asked.STOP:
                self._stopping = True
            elif one is Asked.RELOAD:
                self._reload()
            else:
                self._wanted = "somebody asked for it"
        return asked

    def _reload(self) -> None:
        """A run reads all anew in any case; this finds out which files to watch."""
        self._notify.reloading(self._world.now().steady)
        self._look()
        self._wanted = "reloaded"
        self._notify.ready(self._status)

    def _tell(self, status: str) -> None:
        if status != self._status:
            self._status = status
            self._notify.status(status)


def _utc(seconds: float) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - a moment of a time to come may be none that it knows

    try:
        return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return "some day"
