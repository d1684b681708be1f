"""Orders and authorizations, whatever order and shape a CA sends them in."""

from datetime import timedelta

import pytest

from builders.ca import ORIGIN, Answer, Reply, open_session, play, problem, signed, unb64
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.order import (
    AuthorizationStatus,
    OrderFailed,
    OrderStatus,
    explain_invalid,
    fetch_authorizations,
    finalize,
    new_order,
    wait_while,
)
from certkeeper.acme.problem import Problem
from certkeeper.base.names import Identifier
from certkeeper.base.wire import TransportError
from unit.acme.orders import FIVE_MINUTES, NAMES, URL, WAITING, authorization, challenge, order, order_body, order_reply


def test_an_order_names_what_is_wanted_and_nothing_else() -> None:
    made = Reply(201, order_body(), {"location": URL})
    played = play(new_order(open_session(), [*NAMES, Identifier.parse("ip:2001:db8::1")]), [made])
    assert played.urls == ["/new-order"]
    assert signed(played.requests[0]).document() == {
        "identifiers": [
            {"type": "dns", "value": "example.org"},
            {"type": "dns", "value": "*.example.org"},
            {"type": "ip", "value": "2001:db8::1"},
        ]
    }
    assert played.value == order()


def test_what_is_replaced_is_named_where_it_is_known() -> None:
    made = Reply(201, order_body(), {"location": URL})
    played = play(new_order(open_session(), NAMES, replaces="aa.bb"), [made])
    assert signed(played.requests[0]).document()["replaces"] == "aa.bb"
    plain = play(new_order(open_session(), NAMES), [made])
    assert "replaces" not in signed(plain.requests[0]).document()


def test_rfc_8738_addresses_are_identifiers_of_their_own_type() -> None:
    """§3: the text of RFC 1123 or RFC 5952, whatever the operator wrote."""
    made = Reply(201, order_body(), {"location": URL})
    names = [Identifier.parse(text) for text in ("ip:192.0.2.1", "ip:2001:DB8:0:0::1", "example.org")]
    document = signed(play(new_order(open_session(), names), [made]).requests[0]).document()
    assert document["identifiers"] == [
        {"type": "ip", "value": "192.0.2.1"},
        {"type": "ip", "value": "2001:db8::1"},
        {"type": "dns", "value": "example.org"},
    ]


def test_a_profile_is_named_where_one_is_wanted() -> None:
    made = Reply(201, order_body(), {"location": URL})
    played = play(new_order(open_session(), NAMES, profile="shortlived"), [made])
    assert signed(played.requests[0]).document()["profile"] == "shortlived"


@pytest.mark.parametrize("status", list(OrderStatus))
def test_every_status_is_read(status: OrderStatus) -> None:
    played = play(new_order(open_session(), NAMES), [Reply(201, order_body(status.value), {"location": URL})])
    assert played.value.status is status
    assert played.value.certificate == (f"{ORIGIN}/certificate/1" if status is OrderStatus.VALID else "")


@pytest.mark.parametrize("status", ["", "unknown", "VALID", None, 7])
def test_another_status_is_malformed(status: object) -> None:
    body = {**order_body(), "status": status}
    error = play(new_order(open_session(), NAMES), [Reply(201, body, {"location": URL}), Reply(200, body)]).error
    assert isinstance(error, MalformedBody)
    assert str(error).startswith(f"order {URL}: ")


def test_an_order_without_a_location_is_malformed() -> None:
    error = play(new_order(open_session(), NAMES), [Reply(201, order_body())]).error
    assert str(error) == f"{ORIGIN}/new-order: an order without a Location"


def test_a_valid_order_without_a_certificate_is_malformed() -> None:
    body = {**order_body("valid"), "certificate": None}
    error = play(new_order(open_session(), NAMES), [Reply(201, body, {"location": URL}), Reply(200, body)]).error
    assert isinstance(error, MalformedBody)


def test_an_orders_error_and_retry_after_are_kept() -> None:
    error = {"type": "urn:ietf:params:acme:error:caa", "detail": "forbidden"}
    reply = Reply(201, order_body("invalid", error=error), {"location": URL, "retry-after": "9"})
    made = play(new_order(open_session(), NAMES), [reply]).value
    assert str(made.error) == "caa: forbidden"
    assert made.retry_after == timedelta(seconds=9)


