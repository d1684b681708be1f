"""The margin is the page's: what is waited for besides TTLs. How far clocks may be apart is not its business."""

from datetime import UTC, datetime, timedelta

import pytest

from certkeeper.base.names import DnsName
from certkeeper.base.value import replace
from certkeeper.dane.age import SKEW, TlsaAge, grown, restarts
from certkeeper.dane.facts import MARGIN, Answer, Clocks, Place, Trust
from certkeeper.dane.gate import Hold, holds
from certkeeper.dane.tlsa import Tlsa, TlsaType

START = datetime(2027, 1, 1, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
TTL = 3600
OWNER = DnsName("_25._tcp.mail.example.org")
RECORD = Tlsa(3, 1, 1, b"r" * 32)
MARGINS = [timedelta(), SECOND, MARGIN, 48 * HOUR]


def place(margin: timedelta, signed_until: datetime | None = None) -> Place:
    answers = (Answer("ns1", frozenset({RECORD}), TTL, signed_until),)
    types = frozenset({TlsaType(3, 1, 1)})
    return Place(OWNER, frozenset({OWNER}), types, (), answers, Trust.SECURE, margin=margin)


def aged(margin: timedelta) -> TlsaAge:
    return grown(None, place(margin), Clocks(START))


def reasons(place_: Place, clocks: Clocks) -> list[str]:
    return [hold.reason for hold in all_holds(place_, clocks)]


def all_holds(place_: Place, clocks: Clocks) -> list[Hold]:
    return list(holds(place_, grown(None, place_, clocks), clocks))


def test_it_is_an_hour_where_nobody_says_otherwise() -> None:
    assert MARGIN == HOUR
    assert place(MARGIN) == Place(
        OWNER, frozenset({OWNER}), place(MARGIN).types, (), place(MARGIN).answers, Trust.SECURE
    )


@pytest.mark.parametrize("margin", MARGINS)
def test_a_record_is_safe_after_two_lives_and_the_margin(margin: timedelta) -> None:
    age, safe = aged(margin), START + 2 * HOUR + margin
    assert age.safe(RECORD, safe)
    assert not age.safe(RECORD, safe - SECOND)


@pytest.mark.parametrize("margin", MARGINS)
def test_a_record_that_is_gone_lingers_as_long(margin: timedelta) -> None:
    assert aged(margin).lingering == {RECORD: START + 2 * HOUR + margin}
    gone = replace(place(margin), answers=(Answer("ns1", frozenset(), 0),))
    assert RECORD in grown(aged(margin), gone, Clocks(START + 2 * HOUR + margin)).lingering
    assert RECORD not in grown(aged(margin), gone, Clocks(START + 2 * HOUR + margin + SECOND)).lingering


@pytest.mark.parametrize("margin", MARGINS)
def test_a_ttl_that_was_lowered_counts_as_long(margin: timedelta) -> None:
    lower = replace(place(margin), answers=(Answer("ns1", frozenset({RECORD}), 60),), ttls=(60,))
    assert grown(aged(margin), lower, Clocks(START + 2 * HOUR + margin)).bound == TTL
    assert grown(aged(margin), lower, Clocks(START + 2 * HOUR + margin + SECOND)).bound == 60


def test_the_page_s_margin_of_today_counts_for_what_stood_before() -> None:
    longer = grown(aged(MARGIN), place(9 * HOUR), Clocks(START + HOUR))
    assert longer.standing[RECORD].since == START
    assert longer.standing[RECORD].safe_at == START + 11 * HOUR
    assert grown(longer, place(timedelta()), Clocks(START + HOUR)).standing[RECORD].safe_at == START + 2 * HOUR


@pytest.mark.parametrize("margin", MARGINS)
def test_a_signature_has_to_last_as_long(margin: timedelta) -> None:
    needed = START + 2 * HOUR + margin
    assert reasons(place(margin, needed), Clocks(START)) == ["the signature at ns1 ends too soon"]
    assert reasons(place(margin, needed + SECOND), Clocks(START)) == []


@pytest.mark.parametrize("margin", MARGINS)
def test_clocks_may_be_an_hour_apart_whatever_it_is(margin: timedelta) -> None:
    assert SKEW < HOUR
    assert reasons(place(margin), Clocks(START, (START + SKEW,))) == []
    (reason,) = reasons(place(margin), Clocks(START, (START + SKEW + SECOND,)))
    assert "clock" in reason
    ahead = replace(aged(margin), at=START + SKEW)
    assert restarts(ahead, place(margin), Clocks(START)) == ""
    assert restarts(ahead, place(margin), Clocks(START - SECOND)) == "the clock went back"
