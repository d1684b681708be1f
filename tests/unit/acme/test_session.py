"""Nonces, signatures and bounded retries."""

from datetime import timedelta

import pytest

from builders.ca import (
    DIRECTORY,
    KID,
    ORIGIN,
    USER_AGENT,
    Answer,
    Reply,
    new_session,
    open_session,
    play,
    problem,
    signed,
)
from builders.certificates import NOW
from builders.plans import CA
from certkeeper.acme.problem import Problem, Remedy
from certkeeper.acme.session import NoncesRefused
from certkeeper.base.errors import OutOfDescriptors
from certkeeper.base.events import Event
from certkeeper.base.traces import NonceRefused
from certkeeper.base.wire import Request, TransportError

URL = f"{ORIGIN}/order/1"
STARVED = OutOfDescriptors(URL)
RESET = TransportError(f"{URL}: connection reset")


def nonces(requests: list[Request]) -> list[str]:
    return [signed(request).nonce for request in requests]


def test_the_directory_is_asked_for_once() -> None:
    session = new_session()
    assert play(session.directory(), [Reply(200, DIRECTORY)]).value.new_nonce == f"{ORIGIN}/nonce"
    assert play(session.directory(), []).value.new_order == f"{ORIGIN}/new-order"


def test_every_request_says_who_asks() -> None:
    played = play(new_session().read(URL), [Reply(200, DIRECTORY, nonce=False), Reply(), Reply()])
    assert [request.method for request in played.requests] == ["GET", "HEAD", "POST"]
    assert played.urls == ["/directory", "/nonce", "/order/1"]
    assert all(("user-agent", USER_AGENT) in request.headers for request in played.requests)


def test_a_directory_that_is_refused_names_its_url() -> None:
    error = play(new_session().directory(), [Reply(404, b"no such page")]).error
    assert str(error) == f"directory {CA}: HTTP 404: no such page"


def test_a_nonce_is_fetched_only_where_none_is_left() -> None:
    session = open_session()
    first = play(session.read(URL), [Reply()])
    second = play(session.read(URL), [Reply(nonce=False)])
    third = play(session.read(URL), [Reply(), Reply()])
    assert [first.urls, second.urls, third.urls] == [["/order/1"], ["/order/1"], ["/nonce", "/order/1"]]


def test_the_newest_nonce_is_used_first() -> None:
    session = open_session()
    reads = [session.read(URL) for _ in range(3)]
    steps = [next(read) for read in reads]
    for number, (read, step) in enumerate(zip(reads, steps, strict=True)):
        if isinstance(step, Request) and step.method == "HEAD":
            read.send(Reply().at(NOW, f"head-{number}"))
    # Three requests are under way at once; this is the order of their answers.
    for read, nonce in zip(reads, ("old", "newer", "newest"), strict=True):
        with pytest.raises(StopIteration):
            read.send(Reply().at(NOW, nonce))
    played = [play(session.read(URL), [Reply(nonce=False)]).requests[0] for _ in reads]
    assert nonces(played) == ["newest", "newer", "old"]


def test_errors_bring_a_nonce_too() -> None:
    session = open_session()
    assert isinstance(play(session.read(URL), [problem("unauthorized", status=403)]).error, Problem)
    assert play(session.read(URL), [Reply()]).urls == ["/order/1"]


@pytest.mark.row("G20")
def test_a_bad_nonce_is_tried_again_with_the_nonce_of_the_error() -> None:
    told: list[Event] = []
    session = open_session(tell=told.append)
    played = play(
        session.post(URL, {"a": 1}),
        [problem("badNonce", replay_nonce="fresh"), problem("badNonce", replay_nonce="fresher"), Reply(200, b"ok")],
    )
    assert played.value.body == b"ok"
    assert nonces(played.requests)[1:] == ["fresh", "fresher"]
    assert {signed(request).payload for request in played.requests} == {b'{"a":1}'}
    assert len({signed(request).signature for request in played.requests}) == 3
    assert played.pauses == []
    assert told == [NonceRefused(URL), NonceRefused(URL)]


def test_a_ca_that_refuses_every_nonce_is_given_up_after_a_while() -> None:
    played = play(open_session().read(URL), lambda _: problem("badNonce"))
    assert isinstance(played.error, NoncesRefused)
    assert len(played.requests) == 12
    assert sum(played.pauses) < 15
    assert max(played.pauses) <= 2


def test_a_bad_nonce_without_a_fresh_one_costs_a_new_one() -> None:
    bad = problem("badNonce")
    played = play(open_session().read(URL), [Reply(400, bad.body, nonce=False), Reply(), Reply()])
    assert played.urls == ["/order/1", "/nonce", "/order/1"]


def test_a_ca_that_hands_out_no_nonce_is_named() -> None:
    session = open_session()
    play(session.read(URL), [Reply(nonce=False)])
    played = play(session.read(URL), [Reply(204, nonce=False)] * 3)
    assert str(played.error) == f"{ORIGIN}/nonce: no Replay-Nonce in the answer"
    assert len(played.pauses) == 2


def test_an_answer_without_a_nonce_is_asked_for_again() -> None:
    session = open_session()
    play(session.read(URL), [Reply(nonce=False)])
    assert play(session.read(URL), [Reply(204, nonce=False), Reply(204), Reply()]).urls == [
        "/nonce",
        "/nonce",
        "/order/1",
    ]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_what_fails_in_passing_is_tried_again_with_growing_pauses(status: int) -> None:
    played = play(open_session().read(URL), [Reply(status)] * 4 + [Reply(200, b"ok")])
    assert played.value.body == b"ok"
    assert len(played.pauses) == 4
    assert all(base <= pause <= base * 1.25 for base, pause in zip((0.5, 1, 2, 4), played.pauses, strict=True))


