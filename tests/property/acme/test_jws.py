"""Widths: a coordinate or a half of a signature that starts with zeros keeps them (RFC 7518, 3.4 and 6.2.1)."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from builders.ca import unb64
from certkeeper.acme.jws import AccountKey, b64url
from certkeeper.acme.renewal_info import cert_id

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


# For each curve the first private keys whose x, and whose y, start with a zero octet.
@pytest.mark.parametrize(("curve", "width"), [(ec.SECP256R1(), 32), (ec.SECP384R1(), 48), (ec.SECP521R1(), 66)])
def test_leading_zeros_are_kept_on_every_curve(curve: ec.EllipticCurve, width: int) -> None:
    zeros = {"x": 0, "y": 0}
    for private in range(1, 600):
        key = AccountKey(ec.derive_private_key(private, curve))
        octets = {name: unb64(key.jwk[name]) for name in "xy"}
        assert {len(each) for each in octets.values()} == {width}
        for name, each in octets.items():
            zeros[name] += each[0] == 0
    assert min(zeros.values()) > 0


@given(st.integers(1, 2**160 - 1), st.binary(min_size=1, max_size=20))
@example(0x8765_4321, bytes.fromhex("69885b6b87464041e1b37b847ba0ae2cde01c8d4"))
@example(0x80, b"\0")
@example(0x0100, b"\0\xff")
def test_a_cert_id_holds_both_parts_whole(serial: int, key_id: bytes) -> None:
    """RFC 9773 §4.1: the content octets of the serial's DER, so one 00 before a high first bit, and never two."""
    authority, _, number = cert_id(key_id, serial).partition(".")
    octets = unb64(number)
    assert unb64(authority) == key_id
    assert int.from_bytes(octets, "big", signed=True) == serial
    assert len(octets) == 1 or octets[0] != 0 or octets[1] >= 0x80
