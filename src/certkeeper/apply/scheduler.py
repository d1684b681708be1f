"""The scheduler: one thread owns all exchanges, timers and signals; an executor carries out one step each elsewhere.

A lineage that waits for its proof is parked as a value (a generator that waits for a signal), not as a blocked
thread. Which step ends first is decided by the executor alone, so tests can try every order.
"""

import heapq
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import cast

from certkeeper.apply.ports import Clock, Executor
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange, Sleep, Step, Together

Done = Callable[[object, Exception | None], None]


class Signal:
    """Something that exchanges can wait for. It happens once; who comes later does not wait."""

    __slots__ = ("_waiting", "error", "happened")

    def __init__(self) -> None:
        self.happened = False
        self.error: Exception | None = None
        self._waiting: list[Callable[[], None]] = []

    def set(self, error: Exception | None = None) -> None:
        """Wake everybody who waits; with an error, it is thrown where they wait. Only the first call counts."""
        if self.happened:
            return
        self.happened, self.error = True, error
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def when_set(self, wake: Callable[[], None]) -> None:
        if self.happened:
            wake()
        else:
            self._waiting.append(wake)


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Resume when the signal is set."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class Now(Step):
    """Resume at once with the monotonic clock's seconds."""


@dataclass(frozen=True, slots=True)
class Shield(Step):
    """From here on an interruption does not reach this exchange: what follows is owed."""


def wait(signal: Signal) -> Exchange[None]:
    yield Wait(signal)


def monotonic() -> Exchange[float]:
    seconds = yield Now()
    return cast("float", seconds)


def shield() -> Exchange[None]:
    yield Shield()


class _Task:
    """An exchange under way. `parked` is true while it waits for a timer or a signal, which `epoch` tells from older
    ones that no longer count; `owes` is true once an interruption has reached it, or must not reach it.
    """

    __slots__ = ("done", "epoch", "exchange", "owes", "parked")

    def __init__(self, exchange: Exchange[object], done: Done, *, owes: bool = False) -> None:
        self.exchange = exchange
        self.done = done
        self.owes = owes
        self.parked = False
        self.epoch = 0


