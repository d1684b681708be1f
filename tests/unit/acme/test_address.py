"""Where a CA may send us: any host over https, never plain http, never something that is no URL."""

import pytest

from builders.ca import DIRECTORY, ORIGIN, Answer, Reply, new_session, open_session, play
from builders.certificates import NOW
from builders.plans import CA
from certkeeper.acme.address import askable
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.challenge import Challenge, answer
from certkeeper.acme.directory import read_directory
from certkeeper.acme.order import fetch_authorizations, fetch_order, new_order
from certkeeper.acme.session import Redirected
from certkeeper.base.names import Identifier
from certkeeper.base.wire import Response

NAMES = [Identifier.parse("example.org")]
LOCAL = "http://127.0.0.1:4000/directory"
BAD = [
    "http://ca.test/order/1",
    "",
    "/order/1",
    "order/1",
    "//ca.test/order/1",
    "ftp://ca.test/order/1",
    "file:///etc/shadow",
    "https:///order/1",
    "https://ca.test:port/order/1",
    "https://[::1/order/1",
    "https://user:secret@ca.test/order/1",
    "https://ca.test@evil.example/order/1",
    "https://ca.test/order 1",
    "https://ca.test/order\r\nhost: x",
    "https://ca.test/\x1b[2J",
    "https://ca.test/größe",
    "https://ca.test/" + "x" * 10_000,
]


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_https_url_is_not_asked(url: str) -> None:
    assert not askable(url, CA)
    played = play(fetch_order(open_session(), url), [])
    assert isinstance(played.error, MalformedBody)
    assert "no https URL" in str(played.error)
    assert str(played.error).isprintable()
    assert len(str(played.error)) < 300
    assert played.error.hint


@pytest.mark.parametrize(
    "url", ["https://ca.test/a?b=c%20d", "https://other.example:8443/x", "HTTPS://[2001:db8::1]/x"]
)
def test_a_ca_may_name_any_host(url: str) -> None:
    assert askable(url, CA)


def test_a_directory_on_loopback_without_tls_may_name_its_like() -> None:
    assert askable("http://127.0.0.1:4000/order/1", LOCAL)
    assert askable("https://127.0.0.1:4001/order/1", LOCAL)
    assert not askable("http:///order/1", LOCAL)


@pytest.mark.parametrize("name", ["newNonce", "newOrder"])
def test_a_directory_that_leads_to_plain_http_is_refused_before_anything_is_sent_there(name: str) -> None:
    directory = {**DIRECTORY, name: "http://ca.test/x"}
    replies: list[Answer] = [Reply(200, directory, nonce=False), Reply(204), Reply(204)]
    played = play(new_order(new_session(), NAMES), replies)
    assert isinstance(played.error, MalformedBody)
    assert "http://ca.test/x" not in [request.url for request in played.requests]


def test_renewals_are_not_asked_about_over_plain_http() -> None:
    said = Reply(200, {**DIRECTORY, "renewalInfo": "http://ca.test/ari"}).at(NOW, "n")
    assert read_directory(said, CA).renewal_info == ""


def test_parts_of_an_order_may_be_elsewhere() -> None:
    elsewhere = "https://elsewhere.example/authz/1"
    body = {"identifier": {"type": "dns", "value": "example.org"}, "status": "valid", "challenges": []}
    played = play(fetch_authorizations(open_session(), [elsewhere]), [Reply(200, body)])
    assert played.error is None
    assert [request.url for request in played.requests] == [elsewhere]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_named_and_not_followed(status: int) -> None:
    moved = Reply(status, b"<html>moved</html>", {"location": "http://evil.example/\x1b[2J"})
    for exchange in (
        fetch_order(open_session(), f"{ORIGIN}/order/1"),
        answer(open_session(), Challenge("dns-01", f"{ORIGIN}/challenge/1", "pending", "t"), "example.org"),
    ):
        played = play(exchange, lambda _: moved)
        assert isinstance(played.error, Redirected)
        assert "redirects to http://evil.example/" in str(played.error)
        assert str(played.error).isprintable()
        assert all(request.url.startswith(ORIGIN) for request in played.requests)


def test_a_directory_that_moved_says_what_to_set() -> None:
    new = "https://new.example/directory"
    played = play(new_session().directory(), [Reply(301, b"", {"location": new})])
    assert isinstance(played.error, Redirected)
    assert f"set CA to {new}" in played.error.hint


def test_a_nonce_that_is_elsewhere_is_not_fetched_there() -> None:
    replies: list[Answer] = [
        Reply(200, DIRECTORY, nonce=False),
        Reply(302, b"", {"location": "http://x/"}, nonce=False),
    ]
    played = play(new_session().read(f"{ORIGIN}/order/1"), replies)
    assert isinstance(played.error, Redirected)


def test_nowhere_is_a_place_to_be_sent_to() -> None:
    response = Response(302, NOW)
    assert "redirects to nowhere" in str(Redirected(CA, response, ""))
