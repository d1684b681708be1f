"""External account binding: every key comes through its text, and the signature is HS256 of what is in the JWS."""

import base64
import hmac
import json

from hypothesis import given
from hypothesis import strategies as st

from builders.ca import unb64
from certkeeper.acme.binding import Binding
from certkeeper.acme.hmackey import BadHmacKey, decode_hmac_key

KEYS = st.binary(min_size=1, max_size=100)


@given(KEYS, st.booleans())
def test_a_key_comes_through_its_text(key: bytes, padded: bool) -> None:  # noqa: FBT001 - drawn
    text = base64.urlsafe_b64encode(key).decode()
    assert decode_hmac_key(text if padded else text.rstrip("=")) == key


@given(st.text(max_size=50))
def test_any_text_is_a_key_or_said_to_be_none(text: str) -> None:
    try:
        key = decode_hmac_key(text)
    except BadHmacKey:
        return
    assert len(key) == len(text.rstrip("=")) * 3 // 4


@given(st.text(min_size=1), KEYS)
def test_the_signature_covers_the_account_key(kid: str, key: bytes) -> None:
    jwk = {"kty": "EC", "x": "eA"}
    jws = Binding(kid, key).sign(jwk, "https://ca.test/new-account")
    signed = f"{jws['protected']}.{jws['payload']}".encode()
    assert unb64(jws["signature"]) == hmac.new(key, signed, "sha256").digest()
    assert json.loads(unb64(jws["protected"]))["kid"] == kid
    assert json.loads(unb64(jws["payload"])) == jwk
