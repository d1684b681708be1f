"""When a CA wants a certificate renewed: names, windows, and how long not to ask again (RFC 9773)."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from builders.certificates import NOW
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.renewal_info import (
    RenewalInfo,
    Window,
    ask_again_after,
    cert_id,
    read_renewal_info,
    renewal_info_url,
)
from certkeeper.base.wire import Response

DAY = timedelta(days=1)
WINDOW = Window(datetime(2025, 1, 2, 4, tzinfo=UTC), datetime(2025, 1, 3, 4, tzinfo=UTC))
PAGE = "https://acme.example.com/docs/ari"
KEY_IDENTIFIER = bytes.fromhex("69885b6b87464041e1b37b847ba0ae2cde01c8d4")


def reply(document: object, **headers: str) -> Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Response(200, NOW, tuple((name.replace("_", "-"), value) for name, value in headers.items()), body)


def info(start: object = "2025-01-02T04:00:00Z", end: object = "2025-01-03T04:00:00Z", **members: object) -> Response:
    return reply({"suggestedWindow": {"start": start, "end": end}, **members})


def test_the_example_of_the_rfc() -> None:
    assert cert_id(KEY_IDENTIFIER, 0x8765_4321) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


def test_a_serial_without_a_high_bit_has_no_leading_zero() -> None:
    assert cert_id(KEY_IDENTIFIER, 0x7F) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.fw"
    assert cert_id(KEY_IDENTIFIER, 0x80) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIA"


def test_a_certificate_may_have_no_name() -> None:
    assert cert_id(b"", 1) == ""
    assert cert_id(KEY_IDENTIFIER, 0) == ""
    assert cert_id(KEY_IDENTIFIER, -5) == ""


def test_the_name_follows_the_directorys_url() -> None:
    assert renewal_info_url("https://ca.test/ari", "a.b") == "https://ca.test/ari/a.b"
    assert renewal_info_url("https://ca.test/ari/", "a.b") == "https://ca.test/ari/a.b"


def test_a_window_and_where_it_is_explained() -> None:
    assert read_renewal_info(info(explanationURL=PAGE)) == RenewalInfo(WINDOW, PAGE)
    assert read_renewal_info(info()) == RenewalInfo(WINDOW)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-01-02T05:00:00+01:00", "2025-01-02T23:00:00-05:00"),
        ("2025-01-02T04:00:00.123456789Z", "2025-01-03T04:00:00.9Z"),
    ],
)
def test_instants_in_other_zones_and_with_fractions(start: str, end: str) -> None:
    assert read_renewal_info(info(start, end)).window == WINDOW


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", 7, None, "https://" + "x" * 400])
def test_an_explanation_that_is_no_link_is_left_out(url: object) -> None:
    assert read_renewal_info(info(explanationURL=url)).explanation == ""


def test_an_explanation_is_safe_to_print() -> None:
    assert read_renewal_info(info(explanationURL="https://a.test/\x1b[2J")).explanation == "https://a.test/ [2J"


@pytest.mark.parametrize(
    "response",
    [
        reply(b"{"),
        reply([]),
        reply({}),
        reply({"suggestedWindow": []}),
        info(None),
        info("soon"),
        info("2025-01-02T04:00:00"),
        info(1735790400),
        info("0001-01-01T00:00:00+12:00"),
        info("2025-01-03T04:00:00Z"),
        info("2025-01-03T04:00:01Z"),
        info("2025-01-03T03:59:59.9Z", "2025-01-03T03:59:59.95Z"),
    ],
)
def test_what_is_no_window(response: Response) -> None:
    with pytest.raises(MalformedBody):
        read_renewal_info(response)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("21600", 6 * 3600),
        ("0", 60),
        ("59", 60),
        ("61", 61),
        ("86401", 86400),
        ("99999999999", 86400),
        ("Mon, 23 Nov 2026 14:00:00 GMT", 2 * 3600),
        ("Mon, 23 Nov 2020 12:00:00 GMT", 60),
        ("soon", 6 * 3600),
    ],
)
def test_the_next_question_comes_between_a_minute_and_a_day_later(said: str, expected: int) -> None:
    assert ask_again_after(reply({}, retry_after=said)) == timedelta(seconds=expected)


def test_without_a_word_it_comes_after_six_hours() -> None:
    assert ask_again_after(reply({})) == timedelta(hours=6)


def test_the_instant_is_the_same_for_one_text_and_spread_over_different_ones() -> None:
    chosen = [WINDOW.choose(f"n{number}.example.org") for number in range(400)]
    assert chosen == [WINDOW.choose(f"n{number}.example.org") for number in range(400)]
    assert all(WINDOW.start <= instant < WINDOW.end for instant in chosen)
    quarters = [sum(1 for instant in chosen if int((instant - WINDOW.start) / (DAY / 4)) == part) for part in range(4)]
    assert min(quarters) > 60


def test_another_window_chooses_anew() -> None:
    moved = Window(WINDOW.start + DAY, WINDOW.end + DAY)
    assert moved.choose("a") - moved.start != WINDOW.choose("a") - WINDOW.start
