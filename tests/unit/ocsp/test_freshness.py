import time
from datetime import timedelta

import pytest
from cryptography.x509 import ocsp

from builders.certificates import NOW
from builders.responder import LIFE, Says, answer, certificate, ours
from certkeeper.base.value import replace
from certkeeper.base.wire import TransportError
from certkeeper.ocsp.freshness import (
    AGAIN,
    LONGEST_WAIT,
    STEPS,
    Asked,
    Due,
    decide,
    kept,
    late,
    missed,
    noted_after,
    noted_failure,
    noted_success,
    refreshed_at,
)
from certkeeper.ocsp.model import Flaw, NoStaple, Staple, Subject
from certkeeper.ocsp.response import verified

DAY = timedelta(days=1)
FIVE_DAYS = timedelta(days=5)
SUBJECT = ours().subject
FAILED = NoStaple(Flaw.HTTP, "status 500")


def staple(says: Says | None = None) -> Staple:
    return verified(answer(ours(), says), ours(), NOW)


HELD = staple()
HALF = HELD.this_update + LIFE / 2


def due(held: Staple | None = HELD, asked: Asked | None = None, **changes: timedelta) -> Due:
    longest = changes.get("longest", FIVE_DAYS)
    return decide(SUBJECT, held, asked, longest, NOW + changes.get("later", timedelta())).due


def test_a_fresh_response_needs_nothing_until_about_half_of_its_life() -> None:
    found = decide(SUBJECT, HELD, None, FIVE_DAYS, NOW)
    assert found.due is Due.NOTHING
    assert found.at == refreshed_at(SUBJECT, HELD, FIVE_DAYS)
    assert HELD.this_update + LIFE * 3 / 8 <= found.at <= HALF
    assert due(later=found.at - NOW - timedelta(seconds=1)) is Due.NOTHING
    assert due(later=found.at - NOW) is Due.FETCH


def test_the_longest_age_counts_where_it_is_first() -> None:
    assert due(later=DAY) is Due.NOTHING
    assert due(later=DAY, longest=DAY) is Due.FETCH
    assert due(longest=timedelta()) is Due.FETCH


def test_what_is_missing_ended_or_of_the_future_is_fetched() -> None:
    assert due(None) is Due.FETCH
    assert due(later=LIFE) is Due.FETCH
    assert due(later=-DAY) is Due.FETCH


def test_who_is_never_asked_about() -> None:
    assert decide(replace(SUBJECT, url=None), None, None, FIVE_DAYS, NOW).due is Due.NOTHING
    ended = decide(SUBJECT, None, None, FIVE_DAYS, SUBJECT.not_after)
    assert (ended.due, ended.at) == (Due.NOTHING, None)


def test_refreshes_are_spread() -> None:
    moments = [refreshed_at(replace(SUBJECT, name=f"certificate {turn}"), HELD, FIVE_DAYS) for turn in range(1000)]
    assert len(set(moments)) > 990
    first, last = HELD.this_update + LIFE * 3 / 8, HALF
    quarters = [int((moment - first) / (last - first) * 4) for moment in moments]
    assert all(200 < quarters.count(quarter) < 300 for quarter in range(4))


def test_failures_wait_longer_each_time() -> None:
    asked, waits = None, []
    for _ in range(6):
        asked = noted_failure(SUBJECT, asked, FAILED, NOW)
        waits.append(asked.retry_at - NOW)
        assert due(None, asked) is Due.WAIT
        assert due(None, asked, later=asked.retry_at - NOW) is Due.FETCH
    assert asked is not None
    assert asked.failures == 6
    for wait, step in zip(waits, (*STEPS, *STEPS[-1:] * 2), strict=True):
        assert step * 0.75 < wait <= step
    assert "failed 6 times" in decide(SUBJECT, None, asked, FIVE_DAYS, NOW).why


def test_a_wait_is_no_reason_to_take_a_good_response_for_bad() -> None:
    assert due(HELD, noted_failure(SUBJECT, None, FAILED, NOW)) is Due.NOTHING


def test_what_the_responder_asked_for_wins_within_a_bound() -> None:
    polite = NoStaple(Flaw.HTTP, "status 503", retry_at=NOW + timedelta(hours=2))
    assert noted_failure(SUBJECT, None, polite, NOW).retry_at == NOW + timedelta(hours=2)
    rude = NoStaple(Flaw.HTTP, "status 503", retry_at=NOW + timedelta(days=300))
    assert noted_failure(SUBJECT, None, rude, NOW).retry_at == NOW + LONGEST_WAIT


def test_a_clock_that_was_stepped_back_keeps_nobody_waiting() -> None:
    asked = noted_failure(SUBJECT, None, TransportError("gone"), NOW)
    assert due(None, asked, later=-timedelta(days=2)) is Due.FETCH


def test_what_was_noted_of_another_certificate_does_not_count() -> None:
    other = replace(SUBJECT, name="other")
    revoked = noted_failure(other, None, NoStaple(Flaw.REVOKED, "revoked"), NOW)
    assert due(None, revoked) is Due.FETCH
    assert noted_failure(SUBJECT, replace(revoked, failures=9), FAILED, NOW).failures == 1