@pytest.mark.parametrize("backwards", [False, True])
def test_authorizations_are_told_apart_by_what_they_say(backwards: bool) -> None:  # noqa: FBT001 - a parameter set
    replies = [authorization("example.org"), authorization("example.org", wildcard=True)]
    played = play(
        fetch_authorizations(open_session(), [f"{ORIGIN}/authz/{number}" for number in (1, 2)]),
        [*(reversed(replies) if backwards else replies)],
        limit=3,
    )
    assert {str(item.identifier) for item in played.value} == {"example.org", "*.example.org"}
    assert [signed(request).payload for request in played.posts] == [b"", b""]


def first_authorization(reply: Answer) -> object:
    played = play(fetch_authorizations(open_session(), [f"{ORIGIN}/authz/1"]), [reply])
    return played.value[0] if played.error is None else played.error


def test_a_wildcard_that_comes_with_its_star_has_one_star() -> None:
    (item,) = play(
        fetch_authorizations(open_session(), [f"{ORIGIN}/authz/1"]), [authorization("*.Example.ORG", wildcard=True)]
    ).value
    assert item.identifier == Identifier.parse("*.example.org")


def test_an_address_is_the_one_that_was_ordered_however_the_ca_writes_it() -> None:
    (item,) = play(
        fetch_authorizations(open_session(), [f"{ORIGIN}/authz/1"]), [authorization("2001:DB8:0::0001", type_="ip")]
    ).value
    assert item.identifier == Identifier.parse("ip:2001:db8::1")


@pytest.mark.parametrize("status", list(AuthorizationStatus))
def test_every_status_of_an_authorization_is_read(status: AuthorizationStatus) -> None:
    played = play(
        fetch_authorizations(open_session(), [f"{ORIGIN}/authz/1"]), [authorization("example.org", status.value)]
    )
    assert played.value[0].status is status


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {}),
        Reply(200, {"identifier": "example.org", "status": "pending"}),
        Reply(200, {"identifier": {"type": "dns"}, "status": "pending"}),
        authorization("example.org", "unheard-of"),
        authorization("example.org", type_="email"),
        Reply(200, b"[]"),
    ],
)
def test_an_authorization_of_another_shape_is_malformed(reply: Reply) -> None:
    error = first_authorization(reply)
    assert isinstance(error, MalformedBody)
    assert str(error).startswith(f"authorization {ORIGIN}/authz/1: ")


def test_unknown_challenges_and_those_without_a_token_are_passed_over() -> None:
    (item,) = play(
        fetch_authorizations(open_session(), [f"{ORIGIN}/authz/1"]),
        [
            authorization(
                "example.org",
                "pending",
                challenge("dns-persist-01", token=None),
                challenge("dns-01", token=None),
                {},
                challenge("quantum-01"),
                challenge("dns-01", token="ours"),
            )
        ],
    ).value
    assert item.challenge("dns-01").token == "ours"
    with pytest.raises(OrderFailed, match=r"does not offer http-01, but .*dns-01, .*quantum-01") as caught:
        item.challenge("http-01")
    assert str(caught.value).startswith("example.org: ")


def test_an_authorization_without_challenges_offers_nothing() -> None:
    reply = Reply(200, {"identifier": {"type": "dns", "value": "example.org"}, "status": "pending"})
    (item,) = play(fetch_authorizations(open_session(), [f"{ORIGIN}/authz/1"]), [reply]).value
    with pytest.raises(OrderFailed, match=r"example\.org: the CA does not offer dns-01, but nothing"):
        item.challenge("dns-01")


# Identifiers, types and statuses are strangers' texts.
@pytest.mark.parametrize(
    "reply",
    [
        authorization("a\x1b]0;owned\x07b.test", "pending", challenge("http-01")),
        authorization("example.org", "pending", challenge("dns\x1b[31m-02")),
        authorization("example.org", "pending", challenge("x" * 2**20)),
    ],
    ids=["identifier", "type", "megabyte"],
)
def test_what_a_ca_calls_things_is_made_safe_to_print(reply: Reply) -> None:
    (item,) = play(fetch_authorizations(open_session(), [f"{ORIGIN}/authz/1"]), [reply]).value
    with pytest.raises(OrderFailed) as caught:
        item.challenge("dns-01")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 5000


