import json

import pytest

from builders.ca import unb64
from certkeeper.acme.binding import Binding
from certkeeper.acme.hmackey import BadHmacKey, decode_hmac_key

JWK = {"crv": "P-256", "kty": "EC", "x": "eA", "y": "eQ"}
URL = "https://ca.test/new-account"
KEY = bytes(range(32))


def test_the_binding_is_what_rfc_8555_shows() -> None:
    jws = Binding("kid-1", KEY).sign(JWK, URL)
    assert set(jws) == {"protected", "payload", "signature"}
    assert json.loads(unb64(jws["protected"])) == {"alg": "HS256", "kid": "kid-1", "url": URL}
    assert json.loads(unb64(jws["payload"])) == JWK


def test_the_key_is_in_no_repr() -> None:
    assert repr(Binding("kid-1", b"secret")) == "Binding(kid='kid-1')"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("YQ", b"a"), ("YQ==", b"a"), ("YWI", b"ab"), ("YWI=", b"ab"), ("YWJj", b"abc"), ("-_-_", b"\xfb\xff\xbf")],
)
def test_padding_may_be_there_or_not(text: str, expected: bytes) -> None:
    assert decode_hmac_key(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not base64url"),
        ("=", "is not base64url"),
        ("Y", "a character is missing"),
        ("YWJj=", "a character is missing"),
        ("YQ=", "a character is missing"),
        ("YQ===", "is not base64url"),
        ("+/+/", "is base64, not base64url"),
        ("+_+_", "is not base64url"),
        ("YW Jj", "is not base64url"),
        ("YWJj\n", "is not base64url"),
        ("schlüssel", "is not base64url"),
    ],
)
def test_what_is_no_key_is_said_without_it(text: str, said: str) -> None:
    with pytest.raises(BadHmacKey, match=said) as caught:
        decode_hmac_key(text)
    assert caught.value.hint
    assert len(text) < 4 or text not in str(caught.value)
