"""`$'…'`: quotes with the escapes of C."""

import re

from certkeeper.base.patterns import pattern

_SIMPLE = {
    "a": b"\a",
    "b": b"\b",
    "e": b"\x1b",
    "E": b"\x1b",
    "f": b"\f",
    "n": b"\n",
    "r": b"\r",
    "t": b"\t",
    "v": b"\v",
    "\\": b"\\",
    "'": b"'",
    '"': b'"',
    "?": b"?",
}
_PIECE = pattern(
    r"(?P<text>[^\\]+)"
    r"|\\(?:x(?P<hex>[0-9A-Fa-f]{1,2})|(?P<octal>[0-7]{1,3})"
    r"|u(?P<short>[0-9A-Fa-f]{1,4})|U(?P<long>[0-9A-Fa-f]{1,8})|(?P<simple>[abeEfnrtv\\'\"?]))"
)


class BadEscape(Exception):
    """Why the quotes have no text."""


def decode(body: str) -> str:
    r"""The text between `$'` and `'`. Escapes of bytes (`\xc3\xa4`) may make up a character together.

    Raises:
        BadEscape: an unknown escape, a NUL, or bytes that are not UTF-8.
    """
    pieces = []
    at = 0
    while at < len(body):
        found = _PIECE.match(body, at)
        if not found:
            raise BadEscape(f"the escape {body[at : at + 2]!a} is not understood")
        pieces.append(_bytes(found))
        at = found.end()
    joined = b"".join(pieces)
    if b"\0" in joined:
        raise BadEscape("a NUL character cannot be in a value")
    try:
        return joined.decode()
    except UnicodeDecodeError as error:
        raise BadEscape("the escapes make no UTF-8 text") from error


def _bytes(found: re.Match[str]) -> bytes:
    if text := found["text"]:
        # Half of a surrogate pair cannot come from a UTF-8 file, yet nothing may crash here.
        return text.encode(errors="replace")
    if simple := found["simple"]:
        return _SIMPLE[simple]
    if found["hex"] or found["octal"]:
        value = int(found["hex"], 16) if found["hex"] else int(found["octal"], 8)
        if value > 0xFF:
            raise BadEscape(f"the escape \\{found['octal']} is beyond one byte")
        return bytes([value])
    code = int(found["short"] or found["long"], 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise BadEscape(f"the escape U+{code:04X} is no character")
    return chr(code).encode()
