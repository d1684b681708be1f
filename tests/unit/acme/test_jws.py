"""JSON Web Signatures against the RFCs' own examples and against cryptography's verification."""

import json
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from builders.ca import signed, unb64
from certkeeper.acme.jws import AccountKey, UnsupportedAccountKey, b64url, sign_request
from certkeeper.base.wire import Request

# RFC 7515, appendices A.2 and A.3: the same payload, signed by an RSA and by a P-256 key.
PAYLOAD = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
A2_INPUT = f"eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}".encode()
A2_SIGNATURE = (
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU"
    "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d"
    "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig"
    "cN_IoypGlUPQGe77Rw"
)
A2_KEY = {
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2l"
    "ZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2"
    "CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb5"
    "4h4FRWyuXpoQ",
    "e": "AQAB",
    "d": "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_"
    "GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBju"
    "dU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1D"
    "hOVRuOopznQ",
    "p": "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ"
    "2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "q": "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_"
    "HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
}
A3_INPUT = f"eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}".encode()
A3_KEY = {
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
}
A3_SIGNATURE = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
# RFC 7638, 3.1.
RFC7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
    "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
    "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
    "nqDKgw"
)
CURVES: list[tuple[ec.EllipticCurve, str, HashAlgorithm, int]] = [
    (ec.SECP256R1(), "ES256", SHA256(), 64),
    (ec.SECP384R1(), "ES384", SHA384(), 96),
    (ec.SECP521R1(), "ES512", SHA512(), 132),
]


def number(text: str) -> int:
    return int.from_bytes(unb64(text), "big")


def a2_key() -> rsa.RSAPrivateKey:
    p, q, d = number(A2_KEY["p"]), number(A2_KEY["q"]), number(A2_KEY["d"])
    public = rsa.RSAPublicNumbers(number(A2_KEY["e"]), number(A2_KEY["n"]))
    crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(p, q, d, *crt, public).private_key()


def a3_key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number(A3_KEY["d"]), ec.SECP256R1())


def as_der(signature: bytes) -> bytes:
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))


def request(key: AccountKey, *, kid: str | None, payload: bytes = b"{}") -> Request:
    body = sign_request(key, url="https://ca.example/x", nonce="n-1", kid=kid, payload=payload)
    return Request("POST", "https://ca.example/x", body=body)


def test_rfc_7515_a1_base64url_without_padding() -> None:
    assert b64url(b'{"typ":"JWT",\r\n "alg":"HS256"}') == "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    assert b64url(bytes([3, 236, 255, 224, 193])) == "A-z_4ME"


def test_rfc_7515_a2_rs256_signature_octet_for_octet() -> None:
    key = AccountKey(a2_key())
    assert key.algorithm == "RS256"
    assert b64url(key.sign(A2_INPUT)) == A2_SIGNATURE
    assert key.jwk == {"kty": "RSA", "n": A2_KEY["n"], "e": "AQAB"}


def test_rfc_7515_a3_es256_key_and_signature_form() -> None:
    key = AccountKey(a3_key())
    assert key.algorithm == "ES256"
    assert key.jwk == {"kty": "EC", "crv": "P-256", "x": A3_KEY["x"], "y": A3_KEY["y"]}
    public = a3_key().public_key()
    public.verify(as_der(unb64(A3_SIGNATURE)), A3_INPUT, ec.ECDSA(SHA256()))
    public.verify(as_der(key.sign(A3_INPUT)), A3_INPUT, ec.ECDSA(SHA256()))


def test_rfc_7638_thumbprint() -> None:
    class PublicOnly(rsa.RSAPrivateKey):
        """The RFC names no private part, and a thumbprint needs none."""

        def public_key(self) -> rsa.RSAPublicKey:
            return rsa.RSAPublicNumbers(65537, number(RFC7638_N)).public_key()

    PublicOnly.__abstractmethods__ = frozenset()
    key = AccountKey(cast("rsa.RSAPrivateKey", PublicOnly()))  # type: ignore[abstract]
    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize(("curve", "algorithm", "digest", "width"), CURVES)
def test_each_curve_has_its_own_hash_and_a_signature_of_full_width(
    curve: ec.EllipticCurve, algorithm: str, digest: HashAlgorithm, width: int
) -> None:
    private = ec.derive_private_key(7, curve)
    key = AccountKey(private)
    signature = key.sign(b"message")
    assert (key.algorithm, len(signature)) == (algorithm, width)
    private.public_key().verify(as_der(signature), b"message", ec.ECDSA(digest))


def test_an_rsa_signature_verifies() -> None:
    private = a2_key()
    private.public_key().verify(AccountKey(private).sign(b"message"), b"message", padding.PKCS1v15(), SHA256())


def test_rfc_8037_a_ed25519_key_thumbprint_and_signature() -> None:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(unb64("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
    key = AccountKey(private)
    assert key.algorithm == "EdDSA"
    assert key.jwk == {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert key.thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    signed_input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    assert b64url(key.sign(signed_input)) == expected


@pytest.mark.parametrize("private", [ed448.Ed448PrivateKey.generate(), None, b"pem"])
def test_other_keys_are_refused(private: object) -> None:
    with pytest.raises(UnsupportedAccountKey, match="account key") as caught:
        AccountKey(private)
    assert caught.value.hint


def test_a_curve_that_acme_has_no_name_for_is_refused() -> None:
    with pytest.raises(UnsupportedAccountKey):
        AccountKey(ec.derive_private_key(7, ec.SECP256K1()))


def test_an_account_that_is_known_is_named_by_its_url_only() -> None:
    jws = signed(request(AccountKey(a3_key()), kid="https://ca.example/account/1"))
    assert jws.protected == {
        "alg": "ES256",
        "nonce": "n-1",
        "url": "https://ca.example/x",
        "kid": "https://ca.example/account/1",
    }


def test_an_account_that_is_not_known_is_named_by_its_key_only() -> None:
    key = AccountKey(a3_key())
    jws = signed(request(key, kid=None))
    assert jws.protected == {"alg": "ES256", "nonce": "n-1", "url": "https://ca.example/x", "jwk": key.jwk}


def test_the_signature_covers_header_and_payload_as_sent() -> None:
    key = AccountKey(a3_key())
    jws = signed(request(key, kid=None, payload=b'{"a":1}'))
    assert jws.payload == b'{"a":1}'
    a3_key().public_key().verify(as_der(jws.signature), jws.signing_input, ec.ECDSA(SHA256()))


def test_an_empty_payload_is_an_empty_text() -> None:
    body = json.loads(request(AccountKey(a3_key()), kid="k", payload=b"").body)
    assert body["payload"] == ""


def test_the_key_is_in_no_repr() -> None:
    key = AccountKey(a3_key())
    assert repr(key) == f"AccountKey(ES256, {key.thumbprint})"
