"""What other machines say the time is: the Date of answers that were had anyway, from CAs and DNS providers' APIs."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock

from certkeeper.acme.directory import clock_behind
from certkeeper.base.wire import Response


class HeardClocks:
    """The last answer of each server that says when it wrote it. Threads share it."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._answers: dict[str, Response] = {}

    def hear(self, server: str, answer: Response) -> None:
        """Remember when a server says that it answered."""
        with self._guard:
            self._answers[server] = answer

    def others(self, now: datetime) -> Sequence[datetime]:
        """What their clocks show when ours shows `now`."""
        with self._guard:
            answers = tuple(self._answers.values())
        found = ((clock_behind(answer), answer) for answer in answers)
        return tuple(now + behind + _in_caches(answer) for behind, answer in found if behind is not None)


def _in_caches(answer: Response) -> timedelta:
    """For how long the answer lay in caches on its way (RFC 9111 §5.1)."""
    with suppress(ValueError, OverflowError):
        return timedelta(seconds=max(0, int(answer.header("age") or "0")))
    return timedelta()
