import base64
import hashlib

import pytest

from builders.ca import ORIGIN, Reply, open_session, play, problem, signed
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.challenge import Challenge, ChallengeFailed, answer, dns01_owner, dns01_value, read_challenge
from certkeeper.acme.problem import Problem
from certkeeper.base.names import DnsName

URL = f"{ORIGIN}/challenge/1"


def test_a_name_and_its_wildcard_share_one_owner() -> None:
    assert dns01_owner(DnsName("www.example.org")) == DnsName("_acme-challenge.www.example.org")


def test_the_value_is_the_hash_of_token_and_thumbprint() -> None:
    key = open_session().key
    digest = hashlib.sha256(f"evaGxfADs6pSRb2LAv9IZ.{key.thumbprint}".encode()).digest()
    value = dns01_value("evaGxfADs6pSRb2LAv9IZ", key)
    assert value == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert len(value) == 43


def test_an_answer_is_an_empty_object() -> None:
    challenge = Challenge("dns-01", URL, "pending", "token")
    played = play(answer(open_session(), challenge, "a.example.org"), [Reply(200, {"status": "processing"})])
    assert played.urls == ["/challenge/1"]
    assert signed(played.requests[0]).payload == b"{}"


CHALLENGE = Challenge("dns-01", URL, "pending", "token")


def now(status: str) -> Reply:
    return Reply(200, {"type": "dns-01", "url": URL, "status": status, "token": "token"})


def test_a_refused_answer_names_the_name() -> None:
    played = play(answer(open_session(), CHALLENGE, "a.example.org"), [problem("unauthorized", "no"), now("pending")])
    assert isinstance(played.error, Problem)
    assert str(played.error) == "a.example.org: unauthorized: no"


@pytest.mark.parametrize("status", ["processing", "valid", "invalid"])
def test_a_challenge_that_is_under_way_needs_no_second_answer(status: str) -> None:
    refused = problem("malformed", "Cannot update challenge with status processing, only status pending")
    played = play(answer(open_session(), CHALLENGE, "a.example.org"), [refused, now(status)])
    assert played.error is None
    assert [signed(request).payload for request in played.posts] == [b"{}", b""]


# Looking again must not hide why the answer was refused.
@pytest.mark.parametrize("second", [problem("malformed", "no such challenge", status=404), Reply(200, b"<html>")])
def test_a_refusal_is_told_where_the_challenge_cannot_be_read_any_more(second: Reply) -> None:
    played = play(answer(open_session(), CHALLENGE, "a.example.org"), [problem("unauthorized", "no"), second])
    assert str(played.error) == "a.example.org: unauthorized: no"


@pytest.mark.parametrize("document", [{}, {"type": 7, "url": None, "status": [], "token": {}, "error": "x"}])
def test_a_challenge_of_an_unknown_shape_is_kept_empty(document: dict[str, object]) -> None:
    assert read_challenge(document) == Challenge("", "", "")


def test_a_challenge_keeps_its_error() -> None:
    error = {"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"}
    challenge = read_challenge({"type": "dns-01", "url": URL, "status": "invalid", "token": "t", "error": error})
    assert (challenge.type, challenge.url, challenge.status, challenge.token) == ("dns-01", URL, "invalid", "t")
    assert str(challenge.error) == "dns: NXDOMAIN"


def test_a_challenge_for_a_standing_record_has_issuers_in_place_of_a_token() -> None:
    document = {
        "type": "dns-persist-01",
        "url": URL,
        "status": "pending",
        "accounturi": "https://ca.example/acct/123",
        "issuer-domain-names": ["authority.example", "ca.example"],
    }
    challenge = read_challenge(document)
    assert challenge.usable
    assert challenge.issuers == ("authority.example", "ca.example")
    assert challenge.account == "https://ca.example/acct/123"


@pytest.mark.parametrize("issuers", [None, [], "authority.example", ["Authority.example"], ["authority.example."]])
def test_without_proper_issuers_it_is_of_no_use(issuers: object) -> None:
    document = {"type": "dns-persist-01", "url": URL, "status": "pending", "issuer-domain-names": issuers, "token": "x"}
    assert not read_challenge(document).usable


# acme2certifier looks before it replies, and leaves the order pending.
def test_a_challenge_that_is_invalid_at_once_is_an_error_that_names_it() -> None:
    error = {"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"}
    for body, said in (
        ({"status": "invalid", "error": error}, "example.org: dns: NXDOMAIN"),
        ({"status": "invalid"}, "example.org: the CA finds the challenge invalid, and does not say why"),
    ):
        played = play(answer(open_session(), CHALLENGE, "example.org"), [Reply(200, body)])
        assert isinstance(played.error, ChallengeFailed)
        assert str(played.error) == said
        assert played.error.hint


def test_a_page_in_the_cas_place_is_no_answer_to_a_challenge() -> None:
    page, pending = Reply(200, b"<html>"), Reply(200, {"status": "pending"})
    played = play(answer(open_session(), CHALLENGE, "example.org"), [page, pending])
    assert isinstance(played.error, MalformedBody)
    done = play(answer(open_session(), CHALLENGE, "example.org"), [page, Reply(200, {"status": "processing"})])
    assert done.error is None
