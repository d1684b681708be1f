import pytest

from builders.ca import ORIGIN, Reply, open_session, play, problem, signed
from builders.certificates import NOW
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.chain import MOST_ALTERNATES, Download, download
from certkeeper.acme.problem import Problem

CERTIFICATE = f"{ORIGIN}/certificate/1"
PEM = b"-----BEGIN CERTIFICATE-----\r\nAA==\n-----END CERTIFICATE-----\n\n\n"


def test_a_chain_comes_octet_for_octet() -> None:
    played = play(download(open_session(), CERTIFICATE), [Reply(200, PEM)])
    assert played.value == Download(PEM, NOW)
    assert played.urls == ["/certificate/1"]
    assert signed(played.requests[0]).payload == b""


@pytest.mark.parametrize("body", [b"", b"<html>", b"-----BEGIN PRIVATE KEY-----"])
def test_what_holds_no_certificate_is_malformed(body: bytes) -> None:
    error = play(download(open_session(), CERTIFICATE), [Reply(200, body)]).error
    assert isinstance(error, MalformedBody)
    assert str(error) == f"certificate {ORIGIN}/certificate/1: the answer holds no PEM certificate"


def test_a_refused_download_says_so() -> None:
    error = play(download(open_session(), CERTIFICATE), [problem("unauthorized", "not yours", status=403)]).error
    assert isinstance(error, Problem)
    assert str(error) == "certificate: unauthorized: not yours"


def test_alternates_come_in_several_headers_and_may_be_relative() -> None:
    links = ('</certificate/1/1>;rel="alternate"', f'<{ORIGIN}/directory>;rel="index"', "<2>; rel=alternate")
    played = play(download(open_session(), CERTIFICATE), [Reply(200, PEM, links=links)])
    assert played.value.alternates == (f"{ORIGIN}/certificate/1/1", f"{ORIGIN}/certificate/2")


def test_a_chain_is_no_alternate_of_itself() -> None:
    links = (f"<{CERTIFICATE}>;rel=alternate",)
    assert play(download(open_session(), CERTIFICATE), [Reply(200, PEM, links=links)]).value.alternates == ()


def test_a_ca_cannot_offer_alternates_without_end() -> None:
    links = tuple(f"</certificate/1/{number}>;rel=alternate" for number in range(1000))
    played = play(download(open_session(), CERTIFICATE), [Reply(200, PEM, links=links)])
    assert len(played.value.alternates) == MOST_ALTERNATES
