import json

import pytest

from builders.ca import KID, ORIGIN, Reply, open_session, play, problem, signed
from certkeeper.acme.account import find_account, register
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
