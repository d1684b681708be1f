"""One exchange by itself, run to its end: for commands that talk to a CA and issue nothing."""

from typing import Generic, Protocol, TypeVar, cast

from certkeeper.apply.ports import Clock, Executor
from certkeeper.apply.scheduler import Scheduler
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.wire import Exchange

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Work(Protocol[_T_co]):
    """What a command has done by the engine."""

    def interrupt(self, error: Interrupted, /) -> None:
        """End early, but for what is owed. Safe in a signal handler."""

    def run(self) -> _T_co: ...


class Conversation(Generic[_T]):
    """`run` gives what the exchange returns, or raises what it raises."""

    def __init__(self, exchange: Exchange[_T], *, executor: Executor, clock: Clock) -> None:
        self._scheduler = Scheduler(executor, clock)
        self._exchange = exchange
        self._value: object = None
        self._error: Exception | None = None

    def interrupt(self, error: CertkeeperError) -> None:
        """End early, but for what is owed. Safe in a signal handler."""
        self._error = error
        self._scheduler.interrupt(error)

    def run(self) -> _T:
        self._scheduler.spawn(self._exchange, self._ended)
        self._scheduler.run()
        if self._error is not None:
            raise self._error
        return cast("_T", self._value)

    def _ended(self, value: object, error: Exception | None) -> None:
        self._value, self._error = value, error
