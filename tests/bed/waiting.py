"""Waiting for conditions. The only place of the bed that sleeps, and never longer than a poll interval."""

import time
from collections.abc import Callable
from typing import TypeVar

POLL = 0.02

T = TypeVar("T")


class DeadlinePassedError(AssertionError):
    """What was waited for did not come. An assertion, so that a test fails rather than errs."""


def wait_until(condition: Callable[[], T], what: str, *, deadline: float = 15.0, poll: float = POLL) -> T:
    """The first true value of the condition."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise DeadlinePassedError(f"not within {deadline:g} s: {what}")
        time.sleep(poll)


def stays_false(condition: Callable[[], object], *, during: float, poll: float = 0.1) -> bool:
    """Whether the condition is false all the time; ends early when it is not."""
    end = time.monotonic() + during
    while time.monotonic() < end:
        if condition():
            return False
        time.sleep(poll)
    return not condition()
