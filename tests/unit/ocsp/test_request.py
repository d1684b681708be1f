import base64
from urllib.parse import unquote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509 import ocsp

from builders.certificates import NOW, Wish, intermediate, new_key, root
from builders.responder import URL, ours
from certkeeper.ocsp.fetch import requests
from certkeeper.ocsp.model import Flaw, NoStaple
from certkeeper.ocsp.request import issued, request

LEAF = intermediate().leaf(new_key(), Wish(ocsp_url=URL))


def test_a_certificate_and_its_issuer() -> None:
    found = issued(LEAF, intermediate().pem + root().pem)
    assert found.subject.url == URL
    assert found.subject.not_after == Wish().not_after
    assert found.cert_id.serial == found.leaf.serial_number
    assert str(found.cert_id).endswith(f".{found.leaf.serial_number:x}")
    assert issued(intermediate().leaf(new_key()), intermediate().pem).subject.url is None


@pytest.mark.parametrize("chain", [b"", b"junk", root().pem, root().sub("Test Intermediate").pem, LEAF])
def test_what_follows_is_not_the_issuer(chain: bytes) -> None:
    with pytest.raises(NoStaple) as caught:
        issued(LEAF, chain)
    assert caught.value.flaw is Flaw.NO_ISSUER


def test_a_request_is_about_one_certificate_and_has_no_more_than_asked_for() -> None:
    plain = ocsp.load_der_ocsp_request(request(ours()))
    assert isinstance(plain.hash_algorithm, SHA1)
    assert plain.serial_number == ours().cert_id.serial
    assert plain.issuer_name_hash == ours().cert_id.issuer_name_hash
    assert plain.issuer_key_hash == ours().cert_id.issuer_key_hash
    assert len(plain.extensions) == 0
    with_nonce = ocsp.load_der_ocsp_request(request(ours(), b"n" * 32))
    assert with_nonce.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/path"])
def test_small_requests_go_by_get_and_by_post_as_the_second_try(url: str) -> None:
    der = request(ours())
    get, post = requests(url, der, "certkeeper/test")
    assert (get.method, get.body) == ("GET", b"")
    base, _, encoded = get.url.rpartition("/")
    assert base == url.removesuffix("/")
    assert base64.b64decode(unquote(encoded)) == der
    assert len(get.url) <= 255
    assert (post.method, post.url, post.body) == ("POST", url, der)
    assert ("content-type", "application/ocsp-request") in post.headers


@pytest.mark.parametrize("url", [f"{URL}/{'a' * 200}", f"{URL}/ask?ca=1"])
def test_what_does_not_go_by_get(url: str) -> None:
    assert [item.method for item in requests(url, request(ours()), "certkeeper/test")] == ["POST"]


def test_the_tests_certificate_is_valid() -> None:
    assert ours().leaf.not_valid_before_utc < NOW < ours().subject.not_after
