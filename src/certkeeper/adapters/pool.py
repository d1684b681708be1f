"""A bounded pool of threads that carry out one step each and share nothing."""

import threading
import traceback
from itertools import count
from queue import Empty, PriorityQueue, SimpleQueue

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.apply.effects import Effect
from certkeeper.apply.ports import Completion, Ports
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.wire import Request, Step

WIDTH = 16


class Pool:
    """Implements the port Executor.

    Urgent steps go first, the others in the order in which they come. Threads start when there is work for them, and
    are daemons: a step that hangs in the kernel cannot hold the exit.
    """

    def __init__(self, ports: Ports, width: int = WIDTH) -> None:
        self._ports = ports
        self._width = width
        self._threads = 0
        self._open = 0
        self._turns = count()
        self._todo: PriorityQueue[tuple[bool, int, int, Step]] = PriorityQueue()
        self._ended: SimpleQueue[Completion | None] = SimpleQueue()

    def submit(self, ticket: int, step: Step) -> None:
        self._open += 1
        waits = not (isinstance(step, Effect) and step.urgent)
        self._todo.put((waits, next(self._turns), ticket, step))
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
            *_, ticket, step = self._todo.get()
            self._ended.put(self._perform(ticket, step))

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
