"""How an order is looked at until the CA is done with it."""

from datetime import timedelta

import pytest

from builders.ca import open_session, play
from certkeeper.acme.order import (
    OrderStatus,
    OrderTimeout,
    wait_while,
)
from unit.acme.orders import FIVE_MINUTES, URL, WAITING, order, order_reply


def test_polls_slow_down_from_a_fiftieth_of_a_second_to_ten_seconds() -> None:
    played = play(
        wait_while(open_session(), order(), WAITING, FIVE_MINUTES), [order_reply()] * 20 + [order_reply("ready")]
    )
    assert played.value.status is OrderStatus.READY
    assert played.pauses[:4] == pytest.approx([0.02, 0.03, 0.045, 0.0675])
    assert played.pauses[-1] == 10
    assert set(played.urls) == {"/order/1"}


@pytest.mark.parametrize("wait", ["3", "Mon, 23 Nov 2026 12:00:03 GMT"])
def test_the_cas_retry_after_sets_the_pace(wait: str) -> None:
    first = order(OrderStatus.PROCESSING, retry_after=timedelta(seconds=4))
    replies = [order_reply("processing", retry_after="3"), order_reply("valid")]
    assert play(wait_while(open_session(), first, WAITING, FIVE_MINUTES), replies).pauses == [4, 3]
    dated = [order_reply("processing", retry_after=wait), order_reply("valid")]
    assert play(wait_while(open_session(), order(), WAITING, FIVE_MINUTES), dated).pauses[1] == pytest.approx(3, abs=1)


def test_what_was_said_of_pacing_before_the_challenges_were_answered_does_not_count() -> None:
    first = order(retry_after=timedelta(seconds=60))
    assert play(wait_while(open_session(), first, WAITING, FIVE_MINUTES), [order_reply("ready")]).pauses == [0.02]


@pytest.mark.row("G23")
def test_waiting_is_bounded_and_the_last_question_comes_at_the_bound() -> None:
    played = play(
        wait_while(open_session(), order(), WAITING, timedelta(seconds=30)), lambda _: order_reply(retry_after="20")
    )
    assert isinstance(played.error, OrderTimeout)
    assert str(played.error) == f"order {URL}: still pending after 30 s"
    assert played.error.hint
    assert played.pauses == pytest.approx([0.02, 20, 9.98])


# A clock that is ahead of the CA's is enough for such dates.
@pytest.mark.parametrize("wait", ["0", "Mon, 23 Nov 2026 11:59:00 GMT"])
def test_a_retry_after_that_is_over_already_does_not_make_us_hammer(wait: str) -> None:
    played = play(
        wait_while(open_session(), order(), WAITING, FIVE_MINUTES),
        lambda _: order_reply("processing", retry_after=wait),
        limit=500,
    )
    assert isinstance(played.error, OrderTimeout)
    assert len(played.requests) < 100
