"""Revocation requests (RFC 8555 §7.6) and the words for their reasons (RFC 5280 §5.3.1)."""

import pytest

from builders.ca import KID, ORIGIN, Reply, open_session, play, problem, signed
from certkeeper.acme.jws import b64url
from certkeeper.acme.problem import Problem
from certkeeper.acme.revoke import RevocationReason, UnknownReason, read_reason, revoke

DER = b"\x30\x82certificate"


def test_the_account_asks_for_it() -> None:
    played = play(revoke(open_session(), DER, RevocationReason.SUPERSEDED), [Reply(200)])
    assert played.value is True
    jws = signed(played.requests[0])
    assert (jws.protected["kid"], jws.protected["url"]) == (KID, f"{ORIGIN}/revoke-cert")
    assert jws.document() == {"certificate": b64url(DER), "reason": 4}


def test_unspecified_is_said_by_saying_nothing() -> None:
    played = play(revoke(open_session(), DER, RevocationReason.UNSPECIFIED), [Reply(200)])
    assert signed(played.requests[0]).document() == {"certificate": b64url(DER)}


def test_without_an_account_the_key_itself_asks() -> None:
    session = open_session(kid=None)
    played = play(revoke(session, DER, RevocationReason.KEY_COMPROMISE), [Reply(200)])
    assert signed(played.requests[0]).protected["jwk"] == session.key.jwk


def test_revoked_before_is_done() -> None:
    assert play(revoke(open_session(), DER, RevocationReason.UNSPECIFIED), [problem("alreadyRevoked")]).value is False


@pytest.mark.parametrize("refusal", ["unauthorized", "badRevocationReason", "malformed"])
def test_any_other_refusal_is_one(refusal: str) -> None:
    error = play(revoke(open_session(), DER, RevocationReason.UNSPECIFIED), [problem(refusal, status=403)]).error
    assert isinstance(error, Problem)
    assert error.type == refusal


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("unspecified", 0),
        ("keyCompromise", 1),
        ("keycompromise", 1),
        ("affiliationChanged", 3),
        ("superseded", 4),
        ("cessationOfOperation", 5),
        ("0", 0),
        ("1", 1),
        ("3", 3),
        ("4", 4),
        ("5", 5),
    ],
)
def test_a_reason_is_a_word_or_a_number(text: str, code: int) -> None:
    assert read_reason(text) == code


@pytest.mark.parametrize("text", ["7", "11", "-1", "", "01", "key", "\x1b[31m", "1 "])
def test_what_rfc_5280_does_not_know_is_refused_here(text: str) -> None:
    with pytest.raises(UnknownReason) as caught:
        read_reason(text)
    assert "\x1b" not in str(caught.value)
    assert "keyCompromise" in caught.value.hint


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("cACompromise", 2),
        ("certificateHold", 6),
        ("removeFromCRL", 8),
        ("privilegeWithdrawn", 9),
        ("aACompromise", 10),
    ],
)
def test_what_is_not_the_owners_to_say_is_refused_here(word: str, number: int) -> None:
    for text in (word, word.lower(), str(number)):
        with pytest.raises(UnknownReason) as caught:
            read_reason(text)
        assert caught.value.hint == (
            "one of unspecified (0), keyCompromise (1), affiliationChanged (3), superseded (4), "
            "cessationOfOperation (5)"
        )


def test_every_reason_has_its_own_word() -> None:
    assert {read_reason(reason.word) for reason in RevocationReason} == set(RevocationReason)
