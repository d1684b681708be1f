from datetime import timedelta

from certkeeper.apply.progress import MANY, Progress
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.progress import Advanced
from certkeeper.plan.actions import Postponed


def after(progress: Progress, issued: int, now: float) -> Advanced | None:
    for _ in range(issued):
        progress.ended(None)
    return progress.look(now)


def test_how_many_how_quick_and_how_long_still() -> None:
    progress = Progress(1000, 100.0)
    assert after(progress, 40, 100.9) is None
    assert after(progress, 10, 101.0) == Advanced(50, 0, 0, 1000, 1.0, 50.0, timedelta(seconds=19))
    assert progress.look(101.9) is None
    progress.ended(CertkeeperError("no"))
    progress.ended(Postponed("later"))
    told = progress.look(102.0)
    assert told is not None
    assert (told.issued, told.failed, told.postponed, told.rate) == (50, 1, 1, 26.0)


def test_the_rate_is_of_the_last_minute() -> None:
    progress = Progress(100_000, 0.0)
    told = None
    for second in range(1, 301):
        told = after(progress, 100 if second <= 200 else 10, float(second))
    assert told is not None
    assert (told.issued, told.seconds, told.rate) == (21_000, 300.0, 10.0)


def test_nothing_is_foretold_while_nothing_has_ended() -> None:
    told = Progress(1000, 0.0).look(5.0)
    assert told is not None
    assert (told.rate, told.left) == (0.0, None)


def test_few_orders_are_told_by_themselves_and_so_is_the_end() -> None:
    assert after(Progress(MANY - 1, 0.0), 5, 30.0) is None
    assert after(Progress(MANY, 0.0), 5, 30.0) is not None
    assert after(Progress(MANY, 0.0), MANY, 30.0) is None
