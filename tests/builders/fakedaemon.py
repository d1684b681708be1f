"""The daemon's world in values: time passes only where it waits, and what happens meanwhile is written down before."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from certkeeper.daemon.loop import Asked, Child
from certkeeper.daemon.wakes import Moment

START = 1_800_000_000.0


@dataclass
class FakeNotify:
    """Who is told, as lines."""

    told: list[str] = field(default_factory=list)

    def ready(self, status: str) -> None:
        self.told.append(f"ready: {status}")

    def status(self, text: str) -> None:
        self.told.append(text)

    def alive(self) -> None:
        if self.told[-1:] != ["alive"]:
            self.told.append("alive")

    def reloading(self, steady: float) -> None:
        self.told.append(f"reloading at {steady:.0f}")

    def stopping(self, text: str) -> None:
        self.told.append(f"stopping: {text}")


@dataclass
class Run:
    """How a run goes: how long it takes, how it ends, and in how many seconds something is due then."""

    seconds: float = 3.0
    code: int = 0
    due: float | None = None
    heeds: bool = True
    """Whether it ends when it is asked to."""


class FakeChild:
    """Implements Child."""

    def __init__(self, world: "FakeWorld", run: Run) -> None:
        self._world = world
        self._run = run
        self._ends = world.steady + run.seconds
        self._code = run.code
        self.due = world.wall + run.seconds + run.due if run.due is not None else None

    def ended(self) -> int | None:
        return self._code if self._world.steady >= self._ends else None

    def stop(self) -> None:
        self._world.log("SIGTERM")
        if self._run.heeds:
            self._ends, self._code = self._world.steady + 5, 143

    def kill(self) -> None:
        self._world.log("SIGKILL")
        self._ends, self._code = self._world.steady, 137


class FakeWorld:
    """Implements World. `runs` are how runs go, the last one for all others; `plans` are what happens when."""

    def __init__(self, *runs: Run) -> None:
        self.wall, self.steady = START, 1000.0
        self.runs = list(runs) or [Run()]
        self.plans: list[tuple[float, Callable[[], object]]] = []
        self.asked: list[Asked] = []
        self.page = {"config": 1, "domains.txt": 1}
        self.reads = 0
        self.waits = 0
        self.logged: list[tuple[float, str]] = []

    def at(self, seconds: float, happens: Callable[[], object]) -> None:
        """After so many seconds that happens."""
        self.plans = sorted([*self.plans, (1000.0 + seconds, happens)], key=lambda plan: plan[0])

    def signal(self, seconds: float, asked: Asked) -> None:
        self.at(seconds, lambda: self.asked.append(asked))

    def log(self, text: str) -> None:
        self.logged.append((self.steady - 1000.0, text))

    @property
    def starts(self) -> list[float]:
        """When runs started, in seconds."""
        return [at for at, text in self.logged if text == "run"]

    def now(self) -> Moment:
        return Moment(self.wall, self.steady)

    def wait(self, seconds: float, child: Child | None) -> Collection[Asked]:
        self.waits += 1
        until = self.steady + max(seconds, 0.0)
        if self.plans and self.plans[0][0] <= until:
            until, happens = self.plans.pop(0)
            self._pass(until)
            happens()
        elif isinstance(child, FakeChild):
            # The end of a run wakes whoever waits.
            self._pass(min(until, max(child._ends, self.steady)))
        else:
            self._pass(until)
        asked, self.asked = self.asked, []
        return asked

    def _pass(self, until: float) -> None:
        passed = max(until - self.steady, 0.0)
        self.steady += passed
        self.wall += passed

    def start(self) -> Child:
        self.log("run")
        return FakeChild(self, self.runs.pop(0) if len(self.runs) > 1 else self.runs[0])

    def read_page(self) -> None:
        self.reads += 1

    def seen(self) -> object:
        return dict(self.page)

    def changed(self, before: object) -> str:
        assert isinstance(before, dict)
        return next(name for name in self.page if self.page[name] != before.get(name))

    def say(self, text: str) -> None:
        self.log(text)
