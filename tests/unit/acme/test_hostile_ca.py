"""Whatever a CA sends, it ends in a CertkeeperError that can be shown; and a CA's wish to wait is never lost."""

from datetime import timedelta

import pytest

from builders.ca import DIRECTORY, ORIGIN, Answer, Reply, new_session, open_session, play, problem, signed
from builders.certificates import NOW
from certkeeper.acme.body import MalformedBody, members
from certkeeper.acme.chain import download
from certkeeper.acme.challenge import dns01_value
from certkeeper.acme.order import (
    fetch_authorizations,
    fetch_order,
)
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.wire import Request, Response

URL = f"{ORIGIN}/order/1"
DEEP = b'{"a":' * 100_000
ESCAPE = "\x1b]0;owned\x07"


def test_json_that_is_nested_too_deep_is_malformed() -> None:
    with pytest.raises(MalformedBody):
        members(Response(200, NOW, body=DEEP), "order")


@pytest.mark.parametrize("token", ["Größe", "\ud800", "tok\u2028en"])
def test_a_token_that_is_not_base64url_is_the_cas_fault(token: str) -> None:
    body = {
        "identifier": {"type": "dns", "value": "example.org"},
        "status": "pending",
        "challenges": [{"type": "dns-01", "url": f"{ORIGIN}/c", "status": "pending", "token": token}],
    }
    session = open_session()
    (authorization,) = play(fetch_authorizations(session, [f"{ORIGIN}/a"]), [Reply(200, body)]).value
    try:
        value = dns01_value(authorization.challenge("dns-01").token, session.key)
    except CertkeeperError:
        return
    raise AssertionError(f"a value was made of it: {value}")


def test_a_url_that_cannot_be_encoded_is_the_cas_fault() -> None:
    played = play(fetch_order(open_session(), f"{ORIGIN}/\ud800"), lambda _: Reply(503))
    assert isinstance(played.error, CertkeeperError), repr(played.error)


# What is shown to people.


def test_the_url_of_an_authorization_cannot_write_to_the_operators_terminal() -> None:
    played = play(fetch_authorizations(open_session(), [f"{ORIGIN}/{ESCAPE}"]), [Reply(200, {})])
    assert isinstance(played.error, MalformedBody)
    assert str(played.error).isprintable()


def test_the_url_of_a_certificate_cannot_write_to_the_operators_terminal() -> None:
    played = play(download(open_session(), f"{ORIGIN}/{ESCAPE}"), [Reply(200, b"no certificate")])
    assert isinstance(played.error, MalformedBody)
    assert str(played.error).isprintable()


# Nonces and waiting.


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_at_new_nonce_says_until_when(status: int) -> None:
    answers: list[Answer] = [
        Reply(200, DIRECTORY, nonce=False),
        Reply(status, headers={"retry-after": "3600"}, nonce=False),
    ]
    error = play(new_session().read(URL), answers).error
    assert isinstance(error, CertkeeperError)
    assert error.retry_at == NOW + timedelta(hours=1)


def test_a_long_wait_at_the_directory_says_until_when() -> None:
    error = play(new_session().read(URL), [Reply(503, b"down", {"retry-after": "3600"})]).error
    assert isinstance(error, CertkeeperError)
    assert error.retry_at == NOW + timedelta(hours=1)


def test_a_minute_is_waited_for_and_a_second_more_is_not() -> None:
    patient = play(open_session().read(URL), [Reply(503, headers={"retry-after": "60"}), Reply()])
    assert (patient.error, patient.pauses) == (None, [60])
    ended = play(open_session().read(URL), [Reply(503, headers={"retry-after": "61"})])
    assert isinstance(ended.error, CertkeeperError)
    assert ended.pauses == []


@pytest.mark.parametrize("nonce", ["a b", "a+b/", "a=", "ä", 'a"b', "\x1b[m"])
def test_a_nonce_that_is_not_base64url_is_ignored(nonce: str) -> None:
    session = open_session()
    play(session.read(URL), [Reply(headers={"replay-nonce": nonce})])
    played = play(session.read(URL), lambda _: Reply())
    assert nonce not in [signed(request).nonce for request in played.posts]


def test_bad_nonces_and_failures_in_passing_together_stay_bounded() -> None:
    turn = iter(range(10_000))

    def answer(request: Request) -> Answer:
        bad = problem("badNonce")
        return Reply() if request.method == "HEAD" else (Reply(503), bad)[next(turn) % 5 == 4]

    played = play(open_session().read(URL), answer)
    assert isinstance(played.error, CertkeeperError)
    assert len(played.requests) <= 12 * 5


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_of_a_signed_request_is_not_followed(status: int) -> None:
    played = play(fetch_order(open_session(), URL), [Reply(status, b"", {"location": "https://evil.example/"})])
    assert isinstance(played.error, CertkeeperError)
    assert len(played.requests) == 1
