"""What happened lately, as history has it."""

from collections.abc import Iterable, Iterator
from itertools import islice

from certkeeper.cli.report.model import Happened, Mood
from certkeeper.cli.report.wording import said
from certkeeper.plan.history import PROBLEMS, Happening, Kind

MOST = 40
_WAITS = frozenset({Kind.ORDERED, Kind.STAGED, Kind.HELD})
_SHOWN_NAMES = 3


def latest(happenings: Iterable[Happening]) -> Iterator[Happened]:
    """The newest ones, which come first."""
    for item in islice(happenings, MOST):
        mood = Mood.WRONG if item.kind in PROBLEMS else Mood.WAITS if item.kind in _WAITS else Mood.GOOD
        rest = len(item.certificates) - _SHOWN_NAMES
        names = ", ".join(item.certificates[:_SHOWN_NAMES]) + (f" and {rest} more" if rest > 0 else "")
        about = f"{item.about}: " if item.about else ""
        yield Happened(item.at, mood, names, item.kind.value.replace("-", " "), said(f"{about}{item.text}"))
