"""Account keys of other programs, in PEM and as JSON Web Keys."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import new_key
from certkeeper.adapters.jwk import load_account_key
from certkeeper.base.keys import KeyAlgorithm, KeyPair
from certkeeper.lineage.model import UnusableKey


def b64(number: int, length: int = 0) -> str:
    octets = number.to_bytes(length or (number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def jwk(pair: KeyPair) -> dict[str, object]:
    """As certbot writes it."""
    key = pair.private
    if isinstance(key, rsa.RSAPrivateKey):
        own = key.private_numbers()
        public = own.public_numbers
        named = {"n": public.n, "e": public.e, "d": own.d, "p": own.p, "q": own.q}
        named |= {"dp": own.dmp1, "dq": own.dmq1, "qi": own.iqmp}
        return {"kty": "RSA", **{name: b64(number) for name, number in named.items()}}
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    point = key.public_key().public_numbers()
    curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}[key.curve.name]
    return {
        "kty": "EC",
        "crv": curve,
        "x": b64(point.x, 66),
        "y": b64(point.y, 66),
        "d": b64(key.private_numbers().private_value, 66),
    }


@pytest.mark.parametrize("kind", [KeyAlgorithm.RSA, KeyAlgorithm.P256, KeyAlgorithm.P384, KeyAlgorithm.P521])
def test_a_jwk_is_the_same_key_in_pem(tmp_path: Path, kind: KeyAlgorithm) -> None:
    pair, file = new_key(kind), tmp_path / "private_key.json"
    file.write_text(json.dumps(jwk(pair)))
    loaded = load_account_key(str(file))
    assert loaded.key_id == pair.key_id
    file.write_bytes(loaded.pem)
    assert load_account_key(str(file)).key_id == pair.key_id


@pytest.mark.parametrize("change", [{"d": "AQAB"}, {"kty": "oct"}, {"x": "AQ"}, {"crv": "P-1"}, {"d": 7}, {"d": None}])
def test_half_a_key_is_none_and_is_not_shown(tmp_path: Path, change: dict[str, object]) -> None:
    made, file = jwk(new_key()), tmp_path / "private_key.json"
    file.write_text(json.dumps({**made, **change}))
    with pytest.raises(UnusableKey, match=r"private_key\.json: ") as caught:
        load_account_key(str(file))
    assert str(made["d"]) not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"{" * 100_000, b"certificate", b'{"kty":"RSA"}'])
def test_what_is_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(UnusableKey, match=str(file)):
        load_account_key(str(file))
    with pytest.raises(UnusableKey, match="missing"):
        load_account_key(str(tmp_path / "missing"))


_JSON = st.recursive(
    st.none() | st.integers() | st.text("AZaz09_-=", max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "n", "e", "d", "p", "q", "x", "y"]),
        _JSON | st.sampled_from(["RSA", "EC", "P-256", "AQAB"]),
    )
)
def test_no_json_does_more_than_be_refused(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, object]
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_text(json.dumps(document))
    with pytest.raises(UnusableKey):
        load_account_key(str(file))
