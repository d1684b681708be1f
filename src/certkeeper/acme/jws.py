"""JSON Web Signatures as ACME uses them (RFC 8555 §6.2, RFC 7515, 7518 and 8037) and key thumbprints (RFC 7638)."""

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from certkeeper.base.errors import CertkeeperError, Fault

# RFC 7518 §3.4: each curve has its own hash, and r and s are octet strings of the curve's full width.
_CURVES: Mapping[str, tuple[str, str, HashAlgorithm]] = {
    "secp256r1": ("ES256", "P-256", SHA256()),
    "secp384r1": ("ES384", "P-384", SHA384()),
    "secp521r1": ("ES512", "P-521", SHA512()),
}


class UnsupportedAccountKey(CertkeeperError):
    """The account key is of a kind that ACME's signatures have no name for here."""

    label = "ca-account"
    fault = Fault.OPERATOR


def b64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


class AccountKey:
    """The account's private key, able to sign."""

    def __init__(self, private: object) -> None:
        """Takes a loaded key object.

        Raises:
            UnsupportedAccountKey: neither RSA nor P-256, P-384, P-521 nor Ed25519.
        """
        if isinstance(private, rsa.RSAPrivateKey):
            numbers = private.public_key().public_numbers()
            self.algorithm = "RS256"
            self.jwk = {"e": _uint(numbers.e), "kty": "RSA", "n": _uint(numbers.n)}
        elif isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
            point = private.public_key().public_numbers()
            self.algorithm, curve, _ = _CURVES[private.curve.name]
            width = _width(private)
            self.jwk = {
                "crv": curve,
                "kty": "EC",
                "x": b64url(point.x.to_bytes(width, "big")),
                "y": b64url(point.y.to_bytes(width, "big")),
            }
        elif isinstance(private, ed25519.Ed25519PrivateKey):
            self.algorithm = "EdDSA"
            self.jwk = {"crv": "Ed25519", "kty": "OKP", "x": b64url(private.public_key().public_bytes_raw())}
        else:
            raise UnsupportedAccountKey(
                "account key: neither RSA nor P-256, P-384, P-521 or Ed25519",
                hint="register a new account with such a key",
            )
        self._private = private

    @property
    def thumbprint(self) -> str:
        """RFC 7638 §3: SHA-256 of the JWK's required members, sorted, without white space."""
        return b64url(hashlib.sha256(compact(self.jwk)).digest())

    def sign(self, message: bytes) -> bytes:
        """The signature in JWS form: for EC r‖s at fixed width (RFC 7518 §3.4), not DER."""
        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            width = _width(self._private)
            _, _, digest = _CURVES[self._private.curve.name]
            r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(digest)))
            return r.to_bytes(width, "big") + s.to_bytes(width, "big")
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(message)
        return self._private.sign(message, padding.PKCS1v15(), SHA256())

    def __repr__(self) -> str:
        return f"AccountKey({self.algorithm}, {self.thumbprint})"


def sign_request(key: AccountKey, *, url: str, nonce: str, kid: str | None, payload: bytes) -> bytes:
    """The body of a POST (RFC 8555 §6.2): `kid` where the account is known, else the `jwk`; never both."""
    header: dict[str, object] = {"alg": key.algorithm, "nonce": nonce, "url": url}
    if kid is None:
        header["jwk"] = key.jwk
    else:
        header["kid"] = kid
    return compact(_flattened(key, header, payload))


def sign_inner(key: AccountKey, *, url: str, payload: bytes) -> Mapping[str, str]:
    """A JWS that travels inside another one (RFC 8555 §7.3.5): by the key itself, and without a nonce."""
    return _flattened(key, {"alg": key.algorithm, "jwk": key.jwk, "url": url}, payload)


def _flattened(key: AccountKey, header: Mapping[str, object], payload: bytes) -> Mapping[str, str]:
    """RFC 7515 §7.2.2."""
    protected = b64url(compact(header))
    body = b64url(payload)
    signature = b64url(key.sign(f"{protected}.{body}".encode("ascii")))
    return {"protected": protected, "payload": body, "signature": signature}


def compact(value: object) -> bytes:
    """JSON with sorted members and without white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _uint(value: int) -> str:
    """RFC 7518 §2, Base64urlUInt: as few octets as possible."""
    return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _width(key: ec.EllipticCurvePrivateKey) -> int:
    return (key.curve.key_size + 7) // 8
