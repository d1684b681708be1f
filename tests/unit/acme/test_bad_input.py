"""What no CA should send: each ends in one line that can be shown, with a hint, or is read as it was meant."""

import json

import pytest

from builders.ca import DIRECTORY, ORIGIN, Answer, Reply, new_session, open_session, play
from certkeeper.acme.account import register
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.order import OrderStatus, fetch_authorizations, fetch_order
from certkeeper.acme.problem import Problem
from certkeeper.base.errors import CertkeeperError

URL = f"{ORIGIN}/order/1"
GOOD = {"status": "pending", "authorizations": [f"{ORIGIN}/authz/1"], "finalize": f"{ORIGIN}/finalize/1"}
MEGABYTE = "\x1b]0;owned\x07\r\nA\u202e" * 2**17


def one_line(error: Exception | None) -> str:
    assert isinstance(error, CertkeeperError), repr(error)
    text = str(error)
    assert text.isprintable()
    assert len(text) < 2100
    assert error.hint.isprintable()
    return text


def read(body: bytes) -> tuple[OrderStatus | None, str]:
    """The status of an order with that body, or what is wrong with it."""
    played = play(fetch_order(open_session(), URL), [Reply(200, body)])
    return (played.value.status, "") if played.error is None else (None, one_line(played.error))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b'"pending"',
        b"[" * 200_000,
        b'{"status": ' * 100_000,
        b'{"status": "pend\xff\xfeing"}',
        b"\x80\x81",
        b'{"status": "pending"',
        b'{"status": "pending",}',
        b"{'status': 'pending'}",
        b'{"status": "pending"} trailing',
        b'{"status": "\x00"}',
        b'{"status": ' + b"9" * 5000 + b"}",
        b"<html>" + b"\x1b[2J" * 1000,
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_is_no_json_object_is_one_line(body: bytes) -> None:
    status, said = read(body)
    assert status is None
    assert said.startswith(f"order {URL}: ")
    assert len(said) < 400


@pytest.mark.parametrize("strange", [None, 7, 1.5, True, [], {}, ["pending"], {"status": "pending"}, MEGABYTE])
def test_a_status_that_is_no_status_is_one_line(strange: object) -> None:
    status, said = read(json.dumps({**GOOD, "status": strange}).encode())
    assert status is None
    assert "RFC 8555" in said


@pytest.mark.parametrize("name", ["authorizations", "finalize", "error", "certificate", "expires", "identifiers"])
@pytest.mark.parametrize("strange", [None, 7, True, "text", [7, None, {}], {"a": 7}, float("nan")])
def test_a_member_of_another_type_is_as_good_as_none(name: str, strange: object) -> None:
    assert read(json.dumps({**GOOD, name: strange}).encode()) == (OrderStatus.PENDING, "")


def test_of_a_name_that_comes_twice_the_last_counts() -> None:
    body = b'{"status": "invalid", "status": "ready", "authorizations": [], "finalize": ""}'
    assert read(body) == (OrderStatus.READY, "")


def test_a_byte_order_mark_and_other_encodings_of_unicode_are_read() -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert read(json.dumps(GOOD).encode(encoding)) == (OrderStatus.PENDING, "")


@pytest.mark.parametrize("name", ["newNonce", "newAccount", "newOrder"])
@pytest.mark.parametrize("strange", [None, 7, ["https://ca.test/x"], {"url": "x"}, True])
def test_a_directory_with_something_else_in_a_urls_place(name: str, strange: object) -> None:
    played = play(new_session().directory(), [Reply(200, {**DIRECTORY, name: strange})])
    assert f"no {name} in it" in one_line(played.error)


@pytest.mark.parametrize("where", ["detail", "type", "subproblems"])
def test_a_megabyte_of_control_characters_is_cut_and_made_safe(where: str) -> None:
    document: dict[str, object] = {"type": "urn:ietf:params:acme:error:malformed", "detail": "no"}
    document |= {
        where: [{"type": MEGABYTE, "detail": MEGABYTE, "identifier": {"type": "dns", "value": MEGABYTE}}] * 5
        if where == "subproblems"
        else MEGABYTE
    }
    played = play(fetch_order(open_session(), URL), [Reply(400, json.dumps(document).encode())])
    assert isinstance(played.error, Problem)
    assert "\u202e" not in one_line(played.error)


def test_a_megabyte_of_a_page_is_cut() -> None:
    played = play(fetch_order(open_session(), URL), [Reply(404, MEGABYTE.encode("utf-16"))])
    assert len(one_line(played.error)) < 400
    assert played.error is not None
    assert getattr(played.error, "hint", "")


@pytest.mark.parametrize("strange", [None, 7, "x", {"type": 7}, [7], {"detail": "no type"}])
def test_an_error_that_is_no_problem_document_is_told_by_its_status(strange: object) -> None:
    played = play(fetch_order(open_session(), URL), [Reply(403, json.dumps(strange).encode())])
    assert "HTTP 403" in one_line(played.error)


NONSENSE = [
    "",
    " ",
    "-1",
    "1.5",
    "1e3",
    "²",
    "١٢",
    "0x10",
    "next week",
    "Mon, 99 Foo 2026",
    "9" * 400,
    "\x1b[2J",
    "None",
]


@pytest.mark.parametrize("value", NONSENSE)
def test_a_retry_after_that_says_nothing_is_none(value: str) -> None:
    busy = Reply(503, b"", {"retry-after": value})
    played = play(fetch_order(open_session(), URL), [busy, Reply(200, GOOD)])
    if value.isascii() and value.isdigit():
        assert "HTTP 503" in one_line(played.error)  # a number, and longer than anybody waits
    else:
        assert played.value.status is OrderStatus.PENDING
        assert sum(played.pauses) < 1


@pytest.mark.parametrize(
    "identifier",
    [None, 7, "example.org", {}, {"type": "dns"}, {"type": "dns", "value": 7}, {"type": MEGABYTE, "value": "x"}],
)
def test_an_authorization_for_nothing_that_can_be_named(identifier: object) -> None:
    body = {"identifier": identifier, "status": "pending", "challenges": []}
    played = play(fetch_authorizations(open_session(), [f"{ORIGIN}/authz/1"]), [Reply(200, body)])
    assert isinstance(played.error, MalformedBody)
    assert one_line(played.error).startswith(f"authorization {ORIGIN}/authz/1: ")


def test_an_account_that_is_nowhere() -> None:
    answers: list[Answer] = [Reply(200, DIRECTORY), Reply(201, {"status": "valid"})]
    assert "an account without a Location" in one_line(
        play(register(new_session(kid=None), contact_email=""), answers).error
    )
