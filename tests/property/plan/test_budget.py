"""A bucket of orders: it never holds more than the rate, never less than nothing, and lets no more through."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NOW
from builders.plans import CA
from certkeeper.config.rate import OrderRate
from certkeeper.plan.budget import left_now, ready_at, spent
from certkeeper.plan.records import OrderBudget

rates = st.builds(OrderRate, st.integers(1, 1000), st.timedeltas(timedelta(seconds=1), timedelta(days=7)))
steps = st.lists(st.timedeltas(timedelta(0), timedelta(days=2)), max_size=60)


@given(rates, steps)
def test_no_window_lets_more_through_than_the_rate_and_a_full_bucket(rate: OrderRate, waits: list[timedelta]) -> None:
    budget, now, taken = None, NOW, 0
    for wait in waits:
        now += wait
        left = left_now(budget, rate, now)
        assert 0 <= left <= rate.orders
        if left >= 1:
            budget, taken = spent(budget, CA, rate, now), taken + 1
    assert taken <= rate.orders + (now - NOW) / rate.span * rate.orders + 1e-3


@given(rates, st.floats(-5, 2000), st.integers(1, 1000), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_when_it_is_said_to_be_ready_it_is(rate: OrderRate, left: float, orders: int, passed: timedelta) -> None:
    budget = OrderBudget(CA, left, NOW)
    at = ready_at(budget, rate, NOW + passed, orders)
    assert at >= NOW + passed
    if orders <= rate.orders:
        assert left_now(budget, rate, at + timedelta(milliseconds=1)) >= orders - 1e-3


@given(rates, st.integers(0, 20))
def test_a_clock_that_was_stepped_back_gives_nothing_away(rate: OrderRate, days: int) -> None:
    budget = OrderBudget(CA, 0.5, NOW + timedelta(days=days))
    assert left_now(budget, rate, NOW) == min(0.5, rate.orders)
    assert spent(budget, CA, rate, NOW).left == 0
