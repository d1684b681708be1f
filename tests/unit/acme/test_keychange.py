"""The signatures of an account key rollover (RFC 8555 §7.3.5)."""

from collections.abc import Mapping
from typing import cast

from builders.ca import DIRECTORY, KID, ORIGIN, Reply, new_session, open_session, opened, play, problem, signed
from builders.certificates import new_key
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.jws import AccountKey
from certkeeper.acme.keychange import change_key
from certkeeper.acme.problem import Problem


def test_the_new_key_asks_and_the_present_one_agrees() -> None:
    session, new = open_session(), AccountKey(new_key().private)
    played = play(change_key(session, new), [Reply(200)])
    assert played.error is None
    outer = signed(played.requests[0])
    assert (outer.protected["kid"], outer.protected["url"]) == (KID, f"{ORIGIN}/key-change")
    inner = opened(cast("Mapping[str, str]", outer.document()))
    assert inner.protected == {"alg": new.algorithm, "jwk": new.jwk, "url": f"{ORIGIN}/key-change"}
    assert inner.document() == {"account": KID, "oldKey": session.key.jwk}
    assert session.key is not new


def test_a_key_in_use_names_its_account() -> None:
    refused = problem("malformed", "in use", status=409, location=f"{ORIGIN}/account/2")
    error = play(change_key(open_session(), AccountKey(new_key().private)), [refused]).error
    assert isinstance(error, Problem)
    assert (error.status, error.location) == (409, f"{ORIGIN}/account/2")


def test_a_directory_without_it_is_told() -> None:
    session = new_session(kid=KID)
    bare = {name: url for name, url in DIRECTORY.items() if name != "keyChange"}
    error = play(change_key(session, AccountKey(new_key().private)), [Reply(200, bare, nonce=False)]).error
    assert isinstance(error, MalformedBody)
    assert "no keyChange" in str(error)
