from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from builders.fakes import FakeClock, SeededExecutor
from certkeeper.apply.scheduler import Done, Scheduler, Signal, monotonic, wait
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.wire import Exchange, Step, pause, together


@dataclass(frozen=True, slots=True)
class Work(Step):
    """A step that takes `seconds`, and ends with its name or an error."""

    name: str
    seconds: float = 1.0
    error: Exception | None = None


@dataclass(slots=True)
class Stage:
    """A scheduler, its world, and what ended when: (name, result or error's text, seconds)."""

    clock: FakeClock = field(default_factory=FakeClock)
    ended: list[tuple[str, object, float]] = field(default_factory=list)
    executor: SeededExecutor = field(init=False)
    scheduler: Scheduler = field(init=False)

    def __post_init__(self) -> None:
        self.executor = SeededExecutor(_perform, self.clock, latency=_seconds)
        self.scheduler = Scheduler(self.executor, self.clock)

    def done(self, name: str) -> Done:
        def note(value: object, error: Exception | None) -> None:
            self.ended.append((name, value if error is None else str(error), self.clock.seconds))

        return note

    def spawn(self, name: str, exchange: Exchange[object]) -> None:
        self.scheduler.spawn(exchange, self.done(name))

    def note(self, name: str) -> Callable[[], None]:
        return lambda: self.ended.append((name, None, self.clock.seconds))

    def run(self) -> list[tuple[str, object, float]]:
        self.scheduler.run()
        return self.ended


def _perform(step: Step) -> object:
    assert isinstance(step, Work)
    if step.error is not None:
        raise step.error
    return step.name


def _seconds(step: Step) -> float:
    assert isinstance(step, Work)
    return step.seconds


def work(name: str, seconds: float = 1.0, error: Exception | None = None) -> Exchange[object]:
    return (yield Work(name, seconds, error))


def in_turn(*exchanges: Exchange[object]) -> Exchange[object]:
    results: list[object] = []
    for exchange in exchanges:
        result = yield from exchange
        results += [result]
    return results


def oops() -> Exchange[object]:
    yield from pause(0)
    raise ValueError("oops")


def waiting(signal: Signal) -> Exchange[object]:
    yield from wait(signal)
    return "woken"


def test_nothing_to_do_ends_at_once() -> None:
    assert Stage().run() == []


def test_an_exchange_gets_what_its_steps_return() -> None:
    stage = Stage()
    stage.spawn("x", in_turn(work("a"), work("b", 2)))
    assert stage.run() == [("x", ["a", "b"], 3.0)]


def test_exchanges_run_side_by_side() -> None:
    stage = Stage()
    stage.spawn("long", work("a", 5))
    stage.spawn("short", work("b", 3))
    assert stage.run() == [("short", "b", 3.0), ("long", "a", 5.0)]


def test_a_steps_error_is_thrown_where_it_was_asked_for() -> None:
    def careful() -> Exchange[object]:
        try:
            yield from work("a", 1, CertkeeperError("no"))
        except CertkeeperError as error:
            return f"caught {error}"
        return "nothing"

    stage = Stage()
    stage.spawn("careful", careful())
    stage.spawn("careless", work("b", 2, CertkeeperError("no")))
    assert stage.run() == [("careful", "caught no", 1.0), ("careless", "no", 2.0)]


def test_a_failing_exchange_stops_no_other() -> None:
    stage = Stage()
    stage.spawn("bad", in_turn(work("a", 1), oops()))
    stage.spawn("good", work("b", 2))
    assert stage.run() == [("bad", "oops", 1.0), ("good", "b", 2.0)]


def test_a_pause_takes_its_time_and_no_step() -> None:
    stage = Stage()
    stage.spawn("x", in_turn(pause(7), monotonic()))
    assert stage.run() == [("x", [None, 7.0], 7.0)]
    assert stage.executor.performed == []


def test_together_gives_results_in_order_whatever_ends_first() -> None:
    stage = Stage()
    stage.spawn("x", together([work("a", 3), work("b", 1), pause(2)]))
    assert stage.run() == [("x", ("a", "b", None), 3.0)]


def test_together_of_nothing_is_nothing() -> None:
    stage = Stage()
    stage.spawn("x", in_turn(together([]), work("a")))
    assert stage.run() == [("x", [(), "a"], 1.0)]


def test_together_throws_the_first_failure_in_order_after_all_ended() -> None:
    stage = Stage()
    exchanges = [
        in_turn(work("a", 4), work("b", 1)),
        work("c", 3, CertkeeperError("late but first in order")),
        work("d", 1, CertkeeperError("early")),
    ]
    stage.spawn("x", together(exchanges))
    assert stage.run() == [("x", "late but first in order", 5.0)]


def test_together_inside_together() -> None:
    stage = Stage()
    stage.spawn("x", together([together([work("a"), work("b", 2)]), together([work("c", 3)])]))
    assert stage.run() == [("x", (("a", "b"), ("c",)), 3.0)]


