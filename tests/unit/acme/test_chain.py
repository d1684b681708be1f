import pytest

from builders.ca import ORIGIN, Reply, open_session, play, problem, signed
from builders.certificates import NOW
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.chain import download
from certkeeper.acme.order import Order, OrderStatus
from certkeeper.acme.problem import Problem

ORDER = Order(f"{ORIGIN}/order/1", OrderStatus.VALID, (), "", NOW, certificate=f"{ORIGIN}/certificate/1")
PEM = b"-----BEGIN CERTIFICATE-----\r\nAA==\n-----END CERTIFICATE-----\n\n\n"


def test_a_chain_comes_octet_for_octet() -> None:
    played = play(download(open_session(), ORDER), [Reply(200, PEM)])
    assert played.value == (PEM, NOW)
    assert played.urls == ["/certificate/1"]
    assert signed(played.requests[0]).payload == b""


@pytest.mark.parametrize("body", [b"", b"<html>", b"-----BEGIN PRIVATE KEY-----"])
def test_what_holds_no_certificate_is_malformed(body: bytes) -> None:
    error = play(download(open_session(), ORDER), [Reply(200, body)]).error
    assert isinstance(error, MalformedBody)
    assert str(error) == f"certificate {ORIGIN}/certificate/1: the answer holds no PEM certificate"


def test_a_refused_download_says_so() -> None:
    error = play(download(open_session(), ORDER), [problem("unauthorized", "not yours", status=403)]).error
    assert isinstance(error, Problem)
    assert str(error) == "certificate: unauthorized: not yours"
