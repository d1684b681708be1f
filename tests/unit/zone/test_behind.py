"""A server that is behind for longer than its SOA lets it be is frozen; one that moves is not."""

from datetime import UTC, datetime, timedelta

from certkeeper.zone.behind import Behind, ServedSoa, behind, frozen

NOW = datetime(2026, 8, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def soas(first: int, second: int) -> list[ServedSoa]:
    return [ServedSoa("one", first, 3000, 600), ServedSoa("two", second, 3000, 600)]


def test_servers_with_one_serial_are_not_behind() -> None:
    assert behind({}, soas(7, 7), NOW) == {}


def test_the_older_serial_is_remembered_with_the_time() -> None:
    assert behind({}, soas(8, 7), NOW) == {"two": Behind(7, NOW)}


def test_serials_are_compared_as_secondaries_compare_them() -> None:
    assert behind({}, soas(3, 2**32 - 2), NOW) == {"two": Behind(2**32 - 2, NOW)}


def test_it_is_frozen_once_refresh_and_retry_are_over() -> None:
    seen = soas(8, 7)
    remembered = behind({}, seen, NOW)

    at_the_end = NOW + HOUR
    remembered = behind(remembered, seen, at_the_end)
    assert frozen(remembered, seen, at_the_end) == frozenset()
    later = at_the_end + timedelta(seconds=1)
    assert frozen(behind(remembered, seen, later), seen, later) == {"two"}


def test_a_server_that_moves_begins_anew() -> None:
    remembered = behind({}, soas(8, 6), NOW)
    later = NOW + 2 * HOUR
    remembered = behind(remembered, soas(9, 7), later)

    assert remembered == {"two": Behind(7, later)}
    assert frozen(remembered, soas(9, 7), later) == frozenset()


def test_a_server_that_has_caught_up_is_forgotten() -> None:
    assert behind({"two": Behind(7, NOW)}, soas(8, 8), NOW + HOUR) == {}


def test_of_a_silent_server_what_was_known_stays() -> None:
    known = {"two": Behind(7, NOW)}

    remembered = behind(known, soas(8, 7)[:1], NOW + 2 * HOUR)
    assert remembered == known
    assert frozen(remembered, soas(8, 7), NOW + 2 * HOUR) == {"two"}


def test_a_clock_that_went_back_begins_anew() -> None:
    assert behind({"two": Behind(7, NOW + HOUR)}, soas(8, 7), NOW) == {"two": Behind(7, NOW)}
