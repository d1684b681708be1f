"""Whatever a CA answers, in whatever order: a certificate or one CertkeeperError, after not too many requests."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import chain, count, cycle, repeat

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.ca import DIRECTORY, ORIGIN, Answer, Played, Reply, new_session, play
from builders.certificates import NOW
from certkeeper.acme.account import find_account
from certkeeper.acme.chain import download
from certkeeper.acme.challenge import answer, dns01_value
from certkeeper.acme.order import (
    AuthorizationStatus,
    OrderStatus,
    explain_invalid,
    fetch_authorizations,
    finalize,
    new_order,
    wait_while,
)
from certkeeper.acme.session import Session
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Identifier
from certkeeper.base.times import parse_retry_after
from certkeeper.base.wire import Exchange, Request, Response, TransportError, together

BOUND = timedelta(seconds=60)
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\n"
URLS = st.sampled_from(
    [f"{ORIGIN}/{name}" for name in ("order/1", "authz/1", "x", "certificate/1")] + ["", "/relative"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | URLS
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
STATUSES = st.sampled_from([status.value for status in (*OrderStatus, *AuthorizationStatus)] + ["unheard-of"])
ERRORS = st.sampled_from(["badNonce", "orderNotReady", "rateLimited", "serverInternal", "malformed", "x"])
PAST, SOON = "Mon, 23 Nov 2020 12:00:00 GMT", "Mon, 23 Nov 2026 12:00:30 GMT"
WAITS = st.sampled_from(["0", "1", "30", "90", "99999", PAST, SOON, "x"])
PROBLEMS = st.fixed_dictionaries(
    {"type": ERRORS.map("urn:ietf:params:acme:error:{}".format) | st.text(max_size=8)},
    optional={"detail": JSON, "subproblems": JSON, "identifier": JSON},
)


def one_of_or_anything(good: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(good, good, good, JSON)


CHALLENGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["dns-01", "http-01"])},
    optional={
        "url": one_of_or_anything(URLS),
        "token": one_of_or_anything(st.sampled_from(["abc", "A-_9"])),
        "status": one_of_or_anything(STATUSES),
        "error": one_of_or_anything(PROBLEMS),
    },
)
# Orders, authorizations, challenges and accounts all at once, so that each may come where another one is due.
OBJECTS = st.fixed_dictionaries(
    {"status": one_of_or_anything(STATUSES)},
    optional={
        "authorizations": one_of_or_anything(st.lists(URLS, max_size=3)),
        "finalize": one_of_or_anything(URLS),
        "certificate": one_of_or_anything(URLS),
        "error": one_of_or_anything(PROBLEMS),
        "identifier": one_of_or_anything(st.just({"type": "dns", "value": "example.org"})),
        "wildcard": one_of_or_anything(st.booleans()),
        "challenges": one_of_or_anything(st.lists(CHALLENGES, max_size=3)),
        **{name: one_of_or_anything(st.just(DIRECTORY[name])) for name in ("newNonce", "newAccount", "newOrder")},
    },
)
HEADERS: st.SearchStrategy[Mapping[str, str]] = st.fixed_dictionaries(
    {}, optional={"location": URLS, "retry-after": WAITS, "replay-nonce": st.text(max_size=5)}
)
GOOD = st.builds(Reply, st.sampled_from([200, 201]), OBJECTS, HEADERS, st.booleans())
REFUSALS = st.builds(Reply, st.sampled_from([400, 403, 404, 429, 500, 503]), PROBLEMS, HEADERS, st.booleans())
NOISE = st.builds(Reply, st.integers(200, 599), st.binary(max_size=20) | st.just(CERTIFICATE), HEADERS, st.booleans())
LOST = st.builds(TransportError, st.just("reset"), transient=st.booleans())
ANSWERS: st.SearchStrategy[Answer] = st.one_of(GOOD, GOOD, GOOD, REFUSALS, NOISE, LOST)


def whole(session: Session) -> Exchange[bytes]:
    """A certificate from the account to the chain, without DNS."""
    yield from find_account(session)
    order = yield from new_order(session, [Identifier.parse("example.org")])
    if order.status is OrderStatus.PENDING:
        found = yield from fetch_authorizations(session, order.authorizations)
        pending = [(item, item.challenge("dns-01")) for item in found if item.status is AuthorizationStatus.PENDING]
        for _, challenge in pending:
            dns01_value(challenge.token, session.key)
        yield from together([answer(session, challenge, str(item.identifier)) for item, challenge in pending])
    order = yield from wait_while(session, order, frozenset({OrderStatus.PENDING}), BOUND)
    if order.status is OrderStatus.READY:
        order = yield from finalize(session, order, b"csr")
    order = yield from wait_while(session, order, frozenset({OrderStatus.READY, OrderStatus.PROCESSING}), BOUND)
    if order.status is not OrderStatus.VALID:
        raise (yield from explain_invalid(session, order))
    certificate = yield from download(session, order.certificate)
    return certificate.fullchain


class Ca:
    """Answers as a CA does, except that the orders' and authorizations' statuses are those of a test."""

    def __init__(self, orders: Iterator[str], authorizations: Iterator[str], retry_after: str = "") -> None:
        self._orders = orders
        self._authorizations = authorizations
        self._headers = {"retry-after": retry_after} if retry_after else {}

    def __call__(self, request: Request) -> Reply:
        path = request.url.removeprefix(ORIGIN)
        if path == "/directory":
            return Reply(200, DIRECTORY)
        if path == "/new-account":
            return Reply(200, {"status": "valid"}, {"location": f"{ORIGIN}/account/1"})
        if path.startswith("/authz/"):
            challenge = {"type": "dns-01", "url": f"{ORIGIN}/challenge/1", "token": "t", "status": "pending"}
            identifier = {"type": "dns", "value": "example.org"}
            status = next(self._authorizations)
            return Reply(200, {"identifier": identifier, "status": status, "challenges": [challenge]})
        if path == "/nonce":
            return Reply()
        if path.startswith("/challenge/"):
            return Reply(200, {"type": "dns-01", "status": "processing"})
        if path.startswith("/certificate/"):
            return Reply(200, CERTIFICATE)
        document = {
            "status": next(self._orders),
            "authorizations": [f"{ORIGIN}/authz/1"],
            "finalize": f"{ORIGIN}/finalize/1",
            "certificate": f"{ORIGIN}/certificate/1",
        }
        return Reply(200, document, {"location": f"{ORIGIN}/order/1", **self._headers})


def assert_one_end(played: Played[bytes]) -> None:
    assert played.error is None or isinstance(played.error, CertkeeperError), played.error
    if played.error is None:
        assert CERTIFICATE in played.value
    else:
        assert str(played.error)
        assert str(played.error).isprintable()


def test_a_ca_as_it_should_be_issues() -> None:
    played = play(whole(new_session(kid=None)), Ca(chain(["pending", "ready"], repeat("valid")), repeat("pending")))
    assert played.value == CERTIFICATE


@settings(max_examples=200, deadline=None)
@given(st.lists(ANSWERS, min_size=1, max_size=12))
def test_any_answers_end_in_a_certificate_or_in_one_error(answers: list[Answer]) -> None:
    # From the start again when they are used up: a CA may stay in one state for ever.
    assert_one_end(play(whole(new_session(kid=None)), cycle(answers), limit=2000))


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.integers(0, 14), ANSWERS, min_size=1, max_size=4))
def test_a_good_ca_that_says_something_else_now_and_then(instead: dict[int, Answer]) -> None:
    turn = count()
    good = Ca(chain(["pending", "pending", "ready", "processing", "processing"], repeat("valid")), repeat("pending"))

    def script(request: Request) -> Answer:
        usual = good(request)
        return instead.get(next(turn), usual)

    assert_one_end(play(whole(new_session(kid=None)), script, limit=2000))


# A Retry-After that is over must not turn a stuck order into thousands of polls.
@settings(max_examples=300, deadline=None)
@given(
    st.lists(STATUSES, min_size=1, max_size=8),
    st.lists(STATUSES, min_size=1, max_size=4),
    st.sampled_from(["", "0", "1", PAST, SOON]),
    st.integers(0, 3),
)
def test_an_orders_statuses_may_come_in_any_order(orders: list[str], names: list[str], wait: str, lost: int) -> None:
    good, turn = Ca(cycle(orders), cycle(names), wait), count(1)

    def script(request: Request) -> Answer:
        return TransportError("reset") if lost and next(turn) % (lost + 2) == 0 else good(request)

    assert_one_end(play(whole(new_session(kid=None)), script, limit=700))


@given(
    st.text()
    | st.from_regex(r"[A-Z][a-z]{2}, \d{1,4} (Nov|Jan) -?\d{1,30} \d+:\d+:\d+ ([+-]\d{1,9}|GMT)", fullmatch=True)
)
def test_any_retry_after_is_a_wait_of_at_most_a_day_or_none(text: str) -> None:
    wait = parse_retry_after(text, Response(200, NOW).at)
    assert wait is None or timedelta(0) <= wait <= timedelta(days=1)
