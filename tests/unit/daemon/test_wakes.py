import pytest

from certkeeper.daemon.wakes import Ended, Moment, after, next_at, reason

EVERY = 6 * 3600.0
END = Moment(1_000_000.0, 500.0)


def later(seconds: float, set_by: float = 0) -> Moment:
    return Moment(END.wall + seconds + set_by, END.steady + seconds)


@pytest.mark.parametrize(
    ("due", "moment", "why"),
    [
        (None, later(59), ""),
        (None, later(EVERY - 1), ""),
        (None, later(EVERY), "it is time to look"),
        (END.wall + 1000, later(999), ""),
        (END.wall + 1000, later(1000), "something is due"),
        (END.wall + 10, later(10), ""),
        (END.wall + 10, later(60), "something is due"),
        (None, later(10, set_by=61), "the clock was set"),
        (None, later(10, set_by=-61), "the clock was set"),
        (None, later(10, set_by=59), ""),
    ],
)
def test_why_a_run_starts(due: float | None, moment: Moment, why: str) -> None:
    assert reason(Ended(END, due), moment, EVERY) == why


def test_when_it_starts_is_known_before() -> None:
    assert next_at(Ended(END), later(100), EVERY) == END.wall + EVERY
    assert next_at(Ended(END, END.wall + 1000), later(100), EVERY) == END.wall + 1000
    assert next_at(Ended(END, END.wall + 10), later(5), EVERY) == END.wall + 60


def test_pauses_grow_only_while_something_is_due_at_once() -> None:
    ended = None
    for pause in (120, 240, 480, 960, 1920, 3600, 3600):
        ended = after(ended, 1, END.wall, END)
        assert ended.pause == pause
    assert after(ended, 0, END.wall + 5000, END).pause == 60


def test_what_crashed_is_tried_again() -> None:
    assert after(None, 139, None, END).due == END.wall + 600
    assert after(None, 2, None, END).due is None
