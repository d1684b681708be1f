from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.times import RETRY_AFTER_MAX, duration_text, from_epoch, iso, parse_retry_after

NOW = datetime(2026, 11, 23, 20, 15, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta(0)),
        ("3", timedelta(seconds=3)),
        (" 120 ", timedelta(minutes=2)),
        ("0060", timedelta(minutes=1)),
        ("86400", DAY),
        ("86401", DAY),
        ("999999999", DAY),
        ("1" + "0" * 5000, DAY),
        ("Mon, 23 Nov 2026 20:15:42 GMT", timedelta(seconds=42)),
        ("Mon, 23 Nov 2026 20:15:42 +0000", timedelta(seconds=42)),
        ("Mon, 23 Nov 2026 21:16:00 +0100", timedelta(minutes=1)),
        ("Monday, 23-Nov-26 20:16:00 GMT", timedelta(minutes=1)),
        ("Mon Nov 23 20:16:00 2026", timedelta(minutes=1)),
        ("Mon, 23 Nov 2026 20:14:00 GMT", timedelta(0)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", timedelta(0)),
        ("Tue, 23 Nov 2027 20:15:00 GMT", DAY),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
    ],
)
def test_both_forms_of_retry_after_are_read_and_bounded(value: str, wait: timedelta) -> None:
    assert parse_retry_after(value, NOW) == wait


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "-1",
        "+5",
        "1.5",
        "1e3",
        "0x10",
        "٣",
        "²",
        "soon",
        "5 seconds",
        "2026-11-23T20:15:42Z",
        "Mon, 99 Nov 2026 20:15:42 GMT",
        "Mon, 23 Foo 2026 20:15:42 GMT",
        "\0",
    ],
)
def test_what_is_neither_form_says_nothing(value: str) -> None:
    assert parse_retry_after(value, NOW) is None


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("Mon, 23 Nov 99999999999999999999 20:15:42 GMT", id="year"),
        pytest.param("Mon, 23 Nov 2026 99999999999999999999:15:42 GMT", id="hour"),
        pytest.param("Mon, 23 Nov 2026 20:15:42 +99999999999999999999", id="zone"),
    ],
)
def test_a_date_beyond_all_numbers_says_nothing(value: str) -> None:
    assert parse_retry_after(value, NOW) is None


NUMBERS = st.integers(-(10**6), 10**6).map(str)
DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "", "Frogday", "Monday"]),
    NUMBERS,
    st.sampled_from(["Nov", "nov", "11", ""]),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.sampled_from(["GMT", "-0000", "+9999", "-9999", "UTC", "", "()", "EST"]),
)


@given(st.one_of(st.text('0123456789 ,:+-.()GMTonNvJ\t"\\<@>', max_size=40), st.text(max_size=30), DATES, NUMBERS))
def test_whatever_the_header_says_the_wait_is_none_or_within_a_day(value: str) -> None:
    wait = parse_retry_after(value, NOW)
    assert wait is None or timedelta(0) <= wait <= RETRY_AFTER_MAX == DAY


def test_instants_are_written_in_utc() -> None:
    assert iso(NOW) == "2026-11-23T20:15:00Z"
    assert iso(NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "2026-11-23T20:15:00Z"
    assert iso(NOW + timedelta(microseconds=999_999)) == "2026-11-23T20:15:00Z"
    assert from_epoch(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert iso(from_epoch(1_795_464_900)) == "2026-11-23T20:15:00Z"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 s"),
        (0.84, "0.8 s"),
        (42, "42 s"),
        (119, "119 s"),
        (120, "2 min"),
        (300, "5 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (172_799, "48 h"),
        (172_800, "2 days"),
        (61 * 86_400, "61 days"),
    ],
)
def test_a_span_is_told_as_a_person_would(seconds: float, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text
