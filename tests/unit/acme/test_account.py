import json

import pytest

from builders.ca import KID, ORIGIN, Reply, open_session, play, problem, signed
from certkeeper.acme.account import (
    AccountStatus,
    deactivate_account,
    fetch_account,
    find_account,
    register,
    update_contact,
)
from certkeeper.acme.binding import Binding
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.problem import Problem

MADE = Reply(201, {"status": "valid"}, {"location": KID})


def test_a_registration_agrees_to_the_terms_and_names_a_contact() -> None:
    session = open_session(kid=None)
    played = play(register(session, contact_email="admin@example.org"), [MADE])
    assert played.urls == ["/new-account"]
    jws = signed(played.requests[0])
    assert jws.document() == {"termsOfServiceAgreed": True, "contact": ["mailto:admin@example.org"]}
    assert "jwk" in jws.protected
    assert (played.value.url, json.loads(played.value.body)) == (KID, {"status": "valid"})
    assert session.kid == KID


def test_a_contact_is_optional() -> None:
    played = play(register(open_session(kid=None), contact_email=""), [MADE])
    assert signed(played.requests[0]).document() == {"termsOfServiceAgreed": True}


def test_a_binding_goes_into_the_request() -> None:
    session = open_session(kid=None)
    binding = Binding("kid-1", b"secret")
    played = play(register(session, contact_email="", binding=binding), [MADE])
    assert signed(played.requests[0]).document() == {
        "termsOfServiceAgreed": True,
        "externalAccountBinding": binding.sign(session.key.jwk, f"{ORIGIN}/new-account"),
    }


def test_a_key_that_the_ca_knows_gets_its_account_back() -> None:
    session = open_session(kid=None)
    played = play(find_account(session), [Reply(200, {}, {"location": KID})])
    assert signed(played.requests[0]).document() == {"onlyReturnExisting": True}
    assert session.kid == KID


def test_a_key_that_the_ca_does_not_know_is_a_problem_with_a_hint() -> None:
    session = open_session(kid=None)
    error = play(find_account(session), [problem("accountDoesNotExist", "no such key")]).error
    assert isinstance(error, Problem)
    assert str(error) == "account: accountDoesNotExist: no such key"
    assert error.hint
    assert session.kid is None


def test_an_account_without_a_location_is_malformed() -> None:
    error = play(register(open_session(kid=None), contact_email=""), [Reply(201, {})]).error
    assert isinstance(error, MalformedBody)
    assert str(error) == f"{ORIGIN}/new-account: an account without a Location"


@pytest.mark.parametrize("location", ["", None])
def test_an_empty_location_is_none(location: str | None) -> None:
    headers = {} if location is None else {"location": location}
    assert isinstance(play(find_account(open_session(kid=None)), [Reply(200, {}, headers)]).error, MalformedBody)


def test_an_account_is_read_at_its_url() -> None:
    said = {"status": "valid", "contact": ["mailto:a@example.org", 7], "termsOfServiceAgreed": True, "x": 1}
    played = play(fetch_account(open_session()), [Reply(200, said)])
    assert (played.urls, signed(played.requests[0]).payload) == (["/account/1"], b"")
    seen = played.value
    assert (seen.status, seen.contact, seen.agreed) == (AccountStatus.VALID, ("mailto:a@example.org",), True)
    assert json.loads(seen.body) == said


@pytest.mark.parametrize("agreed", [None, "yes", 1])
def test_a_ca_may_say_nothing_of_terms_and_contacts(agreed: object) -> None:
    seen = play(
        fetch_account(open_session()), [Reply(200, {"status": "revoked", "termsOfServiceAgreed": agreed})]
    ).value
    assert (seen.status, seen.contact, seen.agreed) == (AccountStatus.REVOKED, (), None)


def test_a_contact_of_the_cas_is_safe_to_print() -> None:
    seen = play(fetch_account(open_session()), [Reply(200, {"status": "valid", "contact": ["\x1b[31mred"] * 50})]).value
    assert len(seen.contact) == 20
    assert "\x1b" not in seen.contact[0]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"status":"closed"}', b'{"status":1}'])
def test_an_object_that_is_no_account_is_malformed(body: bytes) -> None:
    assert isinstance(play(fetch_account(open_session()), [Reply(200, body)]).error, MalformedBody)


def test_a_contact_is_replaced_as_a_whole() -> None:
    played = play(update_contact(open_session(), ["mailto:b@example.org"]), [Reply(200, {"status": "valid"})])
    assert signed(played.requests[0]).document() == {"contact": ["mailto:b@example.org"]}
    assert played.urls == ["/account/1"]


def test_an_account_is_given_up_by_its_status() -> None:
    played = play(deactivate_account(open_session()), [Reply(200, {"status": "deactivated"})])
    assert signed(played.requests[0]).document() == {"status": "deactivated"}
    assert played.value.status is AccountStatus.DEACTIVATED
