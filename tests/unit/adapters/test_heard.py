"""What servers say the time is."""

from datetime import UTC, datetime, timedelta

import pytest

from certkeeper.adapters.heard import HeardClocks
from certkeeper.base.wire import Response

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def answer(*headers: tuple[str, str]) -> Response:
    return Response(200, NOW, headers, b"")


@pytest.mark.parametrize(
    ("headers", "apart"),
    [
        ([("date", "Mon, 30 Nov 2026 10:00:00 GMT")], [timedelta(hours=-2)]),
        ([("date", "Mon, 30 Nov 2026 10:00:00 GMT"), ("age", "7200")], [timedelta()]),
        ([("date", "Mon, 30 Nov 2026 10:00:00 GMT"), ("age", "old")], [timedelta(hours=-2)]),
        ([("date", "yesterday")], []),
        ([], []),
    ],
)
def test_the_date_of_an_answer_goes_on_with_our_clock(headers: list[tuple[str, str]], apart: list[timedelta]) -> None:
    heard = HeardClocks()
    heard.hear("ca.test", answer(*headers))
    later = NOW + timedelta(days=1)
    assert list(heard.others(later)) == [later + each for each in apart]


def test_of_each_server_the_last_answer_counts() -> None:
    heard = HeardClocks()
    heard.hear("ca.test", answer(("date", "Mon, 30 Nov 2026 10:00:00 GMT")))
    heard.hear("ca.test", answer(("date", "Mon, 30 Nov 2026 12:00:00 GMT")))
    heard.hear("pdns.test", answer(("date", "Mon, 30 Nov 2026 12:00:05 GMT")))
    assert list(heard.others(NOW)) == [NOW, NOW + timedelta(seconds=5)]
