"""External account binding (RFC 8555 §7.3.4): a CA's customer vouches for an account by a key of the CA's."""

import hashlib
import hmac
from collections.abc import Mapping

from certkeeper.acme.jws import b64url, compact
from certkeeper.base.value import dataclass, field


@dataclass(frozen=True, slots=True)
class Binding:
    """What the CA gave its customer: the key's id, and the key."""

    kid: str
    hmac_key: bytes = field(repr=False)

    def sign(self, jwk: Mapping[str, str], url: str) -> Mapping[str, str]:
        """The JWS of an account's public key, for newAccount at `url`: HS256, and no nonce."""
        protected = b64url(compact({"alg": "HS256", "kid": self.kid, "url": url}))
        payload = b64url(compact(jwk))
        mac = hmac.digest(self.hmac_key, f"{protected}.{payload}".encode("ascii"), hashlib.sha256)
        return {"protected": protected, "payload": payload, "signature": b64url(mac)}
