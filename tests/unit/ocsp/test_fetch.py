import pytest
from cryptography.x509 import ocsp

from builders.ca import Reply, play
from builders.responder import URL, Says, answer, certificate, declined, ours
from certkeeper.base.wire import Request, TransportError
from certkeeper.ocsp.fetch import RESPONSE_TYPE, fetched
from certkeeper.ocsp.model import CertStatus, Flaw, NoStaple, Staple
from certkeeper.ocsp.request import Issued

AGENT = "certkeeper/test"


def reply(der: bytes, kind: str = RESPONSE_TYPE) -> Reply:
    return Reply(body=der, headers={"content-type": kind}, nonce=False)


def moved(to: str, status: int = 302) -> Reply:
    return Reply(status, headers={"location": to}, nonce=False)


def get(script: list[Reply | TransportError], asked: Issued | None = None) -> tuple[Staple, list[Request]]:
    played = play(fetched(asked or ours(), AGENT), script)
    return played.value, list(played.requests)


def refused(script: list[Reply | TransportError], flaw: Flaw, asked: Issued | None = None) -> NoStaple:
    with pytest.raises(NoStaple) as caught:
        get(script, asked)
    assert caught.value.flaw is flaw, caught.value
    return caught.value


def test_one_request_where_that_is_enough() -> None:
    staple, requests = get([reply(answer(ours()))])
    assert staple.status is CertStatus.GOOD
    assert [item.method for item in requests] == ["GET"]
    staple, _ = get([reply(answer(ours()), "Application/OCSP-Response; charset=binary")])
    assert staple.status is CertStatus.GOOD
    staple, _ = get([reply(answer(ours(), Says(ocsp.OCSPCertStatus.REVOKED)))])
    assert staple.status is CertStatus.REVOKED


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_responder_that_knows_post_alone(status: int) -> None:
    _, requests = get([Reply(status, nonce=False), reply(answer(ours()))])
    assert [item.method for item in requests] == ["GET", "POST"]


def test_no_third_try() -> None:
    assert "status 404" in str(refused([Reply(404, nonce=False)] * 2, Flaw.HTTP))


def test_a_busy_responder_says_when_to_come_back() -> None:
    busy = Reply(503, headers={"retry-after": "120"}, nonce=False)
    refusal = refused([busy], Flaw.HTTP)
    assert refusal.retry_at is not None


def test_redirects_are_followed_to_http_and_its_like() -> None:
    _, requests = get([moved("https://other.example.net/x"), moved("/y"), reply(answer(ours()))])
    assert [item.url for item in requests][1:] == ["https://other.example.net/x", "https://other.example.net/y"]


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://example.net/", "http://[", "http://u@example.net/"])
def test_redirects_to_elsewhere_are_not(to: str) -> None:
    assert "redirects to" in str(refused([moved(to)], Flaw.HTTP))


def test_a_redirect_does_not_lead_out_of_tls() -> None:
    secure = certificate(url="https://ocsp.example.net")
    assert "redirects to" in str(refused([moved("http://ocsp.example.net/")], Flaw.HTTP, secure))


def test_redirects_have_an_end() -> None:
    assert "more than 3 times" in str(refused([moved(f"{URL}/{turn}") for turn in range(4)], Flaw.HTTP))


def test_posts_are_redirected_only_as_posts() -> None:
    long = certificate(url=f"{URL}/{'a' * 200}")
    assert "status 302" in str(refused([moved("/x")], Flaw.HTTP, long))
    _, requests = get([moved("/x", 307), reply(answer(long))], long)
    assert [(item.method, item.body) for item in requests] == [("POST", requests[0].body)] * 2


def test_what_else_answers_there() -> None:
    portal = refused([reply(b"<html>log in</html>", "text/html")], Flaw.HTTP)
    assert "text/html" in str(portal)
    assert "portal" in portal.hint
    assert "10485760 octets" in str(refused([reply(b"\0" * (10 << 20))], Flaw.TOO_LARGE))
    busy = refused([reply(declined(ocsp.OCSPResponseStatus.TRY_LATER))], Flaw.DECLINED)
    assert "it wants to be asked later" in str(busy)
    nameless = refused([Reply(body=answer(ours()), nonce=False)], Flaw.HTTP)
    assert "nothing that it has a name for" in str(nameless)


def test_nobody_to_ask() -> None:
    # Nothing in the script: whoever is asked fails the test.
    assert "names no OCSP responder" in str(refused([], Flaw.NO_RESPONDER, certificate(url=None)))
    elsewhere = certificate(url="ldap://ocsp.example.net/")
    assert "ldap://ocsp.example.net/, which the certificate names" in str(refused([], Flaw.HTTP, elsewhere))


def test_a_failure_of_transport_names_the_responder_and_not_what_it_was_asked() -> None:
    _, (asked,) = get([reply(answer(ours()))])
    broken = TransportError(f"{asked.url}: cannot connect", transient=False, sent=False, hint="is it running?")
    with pytest.raises(TransportError) as caught:
        get([broken])
    error = caught.value
    assert (str(error), error.hint) == (f"{URL}: cannot connect", "is it running?")
    assert (error.transient, error.sent) == (False, False)
    with pytest.raises(TransportError) as caught:
        get([TransportError(f"{asked.url}: the connection broke", hint="see the log of that server")])
    assert caught.value.hint == "the CA runs that responder; certkeeper ocsp fetch asks it again"


def test_a_nonce_that_is_not_ours() -> None:
    played = play(fetched(ours(), AGENT, b"a" * 16), [reply(answer(ours(), Says(nonce=b"b" * 16)))])
    assert isinstance(played.error, NoStaple)
    assert played.error.flaw is Flaw.NONCE
