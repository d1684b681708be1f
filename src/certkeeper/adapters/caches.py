"""Caches in STATEDIR: files that may be deleted at any time; one that is of no use counts as none."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from certkeeper.adapters.files import Folder
from certkeeper.adapters.state import check_state, make_state
from certkeeper.base.errors import CertkeeperError

_T = TypeVar("_T")
USELESS = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, OSError, CertkeeperError)
"""What reading can end with where the content is not ours any more; times out of range are OSError or OverflowError."""


def read_cache(statedir: str, name: str, largest: int, parse: Callable[[bytes], _T]) -> _T | None:
    """What it says; None where it is missing or too large, or where others than we may have written it."""
    with suppress(CertkeeperError):
        check_state(statedir)
        with Folder.open(statedir) as folder:
            return parse(folder.read(name, largest))
    return None


def write_cache(statedir: str, name: str, content: bytes) -> None:
    """Put this in the place of what is there.

    Raises:
        StateRefused: the folder is not ours alone.
        FileTrouble: it cannot be written.
    """
    with make_state(statedir) as folder:
        folder.put(name, content)
        folder.sync()
