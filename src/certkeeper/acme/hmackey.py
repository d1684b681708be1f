"""The HMAC key of external account binding (RFC 8555 §7.3.4), as CAs show it to people."""

import base64

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.patterns import pattern

_BASE64URL = pattern(r"[A-Za-z0-9_-]+={0,2}")
_BASE64 = pattern(r"[A-Za-z0-9+/]+={0,2}")


class BadHmacKey(CertkeeperError):
    """Text that is no key in base64url. The message never holds it."""

    label = "ca-account"
    fault = Fault.OPERATOR


def decode_hmac_key(text: str) -> bytes:
    """A key as CAs show it: base64url, with its padding or without.

    Raises:
        BadHmacKey: it is something else.
    """
    bare = text.rstrip("=")
    if not _BASE64URL.fullmatch(text):
        if _BASE64.fullmatch(text):
            raise BadHmacKey("is base64, not base64url", hint="write - in place of + and _ in place of /")
        raise BadHmacKey("is not base64url", hint="copy it once more: it is made of letters, digits, - and _")
    if len(bare) % 4 == 1 or (text != bare and len(text) % 4):
        raise BadHmacKey("is not base64url: a character is missing or too many", hint="copy it once more, in full")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
