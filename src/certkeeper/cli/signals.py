"""Signals during a run: the first one asks for an orderly end, the second one gets its way at once."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from certkeeper.base.errors import ExitCode

_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


class Terminated(KeyboardInterrupt):
    """SIGTERM where there is nothing to put in order yet."""


@contextmanager
def orderly(ask: Callable[[ExitCode], None]) -> Iterator[None]:
    """While this lasts, the first SIGINT or SIGTERM calls `ask`, the second one ends the process. SIGHUP is ignored:
    a terminal that goes away, or a reload of somebody's, is no reason to leave a run half done.
    """
    asked = False

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        code = _CODES[signal.Signals(number)]
        if asked:
            os._exit(code)
        asked = True
        ask(code)

    before = {number: signal.signal(number, handle) for number in _CODES}
    # A handler that does nothing, since what is ignored would be ignored by hooks and what they start, too.
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda _number, _frame: None)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def raise_terminated() -> None:
    """From now on SIGTERM unwinds the program as SIGINT does, so that locks are released; a terminal that goes away
    ends nothing.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, handle)
    # Somebody may have asked for a run that outlives the terminal (nohup); what is ignored stays ignored.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda _number, _frame: None)
