"""What a CA in memory knows of JOSE: it checks signatures and keys by its own reading of RFC 7515, 7517 and 7638."""

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

Json = Mapping[str, object]


def verify(key: ec.EllipticCurvePublicKey, jws: Json) -> None:
    signature = unb64(str(jws["signature"]))
    assert len(signature) == 64, "r and s at fixed width (RFC 7518 §3.4)"
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    key.verify(der, f"{jws['protected']}.{jws['payload']}".encode(), ec.ECDSA(SHA256()))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    assert "=" not in text, "no padding (RFC 7515 §2)"
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public_key(jwk: Mapping[str, str]) -> ec.EllipticCurvePublicKey:
    assert (jwk["kty"], jwk["crv"]) == ("EC", "P-256")
    x, y = (int.from_bytes(unb64(jwk[name]), "big") for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def thumbprint_of(jwk: Mapping[str, str]) -> str:
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return b64(hashlib.sha256(json.dumps(required, sort_keys=True, separators=(",", ":")).encode()).digest())
