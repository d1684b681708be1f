"""Account keys of other programs: PEM, or a JSON Web Key (RFC 7517) as certbot keeps it in private_key.json."""

import base64
import binascii
import json
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption

from certkeeper.adapters.files import FileTrouble, read_file
from certkeeper.adapters.keys import form_of, parse_foreign
from certkeeper.base.keys import KeyPair
from certkeeper.lineage.model import UnusableKey

_CURVES: Mapping[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_LONGEST_NUMBER = 4096
"""Characters of base64url; far more than any key has."""


def load_account_key(path: str) -> KeyPair:
    """The key in that file, proven to be sound, as a PEM of our own where it came as JSON.

    Raises:
        UnusableKey: it cannot be read, or is no key.
    """
    try:
        content = read_file(path)
    except FileTrouble as error:
        raise UnusableKey(str(error), hint=error.hint) from error
    if not content.lstrip().startswith(b"{"):
        return parse_foreign(content, path)
    return parse_foreign(_pem(content, path), path)


def _pem(content: bytes, path: str) -> bytes:
    try:
        jwk = json.loads(content)
        key = _private(jwk)
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error, UnsupportedAlgorithm) as error:
        # Nothing of it is shown: it may be half a key.
        raise UnusableKey(
            f"{path}: not a sound private key in JSON ({type(error).__name__})",
            hint="it has to be a JWK with kty RSA or EC and its private part, such as certbot's private_key.json",
        ) from None
    return key.private_bytes(Encoding.PEM, form_of(key), NoEncryption())


def _private(jwk: Mapping[str, object]) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if jwk["kty"] == "EC":
        curve = _CURVES[str(jwk["crv"])]
        public = ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), curve)
        return ec.EllipticCurvePrivateNumbers(_number(jwk, "d"), public).private_key()
    if jwk["kty"] != "RSA":
        raise ValueError(jwk["kty"])
    n, e, d, p, q = (_number(jwk, name) for name in ("n", "e", "d", "p", "q"))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(e, n),
    )
    return numbers.private_key()


def _number(jwk: Mapping[str, object], name: str) -> int:
    text = jwk[name]
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_NUMBER:
        raise ValueError(name)
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