class Scheduler:
    """Runs exchanges until none is left, or until an interrupted run's time is up."""

    def __init__(self, executor: Executor, clock: Clock) -> None:
        self._executor = executor
        self._clock = clock
        self._ready: deque[tuple[_Task, object, Exception | None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._tickets = count()
        self._running: dict[int, _Task] = {}
        self._detached: dict[int, Done] = {}
        self._probes: dict[int, Done] = {}
        self._alive: set[_Task] = set()
        self._interruption: Exception | None = None
        self._deadline: float | None = None

    def spawn(self, exchange: Exchange[object], done: Done) -> None:
        """Start an exchange; `done` is called once, with its result or its error."""
        self._start(_Task(exchange, done))

    def detach(self, step: Step, done: Done) -> None:
        """Start a step that no exchange waits for: `run` gives it a little time at the end, then leaves it alone."""
        self._detached[self._submit(step)] = done

    def probe(self, step: Step, done: Done) -> None:
        """Start a step whose result nobody misses: the end of `run` does not wait for it at all."""
        self._probes[self._submit(step)] = done

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call after that time; a call whose time has not come when every exchange ended is dropped."""
        heapq.heappush(self._timers, (self._clock.monotonic() + seconds, next(self._tickets), call))

    def monotonic(self) -> float:
        """For what is no exchange and is called back."""
        return self._clock.monotonic()

    def interrupt(self, error: Exception) -> None:
        """Throw the error into every exchange that owes nothing; steps under way end first, and no new one starts.

        May be called from a signal handler.
        """
        self._interruption = error
        self._executor.wake()

    def run(self, *, linger: float = 2.0, grace: float = 10.0) -> None:
        """Run until every exchange ended.

        Detached steps get at most `linger` seconds more. After an interruption everything gets `grace` seconds.
        """
        self._step_ready()
        while self._alive and not self._overdue():
            self._wait_for_more(self._deadline)
            if self._interruption is not None and self._deadline is None:
                self._deadline = self._clock.monotonic() + grace
                self._interrupt_parked(self._interruption)
            self._step_ready()
        self._timers.clear()
        deadline = self._clock.monotonic() + linger
        while self._detached and self._clock.monotonic() < deadline:
            self._wait_for_more(deadline)
            self._step_ready()

    def _overdue(self) -> bool:
        return self._deadline is not None and self._clock.monotonic() >= self._deadline

    def _start(self, task: _Task) -> None:
        self._alive.add(task)
        self._ready.append((task, None, None))

    def _submit(self, step: Step) -> int:
        ticket = next(self._tickets)
        self._executor.submit(ticket, step)
        return ticket

    def _step_ready(self) -> None:
        while self._ready:
            self._advance(*self._ready.popleft())

    def _wait_for_more(self, deadline: float | None) -> None:
        """Wait for a timer, for a step that ended, or until the deadline."""
        now = self._clock.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
        if self._ready:
            return
        moments = [moment for moment in (deadline, self._timers[0][0] if self._timers else None) if moment is not None]
        if not moments and not (self._running or self._detached or self._probes):
            raise AssertionError(f"{len(self._alive)} exchanges wait for a signal that nobody will set")
        completion = self._executor.next(max(0.0, min(moments) - now) if moments else None)
        if completion is None:
            return
        ticket, value, error = completion.ticket, completion.value, completion.error
        aside = self._detached.pop(ticket, None) or self._probes.pop(ticket, None)
        if aside is not None:
            aside(value, error)
        else:
            self._ready.append((self._running.pop(ticket), value, error))

    def _advance(self, task: _Task, value: object, error: Exception | None) -> None:
        if error is not None and error is self._interruption:
            # It may have come through an exchange that this one waited for.
            task.owes = True
        try:
            step = task.exchange.send(value) if error is None else task.exchange.throw(error)
        except StopIteration as stop:
            self._alive.discard(task)
            task.done(stop.value, None)
        except Exception as failure:  # noqa: BLE001 - an exchange's failure belongs to whoever spawned it
            self._alive.discard(task)
            task.done(None, failure)
        else:
            self._take(task, step)

    def _take(self, task: _Task, step: Step) -> None:
        if self._interruption is not None and not task.owes and not isinstance(step, Shield):
            task.owes = True
            self._ready.append((task, None, self._interruption))
            return
        match step:
            case Sleep(seconds):
                self._park(task)
                self.later(seconds, partial(self._wake, task, task.epoch, None))
            case Now():
                self._ready.append((task, self._clock.monotonic(), None))
            case Shield():
                task.owes = True
                self._ready.append((task, None, None))
            case Wait(signal):
                self._park(task)
                epoch = task.epoch
                signal.when_set(lambda: self._wake(task, epoch, signal.error))
            case Together(exchanges):
                self._fan_out(task, tuple(exchanges))
            case _:
                self._running[self._submit(step)] = task

    def _park(self, task: _Task) -> None:
        task.parked = True
        task.epoch += 1

    def _wake(self, task: _Task, epoch: int, error: Exception | None) -> None:
        if task.parked and task.epoch == epoch:
            task.parked = False
            self._ready.append((task, None, error))

    def _interrupt_parked(self, error: Exception) -> None:
        for task in [task for task in self._alive if task.parked and not task.owes]:
            task.owes = True
            self._wake(task, task.epoch, error)

    def _fan_out(self, parent: _Task, exchanges: tuple[Exchange[object], ...]) -> None:
        results: list[object] = [None] * len(exchanges)
        errors: list[Exception | None] = [None] * len(exchanges)
        left = len(exchanges)
        if not left:
            self._ready.append((parent, (), None))

        def ended(index: int, value: object, error: Exception | None) -> None:
            nonlocal left
            results[index], errors[index] = value, error
            left -= 1
            if not left:
                first = next((item for item in errors if item is not None), None)
                self._ready.append((parent, tuple(results), first))

        for index, exchange in enumerate(exchanges):
            self._start(_Task(exchange, partial(ended, index), owes=parent.owes))
