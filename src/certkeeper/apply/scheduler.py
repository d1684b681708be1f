"""The scheduler: one thread owns all exchanges, timers and signals; an executor carries out one step each elsewhere.

A lineage that waits for its proof is parked as a value (a generator that waits for a signal), not as a blocked
thread. Which step ends first is decided by the executor alone, so tests can try every order.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import cast

from certkeeper.apply.ports import Clock, Executor
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


def wait(signal: Signal) -> Exchange[None]:
    yield Wait(signal)


def monotonic() -> Exchange[float]:
    seconds = yield Now()
    return cast("float", seconds)


class _Task:
    __slots__ = ("done", "exchange")

    def __init__(self, exchange: Exchange[object], done: Done) -> None:
        self.exchange = exchange
        self.done = done


class Scheduler:
    """Runs exchanges until none is left."""

    def __init__(self, executor: Executor, clock: Clock) -> None:
        self._executor = executor
        self._clock = clock
        self._ready: deque[tuple[_Task, object, Exception | None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._running: dict[int, _Task] = {}
        self._tickets = count()
        self._background: set[int] = set()
        self._alive = 0

    def spawn(self, exchange: Exchange[object], done: Done) -> None:
        """Start an exchange; `done` is called once, with its result or its error."""
        self._alive += 1
        self._ready.append((_Task(exchange, done), None, None))

    def detach(self, step: Step, done: Done) -> None:
        """Start a step that nobody waits for: `run` gives it a little time at the end, and then leaves it alone."""
        ticket = next(self._tickets)
        self._background.add(ticket)
        self._running[ticket] = _Task(_ignore(), done)
        self._executor.submit(ticket, step)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call after that time; a call whose time has not come when every exchange ended is dropped."""
        heapq.heappush(self._timers, (self._clock.monotonic() + seconds, next(self._tickets), call))

    def run(self, *, linger: float = 2.0) -> None:
        """Run until every exchange ended. Detached steps get at most `linger` seconds more."""
        self._step_ready()
        while self._alive:
            self._wait_for_more(None)
            self._step_ready()
        deadline = self._clock.monotonic() + linger
        while self._background and (left := deadline - self._clock.monotonic()) > 0:
            self._wait_for_more(left)
            self._step_ready()

    def _step_ready(self) -> None:
        while self._ready:
            self._advance(*self._ready.popleft())

    def _wait_for_more(self, bound: float | None) -> None:
        """Wait for a timer or for a step that ended, at most `bound` seconds."""
        now = self._clock.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
        if self._ready:
            return
        limits = [bound] if bound is not None else []
        limits += [max(0.0, self._timers[0][0] - now)] if self._timers else []
        if not limits and not self._running:
            raise AssertionError(f"{self._alive} exchanges wait for a signal that nobody will set")
        completion = self._executor.next(min(limits, default=None))
        if completion is None:
            return
        task = self._running.pop(completion.ticket)
        if completion.ticket in self._background:
            self._background.discard(completion.ticket)
            task.done(completion.value, completion.error)
        else:
            self._ready.append((task, completion.value, completion.error))

    def _advance(self, task: _Task, value: object, error: Exception | None) -> None:
        try:
            step = task.exchange.send(value) if error is None else task.exchange.throw(error)
        except StopIteration as stop:
            self._alive -= 1
            task.done(stop.value, None)
        except Exception as failure:  # noqa: BLE001 - an exchange's failure belongs to whoever spawned it
            self._alive -= 1
            task.done(None, failure)
        else:
            self._take(task, step)

    def _take(self, task: _Task, step: Step) -> None:
        match step:
            case Sleep(seconds):
                self.later(seconds, partial(self._resume, task, None, None))
            case Now():
                self._resume(task, self._clock.monotonic(), None)
            case Wait(signal):
                signal.when_set(lambda: self._resume(task, None, signal.error))
            case Together(exchanges):
                self._fan_out(task, tuple(exchanges))
            case _:
                ticket = next(self._tickets)
                self._running[ticket] = task
                self._executor.submit(ticket, step)

    def _resume(self, task: _Task, value: object, error: Exception | None) -> None:
        self._ready.append((task, value, error))

    def _fan_out(self, parent: _Task, exchanges: tuple[Exchange[object], ...]) -> None:
        results: list[object] = [None] * len(exchanges)
        errors: list[Exception | None] = [None] * len(exchanges)
        left = len(exchanges)
        if not left:
            self._resume(parent, (), None)

        def ended(index: int, value: object, error: Exception | None) -> None:
            nonlocal left
            results[index], errors[index] = value, error
            left -= 1
            if not left:
                first = next((item for item in errors if item is not None), None)
                self._resume(parent, tuple(results), first)

        for index, exchange in enumerate(exchanges):
            self.spawn(exchange, partial(ended, index))


def _ignore() -> Exchange[None]:
    return
    yield
