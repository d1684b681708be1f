"""A bounded pool of threads that carry out one step each and share nothing."""

import threading
import traceback
from collections import deque
from queue import Empty, SimpleQueue

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.apply.effects import Effect, Turn
from certkeeper.apply.ports import Completion, Ports
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.wire import Request, Step

WIDTH = 16
LOOKS = 12
"""So many questions to name servers are under way at a time: were all of them silent, the rest would still go on."""


class Pool:
    """Implements the port Executor.

    Steps go in the order of their turns, within one in the order in which they come. Threads start when there is work
    for them, and are daemons: a step that hangs in the kernel cannot hold the exit.
    """

    def __init__(self, ports: Ports, width: int = WIDTH, looks: int = LOOKS) -> None:
        self._ports = ports
        self._width = width
        self._room_for_looks = looks
        self._threads = 0
        self._open = 0
        self._lock = threading.Lock()
        self._todo: dict[Turn, deque[tuple[int, Step]]] = {turn: deque() for turn in Turn}
        self._waiting: SimpleQueue[None] = SimpleQueue()
        """One item for each step that may be taken, so that whoever gets one finds a step, or only looks."""
        self._ended: SimpleQueue[Completion | None] = SimpleQueue()

    def submit(self, ticket: int, step: Step) -> None:
        self._open += 1
        with self._lock:
            self._todo[step.turn if isinstance(step, Effect) else Turn.ORDINARY].append((ticket, step))
        self._waiting.put(None)
        if self._threads < min(self._width, self._open):
            self._threads += 1
            threading.Thread(target=self._work, name=f"effect-{self._threads}", daemon=True).start()

    def next(self, timeout: float | None) -> Completion | None:
        try:
            completion = self._ended.get(timeout=timeout)
        except Empty:
            return None
        if completion is not None:
            self._open -= 1
        return completion

    def wake(self) -> None:
        self._ended.put(None)

    def _work(self) -> None:
        while True:
            self._waiting.get()
            if (taken := self._take()) is None:
                continue
            turn, ticket, step = taken
            self._ended.put(self._perform(ticket, step))
            if turn is Turn.LOOK:
                self._make_room()

    def _take(self) -> tuple[Turn, int, Step] | None:
        """None where only looks are left and there is no room for one: who makes room puts them up again."""
        with self._lock:
            for turn, steps in self._todo.items():
                if steps and (turn is not Turn.LOOK or self._room_for_looks):
                    self._room_for_looks -= turn is Turn.LOOK
                    return turn, *steps.popleft()
            return None

    def _make_room(self) -> None:
        with self._lock:
            self._room_for_looks += 1
            left = bool(self._todo[Turn.LOOK])
        if left:
            self._waiting.put(None)

    def _perform(self, ticket: int, step: Step) -> Completion:
        try:
            if isinstance(step, Request):
                return Completion(ticket, self._ports.http.send(step))
            if isinstance(step, Effect):
                return Completion(ticket, step.perform(self._ports))
        except CertkeeperError as error:
            return Completion(ticket, error=error)
        except Exception as error:  # noqa: BLE001 - a fault in one effect must not take the other lineages down
            return Completion(ticket, error=out_of_descriptors(type(step).__name__, error) or _internal(step, error))
        return Completion(ticket, error=_internal(step, TypeError("not an effect")))


def _internal(step: Step, error: Exception) -> CertkeeperError:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    named = CertkeeperError(
        f"internal error in {type(step).__name__}: {type(error).__name__}: {error}{where}",
        hint="this is a bug: please report it",
    )
    named.__cause__ = error
    return named