def test_a_signal_wakes_everybody_who_waits() -> None:
    stage, signal = Stage(), Signal()
    stage.spawn("one", waiting(signal))
    stage.spawn("two", waiting(signal))
    stage.scheduler.later(2, signal.set)
    assert stage.run() == [("one", "woken", 2.0), ("two", "woken", 2.0)]


def test_who_comes_after_the_signal_does_not_wait() -> None:
    stage, signal = Stage(), Signal()
    signal.set()
    stage.spawn("x", waiting(signal))
    assert stage.run() == [("x", "woken", 0.0)]


def test_a_signals_error_is_thrown_where_they_wait_and_only_the_first_call_counts() -> None:
    stage, signal = Stage(), Signal()
    stage.spawn("before", waiting(signal))
    stage.scheduler.later(1, lambda: signal.set(CertkeeperError("first")))
    stage.scheduler.later(2, signal.set)
    stage.spawn("after", in_turn(pause(3), waiting(signal)))
    assert stage.run() == [("before", "first", 1.0), ("after", "first", 3.0)]


def test_calls_come_in_the_order_of_their_times() -> None:
    stage = Stage()
    for seconds in (3, 1, 2):
        stage.scheduler.later(seconds, stage.note(f"at {seconds}"))
    stage.spawn("x", pause(5))
    assert stage.run() == [("at 1", None, 1.0), ("at 2", None, 2.0), ("at 3", None, 3.0), ("x", None, 5.0)]


def test_calls_whose_time_has_not_come_at_the_end_are_dropped() -> None:
    stage = Stage()
    stage.scheduler.later(100, stage.note("too late"))
    stage.spawn("x", work("a", 1))
    assert stage.run() == [("x", "a", 1.0)]
    assert stage.clock.seconds == 1.0


def test_done_may_spawn_more() -> None:
    stage = Stage()

    def more(_value: object, _error: Exception | None) -> None:
        stage.spawn("second", work("b"))

    stage.scheduler.spawn(work("a"), more)
    assert stage.run() == [("second", "b", 2.0)]


def test_a_detached_step_that_ends_soon_is_told() -> None:
    stage = Stage()
    stage.spawn("x", work("a", 1))
    stage.scheduler.detach(Work("background", 2), stage.done("background"))
    assert stage.run() == [("x", "a", 1.0), ("background", "background", 2.0)]


def test_a_detached_steps_error_is_told_too() -> None:
    stage = Stage()
    stage.spawn("x", work("a", 2))
    stage.scheduler.detach(Work("background", 1, CertkeeperError("no")), stage.done("background"))
    assert stage.run() == [("background", "no", 1.0), ("x", "a", 2.0)]


def test_a_detached_step_holds_the_run_no_longer_than_linger() -> None:
    stage = Stage()
    stage.spawn("x", work("a", 1))
    stage.scheduler.detach(Work("background", 60), stage.done("background"))
    stage.scheduler.run(linger=2.0)
    assert stage.ended == [("x", "a", 1.0)]
    assert stage.clock.seconds == 3.0


def test_a_timer_does_not_cut_the_linger_short() -> None:
    stage = Stage()
    stage.scheduler.later(2, lambda: None)
    stage.scheduler.detach(Work("background", 2.5), stage.done("background"))
    stage.spawn("x", work("a", 1))
    assert stage.run() == [("x", "a", 1.0), ("background", "background", 2.5)]


def test_calls_are_dropped_also_while_a_detached_step_lingers() -> None:
    stage = Stage()
    stage.scheduler.later(2, stage.note("too late"))
    stage.scheduler.detach(Work("background", 60), stage.done("background"))
    stage.spawn("x", work("a", 1))
    assert stage.run() == [("x", "a", 1.0)]


def test_waiting_for_a_signal_that_nobody_sets_is_found_out() -> None:
    stage = Stage()
    stage.spawn("x", waiting(Signal()))
    stage.spawn("y", work("a", 1))
    with pytest.raises(AssertionError, match="1 exchanges wait for a signal that nobody will set"):
        stage.run()
    assert stage.ended == [("y", "a", 1.0)]


def test_it_is_found_out_also_where_timers_are_left() -> None:
    stage = Stage()
    stage.scheduler.later(5, lambda: None)
    stage.spawn("x", waiting(Signal()))
    with pytest.raises(AssertionError, match="signal that nobody will set"):
        stage.run()


@pytest.mark.parametrize("seed", range(5))
def test_a_hundred_exchanges_end_once_each_in_any_order(seed: int) -> None:
    clock = FakeClock()
    scheduler = Scheduler(SeededExecutor(_perform, clock, seed), clock)
    ended: list[object] = []
    for at in range(100):
        exchange = in_turn(work(f"{at}a"), together([work(f"{at}b"), pause(0.05)]), work(f"{at}c"))
        scheduler.spawn(exchange, lambda value, _: ended.append(value))
    scheduler.run()
    assert len(ended) == 100
    assert ended != sorted(ended, key=str)