def test_a_responder_without_news_is_left_alone_for_a_while() -> None:
    old = NOW + LIFE / 2
    asked = noted_success(SUBJECT, old)
    found = decide(SUBJECT, HELD, asked, FIVE_DAYS, old)
    assert found.due is Due.WAIT
    assert "nothing newer" in found.why
    assert found.at is not None
    assert AGAIN * 0.75 < found.at - old <= AGAIN


def test_a_revoked_certificate_is_renewed_whatever_is_in_hand() -> None:
    with pytest.raises(NoStaple) as caught:
        kept(HELD, staple(Says(ocsp.OCSPCertStatus.REVOKED, revoked_at=NOW - DAY)))
    assert caught.value.flaw is Flaw.REVOKED
    assert caught.value.revoked_at == NOW - DAY
    asked = noted_failure(SUBJECT, None, caught.value, NOW)
    assert due(HELD, asked) is Due.RENEW
    assert due(None, asked, later=10 * DAY) is Due.RENEW


def test_an_unknown_certificate_is_asked_about_again() -> None:
    with pytest.raises(NoStaple) as caught:
        kept(None, staple(Says(ocsp.OCSPCertStatus.UNKNOWN)))
    asked = noted_failure(SUBJECT, None, caught.value, NOW)
    assert due(None, asked) is Due.WAIT
    assert due(None, asked, later=STEPS[0]) is Due.FETCH


def test_only_what_is_newer_takes_the_place_of_what_is_there() -> None:
    newer = staple(Says(this_update=NOW, next_update=NOW + LIFE))
    assert kept(None, HELD) is HELD
    assert kept(HELD, newer) is newer
    assert kept(HELD, staple()) is HELD
    longer = staple(Says(next_update=NOW + 2 * LIFE))
    assert kept(HELD, longer) is longer
    assert kept(longer, HELD) is longer
    with pytest.raises(NoStaple) as caught:
        kept(newer, HELD)
    assert caught.value.flaw is Flaw.OLDER


def test_people_hear_of_a_response_that_could_not_be_replaced() -> None:
    assert late(None, NOW)
    assert not late(HELD, HELD.this_update + LIFE * 0.74)
    assert late(HELD, HELD.this_update + LIFE * 0.75)


def test_nothing_due_is_seen_in_less_than_a_millisecond() -> None:
    """All of it: a response proven and judged, the certificates loaded before."""
    asked, turns = certificate(), 50
    der = answer(asked)
    best = 1.0
    for _ in range(5):
        begun = time.process_time()
        for _ in range(turns):
            assert decide(asked.subject, verified(der, asked, NOW), None, FIVE_DAYS, NOW).due is Due.NOTHING
        best = min(best, (time.process_time() - begun) / turns)
    assert best < 0.001


def test_a_subject_is_a_plain_value() -> None:
    assert Subject("a", NOW) == Subject("a", NOW, None)


def test_a_response_that_came_and_is_gone_is_asked_for_at_once() -> None:
    asked = noted_success(SUBJECT, NOW)
    assert due(None, asked) is Due.FETCH
    assert due(longest=timedelta(), asked=asked) is Due.WAIT


def test_a_certificate_that_is_not_known_yet_is_no_failure_at_first() -> None:
    unknown = NoStaple(Flaw.UNKNOWN, "not known")
    asked = None
    for turn in range(len(STEPS)):
        assert missed(None, asked, NOW) is (turn == 0)
        asked = noted_failure(SUBJECT, asked, unknown, NOW)
    assert missed(None, asked, NOW)
    assert missed(None, noted_failure(SUBJECT, None, FAILED, NOW), NOW)
    assert not missed(HELD, asked, NOW)
    assert missed(HELD, noted_failure(SUBJECT, None, unknown, NOW), HELD.this_update + LIFE * 0.8)


def test_a_certificate_that_is_revoked_like_the_one_before_is_replaced_a_day_later() -> None:
    other = replace(SUBJECT, name="the one before")
    revoked = NoStaple(Flaw.REVOKED, "revoked")
    before, first = noted_failure(other, None, revoked, NOW), noted_failure(SUBJECT, None, revoked, NOW)
    assert due(asked=first) is Due.RENEW
    again = noted_after(before, first)
    assert (due(asked=again), due(asked=again, later=LONGEST_WAIT)) == (Due.WAIT, Due.RENEW)
    assert due(asked=again, later=-DAY) is Due.RENEW, "a clock that was stepped back"
    # Who asks in between changes nothing: not that it waits, and not that the first one does not.
    later = NOW + timedelta(hours=1)
    assert noted_failure(SUBJECT, again, revoked, later).retry_at == again.retry_at
    assert due(asked=noted_failure(SUBJECT, first, revoked, later)) is Due.RENEW
    for earlier in (None, noted_failure(other, None, FAILED, NOW), noted_success(other, NOW)):
        assert noted_after(earlier, first) == first
    good = noted_success(SUBJECT, NOW)
    assert noted_after(before, good) == good