def test_a_status_of_a_megabyte_makes_no_message_of_a_megabyte() -> None:
    body = {**order_body(), "status": "x" * 2**20}
    error = play(new_order(open_session(), NAMES), [Reply(201, body, {"location": URL}), Reply(200, body)]).error
    assert len(str(error)) < 5000


@pytest.mark.parametrize("spoilt", [b"<html>", b"", b'{"status": "pen'])
def test_an_order_whose_first_answer_was_spoilt_is_looked_at_once_more(spoilt: bytes) -> None:
    replies = [Reply(201, spoilt, {"location": URL}), order_reply()]
    played = play(new_order(open_session(), NAMES), replies)
    assert played.urls == ["/new-order", "/order/1"]
    assert (played.value.url, played.value.status) == (URL, OrderStatus.PENDING)


def test_answers_to_a_new_order_are_lost_twice_at_most() -> None:
    lost = TransportError("reset")
    played = play(new_order(open_session(), NAMES), lambda request: Reply() if request.method == "HEAD" else lost)
    assert played.error is lost
    assert played.urls.count("/new-order") == 2


def test_a_new_order_that_never_went_out_is_sent_again() -> None:
    unsent = TransportError("refused", sent=False)
    played = play(new_order(open_session(), NAMES), lambda request: Reply() if request.method == "HEAD" else unsent)
    assert played.urls.count("/new-order") == 5


def test_a_busy_ca_and_a_lost_answer_count_apart() -> None:
    made = Reply(201, order_body(), {"location": URL})
    busy = Reply(503, headers={"retry-after": "1"})
    replies: list[Answer] = [busy, busy, TransportError("reset"), Reply(), made]
    assert play(new_order(open_session(), NAMES), replies).value.url == URL


def test_an_order_names_each_authorization_once_and_not_without_end() -> None:
    twice = order_reply(authorizations=[f"{ORIGIN}/authz/1"] * 3)
    first = Reply(201, twice.body, {"location": URL})
    assert play(new_order(open_session(), NAMES), [first]).value.authorizations == (f"{ORIGIN}/authz/1",)
    many = {**order_body(), "authorizations": [f"{ORIGIN}/{number}" for number in range(5001)]}
    error = play(new_order(open_session(), NAMES), [Reply(201, many, {"location": URL}), Reply(200, many)]).error
    assert isinstance(error, MalformedBody)
    assert "5001 authorizations" in str(error)


def test_a_csr_is_sent_to_the_url_that_the_order_names() -> None:
    played = play(finalize(open_session(), order(OrderStatus.READY), b"\x30\x00csr"), [order_reply("processing")])
    assert played.urls == ["/finalize/1"]
    assert unb64(str(signed(played.requests[0]).document()["csr"])) == b"\x30\x00csr"
    assert (played.value.status, played.value.url) == (OrderStatus.PROCESSING, URL)


@pytest.mark.parametrize("status", ["processing", "valid", "invalid"])
def test_a_finalize_that_got_through_before_is_found_in_the_order(status: str) -> None:
    replies = [problem("orderNotReady", "order is not ready", status=403), order_reply(status)]
    played = play(finalize(open_session(), order(OrderStatus.READY), b"csr"), replies)
    assert played.urls == ["/finalize/1", "/order/1"]
    assert played.value.status is OrderStatus(status)


def test_an_order_that_is_ready_and_not_ready_is_the_cas_problem() -> None:
    replies = [problem("orderNotReady", "wait", status=403), order_reply("ready")]
    error = play(finalize(open_session(), order(OrderStatus.READY), b"csr"), replies).error
    assert isinstance(error, Problem)
    assert str(error) == "finalize: orderNotReady: wait"


def test_a_refused_csr_is_a_problem() -> None:
    error = play(finalize(open_session(), order(OrderStatus.READY), b"csr"), [problem("badCSR", "weak key")]).error
    assert str(error) == "finalize: badCSR: weak key"


def test_an_order_that_is_there_already_is_not_asked_for() -> None:
    ready = order(OrderStatus.READY)
    assert play(wait_while(open_session(), ready, WAITING, FIVE_MINUTES), []).value is ready


