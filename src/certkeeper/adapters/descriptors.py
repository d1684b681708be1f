"""File descriptors that have run out (EMFILE, ENFILE), told as that whatever a library in between makes of it."""

import errno
import os

from certkeeper.base.errors import OutOfDescriptors

NUMBERS = frozenset({errno.EMFILE, errno.ENFILE})
_SPARE = 8
"""Where fewer are left, another thread may have had the last one a moment ago."""
_WORDS = frozenset(os.strerror(number) for number in NUMBERS)


def out_of_descriptors(subject: str, error: BaseException) -> OutOfDescriptors | None:
    """What to raise where that error comes of it; None where it comes of something else."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        found = todo.pop()
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, OSError) and found.errno in NUMBERS:
            return OutOfDescriptors(subject)
        # The dynamic loader hands on the words alone.
        if isinstance(found, ImportError) and any(words in str(found) for words in _WORDS):
            return OutOfDescriptors(subject)
        todo += [found.__cause__, found.__context__, *found.args]
    return None


def perhaps_out_of_descriptors(subject: str, error: BaseException) -> OutOfDescriptors | None:
    """The same for an error of a library that does not hand on why: then it counts that hardly any are left."""
    return out_of_descriptors(subject, error) or (OutOfDescriptors(subject) if _hardly_any_left() else None)


def _hardly_any_left() -> bool:
    import resource  # noqa: PLC0415 - only where something failed

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        # One of the names is that of the listing itself.
        used = len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - names only
    except OSError as error:
        return error.errno in NUMBERS
    return limit != resource.RLIM_INFINITY and limit - used < _SPARE
