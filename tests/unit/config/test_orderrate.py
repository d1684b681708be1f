from datetime import timedelta

import pytest

from builders.plans import settings as plain
from certkeeper.config.authority import LETSENCRYPT, LETSENCRYPT_TEST
from certkeeper.config.errors import ConfigError
from certkeeper.config.orderrate import order_rate_at
from certkeeper.config.rate import OrderRate
from unit.config.pages import page

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("300/3h", OrderRate(300, 3 * HOUR)),
        (" 10 / 10s ", OrderRate(10, timedelta(seconds=10))),
        ("1/min", OrderRate(1, timedelta(minutes=1))),
        ("5000/7d", OrderRate(5000, timedelta(days=7))),
        ("no", OrderRate()),
        ("NO", OrderRate()),
        ("", None),
    ],
)
def test_a_rate_is_a_number_in_a_time(text: str, rate: OrderRate | None) -> None:
    assert page(f'ORDER_RATE="{text}"\n', "").settings.order_rate == rate


@pytest.mark.parametrize(
    "text", ["300", "0/3h", "3/0h", "-1/h", "3h/300", "300/3w", "1.5/h", "9999999/h", "yes", "3/h 4/d"]
)
def test_anything_else_is_an_error_at_its_line(text: str) -> None:
    with pytest.raises(ConfigError, match="ORDER_RATE") as caught:
        page(f'ORDER_RATE="{text}"\n', "")
    assert 'ORDER_RATE="300/3h"' in caught.value.hint


def test_only_lets_encrypts_rate_is_known() -> None:
    page_ = plain()
    assert order_rate_at(LETSENCRYPT, page_) == OrderRate(300, 3 * HOUR)
    assert order_rate_at(LETSENCRYPT_TEST, page_) == OrderRate(1500, 3 * HOUR)
    assert not order_rate_at("https://ca.test/directory", page_).bounded


@pytest.mark.parametrize("rate", [OrderRate(7), OrderRate()])
def test_the_operators_word_counts_for_every_ca(rate: OrderRate) -> None:
    page_ = page(f'ORDER_RATE="{"7/h" if rate.bounded else "no"}"\n', "").settings
    assert order_rate_at(LETSENCRYPT, page_) == rate
    assert order_rate_at("https://ca.test/directory", page_) == rate


def test_a_run_is_capped_by_a_number() -> None:
    assert page("", "").settings.run_limit == 0
    assert page('RUN_LIMIT="300"\n', "").settings.run_limit == 300
    with pytest.raises(ConfigError, match="RUN_LIMIT") as caught:
        page('RUN_LIMIT="300/3h"\n', "")
    assert 'RUN_LIMIT="300"' in caught.value.hint


def test_a_page_of_many_certificates_is_spread() -> None:
    few, many = ("".join(f"n{at}.example.org\n" for at in range(lines)) for lines in (100, 104))
    assert {spec.renew.spread.most for spec in page("", few).certificates} == {timedelta(0)}
    assert {spec.renew.spread.most for spec in page("", many).certificates} == {HOUR}