def test_an_answer_that_got_lost_is_asked_for_again_with_another_nonce() -> None:
    answers: list[Answer] = [RESET, Reply(), Reply(200, b"ok")]
    played = play(open_session().read(URL), answers)
    assert played.urls == ["/order/1", "/nonce", "/order/1"]
    assert played.value.body == b"ok"
    first, second = nonces(played.posts)
    assert first != second


def test_retries_are_bounded_and_end_in_the_last_error() -> None:
    played = play(open_session().read(URL, context="order: "), lambda _: Reply(503, b"maintenance"))
    assert str(played.error) == "order: HTTP 503: maintenance"
    assert len(played.requests) == 5
    lost = play(open_session().read(URL), lambda request: RESET if request.method == "POST" else Reply())
    assert lost.error is RESET
    assert len(lost.posts) == 5


def test_descriptors_that_ran_out_are_waited_for_as_well() -> None:
    """Other steps close what they opened."""
    played = play(open_session().read(URL), [STARVED, Reply(), STARVED, Reply(), Reply(200, b"ok")])
    assert played.value.body == b"ok"
    assert len(played.pauses) == 2
    lost = play(open_session().read(URL), lambda request: STARVED if request.method == "POST" else Reply())
    assert lost.error is STARVED


def test_what_cannot_get_better_is_not_tried_again() -> None:
    untrusted = TransportError(f"{URL}: TLS failed", transient=False)
    played = play(open_session().read(URL), [untrusted])
    assert played.error is untrusted
    assert played.pauses == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 415, 501])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    played = play(open_session().read(URL), [problem("malformed", "no", status=status)])
    assert isinstance(played.error, Problem)
    assert played.error.status == status


@pytest.mark.parametrize("wait", ["7", "Mon, 23 Nov 2026 12:00:07 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_the_cas_retry_after_sets_the_pace(status: int, wait: str) -> None:
    played = play(open_session().read(URL), [Reply(status, headers={"retry-after": wait}), Reply()])
    assert played.pauses == [7]


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_beyond_a_minute_ends_the_work_and_says_until_when(status: int) -> None:
    played = play(open_session().read(URL), [problem("rateLimited", "later", status=status, retry_after="3600")])
    assert isinstance(played.error, Problem)
    assert played.error.retry_at == NOW + timedelta(hours=1)
    assert played.pauses == []


def test_too_many_requests_without_retry_after_needs_a_person() -> None:
    played = play(open_session().read(URL), [problem("rateLimited", "paused: see https://ca.example/x", status=429)])
    assert isinstance(played.error, Problem)
    assert played.error.remedy is Remedy.HUMAN
    assert played.error.link == "https://ca.example/x"
    assert played.error.url == URL
    assert played.error.retry_at == NOW + timedelta(days=1)


def test_too_many_requests_are_not_made_again_before_long() -> None:
    played = play(open_session().read(URL), [problem("rateLimited", "too many", status=429, retry_after="11")])
    assert isinstance(played.error, Problem)
    assert played.error.retry_at == NOW + timedelta(seconds=11)
    assert played.pauses == []
    played = play(open_session().read(URL), [problem("rateLimited", "too many", status=429)])
    assert isinstance(played.error, Problem)
    assert played.error.retry_at is None
    assert played.pauses == []


def test_the_url_in_the_signature_is_the_url_of_the_request() -> None:
    for url in (URL, f"{ORIGIN}/a?b=c&d=%20e", f"{ORIGIN}:14000//x/"):
        (request,) = play(open_session().read(url), [Reply()]).requests
        assert signed(request).protected["url"] == request.url == url


def test_the_content_type_has_no_parameter() -> None:
    (request,) = play(open_session().post(URL, {}), [Reply()]).requests
    assert [value for name, value in request.headers if name == "content-type"] == ["application/jose+json"]


def test_the_account_is_named_by_url_once_it_is_known_and_by_key_before() -> None:
    known = signed(play(open_session().read(URL), [Reply()]).requests[0]).protected
    unknown = signed(play(open_session(kid=None).read(URL), [Reply()]).requests[0]).protected
    assert known["kid"] == KID
    assert "jwk" not in known
    assert "jwk" in unknown
    assert "kid" not in unknown


def test_a_read_has_an_empty_payload_and_an_empty_object_is_one() -> None:
    (read,) = play(open_session().read(URL), [Reply()]).requests
    (start,) = play(open_session().post(URL, {}), [Reply()]).requests
    assert (signed(read).payload, signed(start).payload) == (b"", b"{}")


def test_a_pause_is_not_asked_again_whatever_its_retry_after_says() -> None:
    played = play(open_session().read(URL), [problem("rateLimited", "paused", status=429, retry_after="0")])
    assert isinstance(played.error, Problem)
    assert played.error.paused
    assert played.pauses == []


def test_an_error_over_what_is_replaced_is_not_asked_for_again() -> None:
    answer = problem("serverInternal", "could not find an order for the given certificate", status=500)
    played = play(open_session().read(URL), [answer])
    assert isinstance(played.error, Problem)
    assert played.error.of_replacement
    assert (len(played.posts), played.pauses) == (1, [])
