"""TSIG keys (RFC 8945) in the form that tsig-keygen writes and named.conf(5) reads.

key "certkeeper" {
    algorithm hmac-sha256;
    secret "bWFkZSB1cCBmb3IgdGhpcyBleGFtcGxl";
};
"""

import binascii
import re
from base64 import b64decode

from certkeeper.base.errors import printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass
from certkeeper.config.settings import Secret

ALGORITHMS = ("hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224", "hmac-sha1", "hmac-md5.sig-alg.reg.int")
"""RFC 8945 §6, the recommended one first."""
DEFAULT_ALGORITHM = ALGORITHMS[0]
_MD5 = "hmac-md5"

_TOKEN = pattern(
    r"(?P<blank>\s+|//[^\n]*|\#[^\n]*|/\*.*?\*/)"
    r'|"(?P<quoted>[^"\n]*)"'
    r"|(?P<mark>[{};])"
    r'|(?P<word>[^\s{};"]+)',
    re.DOTALL,
)


class BadKey(Exception):
    """Why a text is no TSIG key. It never holds the secret."""


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A key that signs messages. `algorithm` is one of ALGORITHMS, `secret` is base64."""

    name: str
    algorithm: str
    secret: Secret


def parse_key_file(text: str) -> TsigKey:
    """The one key of a file.

    Raises:
        BadKey: no key, several, something else beside it, or a part of it that cannot be read.
    """
    tokens = _tokens(text)
    if not tokens:
        raise BadKey("holds no key")
    if tokens[0] != "key" or len(tokens) < 4 or tokens[2] != "{":
        raise BadKey('does not start with key "NAME" {')
    end = tokens.index("}") if "}" in tokens else -1
    if end < 0:
        raise BadKey("has no } at the end of the key")
    rest = [word for word in tokens[end + 1 :] if word != ";"]
    if rest:
        raise BadKey("holds several keys" if rest[0] == "key" else "holds more than a key")
    clauses = _clauses(tokens[3:end])
    for clause in ("algorithm", "secret"):
        if clause not in clauses:
            raise BadKey(f"has no {clause}")
    return TsigKey(key_name(tokens[1]), algorithm(clauses["algorithm"]), secret(clauses["secret"]))


def key_name(text: str) -> str:
    """A key's name, which is a DNS name.

    Raises:
        BadKey: it is none.
    """
    try:
        name = DnsName.parse(text).text
    except InvalidName as error:
        raise BadKey(f"names no key: {error}") from error
    if not name:
        raise BadKey("names no key")
    return name


def algorithm(text: str) -> str:
    """One of ALGORITHMS.

    Raises:
        BadKey: an unknown one.
    """
    word = text.lower().removesuffix(".")
    found = ALGORITHMS[-1] if word == _MD5 else word
    if found not in ALGORITHMS:
        raise BadKey(f"algorithm {printable(text, 40)!r} is not known")
    return found


def secret(text: str) -> Secret:
    """The secret, still in base64.

    Raises:
        BadKey: it is not base64, or empty.
    """
    try:
        octets = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # Without its cause: that would quote the secret.
        raise BadKey("the secret is not base64") from None
    if not octets:
        raise BadKey("the secret is empty")
    return Secret(text)


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or (match["word"] or "").startswith("/*"):
            raise BadKey(f'line {text.count(chr(10), 0, at) + 1}: a " or a comment is not closed')
        at = match.end()
        if match["blank"] is None:
            found.append(match["quoted"] if match["quoted"] is not None else match[0])
    return found


def _clauses(tokens: list[str]) -> dict[str, str]:
    """`algorithm X; secret "Y";`, in any order, each once."""
    clauses: dict[str, str] = {}
    while tokens:
        if len(tokens) < 3 or tokens[2] != ";" or tokens[0] not in ("algorithm", "secret"):
            raise BadKey('holds something else than algorithm NAME; and secret "BASE64"; inside { }')
        if tokens[0] in clauses:
            raise BadKey(f"has two of {tokens[0]}")
        clauses[tokens[0]] = tokens[1]
        tokens = tokens[3:]
    return clauses
