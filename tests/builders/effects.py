"""Kills and failures before any chosen call into the system, without a seam in the code under test.

The interpreter tells a profile function before it calls a built-in function; that is where the call is counted,
refused or never reached. A kill happens in a forked child, which is gone without any clean-up.
"""

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, FrameType

KILLED = 99
# What changes something that another process, or the next run, can see. A kill before an `open` or an `fsync` leaves
# what a kill before the next of these leaves.
CHANGES = frozenset({"write", "rename", "link", "symlink", "unlink", "mkdir", "rmdir", "ftruncate", "fchmod", "fchown"})
# What can fail.
EFFECTS = CHANGES | {"open", "fsync"}

Act = Callable[[str, FrameType], None]


@contextmanager
def watched(act: Act, effects: frozenset[str] = EFFECTS) -> Iterator[None]:
    """Call `act` with the name and the caller's frame, before each effect."""

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event != "c_call" or not isinstance(argument, BuiltinFunctionType):
            return
        if argument.__module__ == "posix" and argument.__name__ in effects:
            act(argument.__name__, frame)

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)


def recorded(action: Callable[[], object]) -> list[str]:
    """The names of the effects that an action has, in order."""
    names: list[str] = []
    with watched(lambda name, _: names.append(name)):
        action()
    return names


def killed_before(number: int, action: Callable[[], object]) -> bool:
    """Run an action in a child that dies before its change of that number (from 0); False if it ended by itself."""

    def child() -> None:
        count = 0

        def act(_: str, __: FrameType) -> None:
            nonlocal count
            if count == number:
                os._exit(KILLED)
            count += 1

        with watched(act, CHANGES):
            action()

    code = in_child(child)
    assert code in {0, KILLED}, f"the child failed by itself, before change {number}: {code}"
    return code == KILLED


def failing_at(number: int, code: int, action: Callable[[], object]) -> bool:
    """Run an action whose effect of that number (from 0) fails with that errno; False if it had fewer effects."""
    count = 0

    def act(_: str, __: FrameType) -> None:
        nonlocal count
        count += 1
        if count == number + 1:
            raise OSError(code, os.strerror(code))

    with watched(act):
        action()
    return count > number


def in_child(action: Callable[[], object]) -> int:
    """The exit code of a forked child that does this: 0, or 1 where it raised."""
    return ended(started(action))


def started(action: Callable[[], object]) -> int:
    """The process id of a forked child that does this."""
    with warnings.catch_warnings():
        # The threads of the test runner are idle, and the child only touches files.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            action()
            code = 0
        except Exception:  # noqa: BLE001 - the parent only sees the code, people see the text
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
