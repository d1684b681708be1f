import threading

import pytest

from certkeeper.adapters.watchdog import Watchdog

DEADLINE = 10.0


def test_what_takes_too_long_is_ended() -> None:
    ended = threading.Event()
    with Watchdog(0.05).watching(ended.set):
        assert ended.wait(DEADLINE)


def test_what_is_over_in_time_is_left_alone() -> None:
    watchdog, ended, last = Watchdog(0.05), threading.Event(), threading.Event()
    with watchdog.watching(ended.set):
        pass
    with watchdog.watching(last.set):
        assert last.wait(DEADLINE)
    assert not ended.is_set()


def test_each_of_many_is_watched_by_the_same_thread() -> None:
    watchdog = Watchdog(0.1)
    ended = [threading.Event() for _ in range(20)]
    before = threading.active_count()

    def work(mine: threading.Event, *, hang: bool) -> None:
        with watchdog.watching(mine.set):
            assert not hang or mine.wait(DEADLINE)

    workers = [
        threading.Thread(target=work, args=(event,), kwargs={"hang": bool(number % 2)})
        for number, event in enumerate(ended)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(DEADLINE)
    assert [event.is_set() for event in ended] == [bool(number % 2) for number in range(20)]
    assert threading.active_count() == before + 1


def test_work_that_raises_is_over() -> None:
    watchdog, ended, last = Watchdog(0.05), threading.Event(), threading.Event()
    with pytest.raises(ValueError, match="it failed"), watchdog.watching(ended.set):
        raise ValueError("it failed")
    with watchdog.watching(last.set):
        assert last.wait(DEADLINE)
    assert not ended.is_set()
