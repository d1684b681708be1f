"""The issuer's certificate for a chain that is a leaf alone: from where the leaf says, and nothing but that."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from builders.certificates import NOW, Wish, intermediate, new_key, new_root, root
from certkeeper.apply.issuer import NoIssuer, issuer_of
from certkeeper.base.wire import Request, Response

URL = "http://ca.example/issuer.cer"
DER = intermediate().certificate.public_bytes(Encoding.DER)


def leaf(*urls: str) -> bytes:
    return intermediate().leaf(new_key(), Wish(issuer_urls=urls))


def fetched(fullchain: bytes, web: Mapping[str, Response]) -> tuple[bytes, list[str]]:
    """What becomes of it where these are all that the web has, and what was asked for."""
    exchange, asked = issuer_of(fullchain, "test"), list[str]()
    answer: object = None
    while True:
        try:
            step = exchange.send(answer)
        except StopIteration as end:
            return end.value, asked
        assert isinstance(step, Request)
        assert (step.method, step.headers, step.body) == ("GET", (("user-agent", "test"),), b"")
        asked.append(step.url)
        answer = web[step.url]


def holds(body: bytes) -> Response:
    return Response(200, NOW, (), body)


def leads_to(location: str) -> Response:
    return Response(302, NOW, (("location", location),))


@pytest.mark.parametrize("body", [DER, intermediate().pem, b"# ours\r\n" + intermediate().pem.replace(b"\n", b"\r\n")])
def test_it_is_taken_as_der_and_as_pem(body: bytes) -> None:
    assert fetched(leaf("ldap://ca.example/cn=ca", URL), {URL: holds(body)}) == (intermediate().pem, [URL])


def test_what_the_ca_sent_along_is_not_asked_for() -> None:
    assert fetched(leaf(URL) + intermediate().pem + root().pem, {}) == (intermediate().pem, [])


def test_it_may_be_elsewhere() -> None:
    web = {URL: leads_to("/new/issuer.cer"), "http://ca.example/new/issuer.cer": leads_to("https://other.example/i")}
    web["https://other.example/i"] = holds(DER)
    assert fetched(leaf(URL), web) == (intermediate().pem, list(web))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (holds(root().pem), "is not signed by"),
        (holds(intermediate().crossed(new_root("Test Intermediate")).pem), "is not signed by"),
        (holds(leaf()), "is no CA's certificate"),
        (holds(intermediate().pem + root().pem), "there are 2 certificates"),
        (holds(b"<html>gone</html>"), "cannot be read as a certificate"),
        (holds(b""), "cannot be read as a certificate"),
        (holds(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "cannot be read as a certificate"),
        (holds(DER + b"\0" * 65536), "octets are no certificate"),
        (Response(200, NOW + timedelta(days=2000), (), DER), "expired"),
        (Response(404, NOW, (), DER), "status 404"),
        (Response(302, NOW), "status 302"),
        (leads_to(URL), "redirected more than 4 times"),
        (leads_to("file:///etc/passwd"), "file:///etc/passwd, which is no address"),
        (leads_to("http://[::1"), "which is no address"),
        (leads_to("http://user:secret@ca.example/"), "which is no address"),
    ],
)
def test_anything_else_is_refused(answer: Response, said: str) -> None:
    with pytest.raises(NoIssuer) as refused:
        fetched(leaf(URL), {URL: answer})
    assert URL in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize("urls", [(), ("ldap://ca.example/cn=ca",), ("http://[::1",)])
def test_a_leaf_that_says_nothing_to_go_by(urls: tuple[str, ...]) -> None:
    with pytest.raises(NoIssuer, match="without its chain"):
        fetched(leaf(*urls), {})