def test_an_invalid_order_is_explained_name_by_name() -> None:
    refused = challenge("dns-01", error={"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"})
    replies = [
        authorization("example.org", "invalid", challenge("http-01"), refused),
        authorization("example.org", "valid", wildcard=True),
    ]
    error = play(explain_invalid(open_session(), order(OrderStatus.INVALID)), replies).value
    assert isinstance(error, OrderFailed)
    assert str(error) == "example.org: dns: NXDOMAIN"


def test_names_that_the_ca_is_still_looking_at_are_waited_for() -> None:
    """An order is invalid with its first name (§7.1.6); the CA decides on the others a moment later."""
    caa, dns = ({"type": f"urn:ietf:params:acme:error:{kind}", "detail": "no"} for kind in ("caa", "dns"))
    first = authorization("a.example", "invalid", challenge("dns-01", error=caa))
    looking = authorization("b.example")
    later = authorization("b.example", "invalid", challenge("dns-01", error=dns))
    played = play(explain_invalid(open_session(), order(OrderStatus.INVALID)), [first, looking, looking, later])
    assert str(played.value) == "a.example: caa: no; b.example: dns: no"
    assert played.value.identifiers == (Identifier.parse("a.example"), Identifier.parse("b.example"))
    assert played.urls == ["/authz/1", "/authz/2", "/authz/2", "/authz/2"]


def test_names_that_the_ca_never_looks_at_are_not_waited_for_for_long() -> None:
    refused = authorization("a.example", "invalid")
    played = play(
        explain_invalid(open_session(), order(OrderStatus.INVALID)), [refused, *[authorization("b.example")] * 5]
    )
    assert played.value.identifiers == (Identifier.parse("a.example"),)
    assert 0 < sum(played.pauses) < 10


def test_a_challenge_that_failed_counts_where_the_authorization_stays_pending() -> None:
    error = {"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"}
    failed = challenge("dns-01", status="invalid", error=error)
    replies = [authorization("example.org", "pending", failed), authorization("example.org", "valid", wildcard=True)]
    played = play(explain_invalid(open_session(), order(OrderStatus.INVALID)), replies)
    assert str(played.value) == "example.org: dns: NXDOMAIN"
    assert played.value.identifiers == (Identifier.parse("example.org"),)


def test_a_name_without_an_error_is_told_by_its_status() -> None:
    replies = [authorization("example.org", "expired"), authorization("example.org", wildcard=True)]
    error = play(explain_invalid(open_session(), order(OrderStatus.INVALID)), replies).value
    assert str(error) == "example.org: authorization is expired"


def test_the_orders_own_error_is_told_too() -> None:
    body = order_body("invalid", error={"type": "urn:ietf:params:acme:error:caa", "detail": "forbidden"})
    invalid = play(new_order(open_session(), NAMES), [Reply(201, body, {"location": URL})]).value
    replies = [authorization("example.org", "valid"), authorization("example.org", "valid", wildcard=True)]
    assert str(play(explain_invalid(open_session(), invalid), replies).value) == "caa: forbidden"


def test_a_ca_that_does_not_say_why_is_named_so() -> None:
    replies = [authorization("example.org", "valid"), authorization("example.org", "valid", wildcard=True)]
    error = play(explain_invalid(open_session(), order(OrderStatus.INVALID)), replies).value
    assert str(error) == f"order {URL}: invalid, and the CA does not say why"


def test_the_orders_error_survives_authorizations_that_are_gone() -> None:
    body = order_body("invalid", error={"type": "urn:ietf:params:acme:error:caa", "detail": "forbidden"})
    invalid = play(new_order(open_session(), NAMES), [Reply(201, body, {"location": URL})]).value
    played = play(explain_invalid(open_session(), invalid), lambda _: problem("malformed", "no such authz", status=404))
    assert "caa: forbidden" in str(played.error or played.value)


def test_an_answer_that_is_lost_on_the_way_is_asked_for_again() -> None:
    lost = TransportError(f"{URL}: connection reset")
    played = play(wait_while(open_session(), order(), WAITING, FIVE_MINUTES), [lost, Reply(), order_reply("ready")])
    assert played.value.status is OrderStatus.READY
