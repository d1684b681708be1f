"""Widths: a coordinate or a half of a signature that starts with zeros keeps them (RFC 7518, 3.4 and 6.2.1)."""

import hashlib
import json

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from builders.ca import unb64
from certkeeper.acme.jws import AccountKey, b64url

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KEY = ec.derive_private_key(7, ec.SECP256R1())


class Chosen(ec.EllipticCurvePrivateKey):
    """A P-256 key that signs with the numbers that a test chooses."""

    def __init__(self, r: int, s: int) -> None:
        self._signature = encode_dss_signature(r, s)

    @property
    def curve(self) -> ec.EllipticCurve:
        return KEY.curve

    @property
    def key_size(self) -> int:
        return KEY.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return KEY.public_key()

    def sign(self, data: object, signature_algorithm: object) -> bytes:
        del data, signature_algorithm
        return self._signature


Chosen.__abstractmethods__ = frozenset()


@given(st.integers(1, P256_ORDER - 1), st.integers(1, P256_ORDER - 1))
@example(1, 1)
@example(1 << 240, P256_ORDER - 1)
def test_r_and_s_take_the_curves_full_width(r: int, s: int) -> None:
    signature = AccountKey(Chosen(r, s)).sign(b"")  # type: ignore[abstract]
    assert len(signature) == 64
    assert (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")) == (r, s)


# The private keys 379 and 43 have an x and a y that start with a zero octet.
@given(st.integers(1, P256_ORDER - 1))
@example(379)
@example(43)
def test_coordinates_take_the_curves_full_width_and_the_thumbprint_is_of_them(private: int) -> None:
    key = AccountKey(ec.derive_private_key(private, ec.SECP256R1()))
    assert [len(unb64(key.jwk[name])) for name in "xy"] == [32, 32]
    members = ",".join(f"{json.dumps(name)}:{json.dumps(key.jwk[name])}" for name in ("crv", "kty", "x", "y"))
    assert key.thumbprint == b64url(hashlib.sha256(f"{{{members}}}".encode()).digest())
