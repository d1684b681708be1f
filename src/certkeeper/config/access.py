"""CERT_OWNER, CERT_GROUP and KEY_MODE."""

from certkeeper.base.access import Access
from certkeeper.base.errors import printable
from certkeeper.config.findings import Severity
from certkeeper.config.values import Values

_MODES = {0o400, 0o440, 0o600, 0o640}
_GROUP = 0o040
_LONGEST_NAME = 64


class BadAccess(Exception):
    """Why a text is no mode that a private key may have, or no name."""


def read_access(values: Values) -> Access:
    """Who may read the certificate's files. Whether there is such a user or group is for this machine to say.

    Raises:
        ConfigError: a mode that no private key may have, or a text that is no name.
    """
    owner, group = _name(values, "CERT_OWNER"), _name(values, "CERT_GROUP")
    mode = _mode(values) if values.has("KEY_MODE") else None
    if mode is not None and mode & _GROUP and not group:
        values.find(
            "key-mode-without-group",
            Severity.WARNING,
            "KEY_MODE",
            "lets a group read private keys, and CERT_GROUP does not say which",
            "it is the group that the files were made with",
            'write CERT_GROUP="ssl-cert", or KEY_MODE="0600"',
        )
    return Access(owner, group, mode)


def parse_name(text: str, kind: str) -> str:
    """A user's or a group's name; `kind` is which of them.

    Raises:
        BadAccess: it is none.
    """
    known = len(text) <= _LONGEST_NAME and text.isprintable() and not any(char in text for char in " :/")
    if not text or not known or text.isdigit():
        raise BadAccess(f"{printable(text, 40)!r} is no name of a {kind}")
    return text


def parse_mode(text: str) -> int:
    """A mode in octal digits.

    Raises:
        BadAccess: it is none, or lets everybody at private keys, or makes no sense for one.
    """
    if not (1 <= len(text) <= 4 and all(char in "01234567" for char in text)):
        raise BadAccess(f"{printable(text, 40)!r} is no mode in octal digits")
    mode = int(text, 8)
    if mode & 0o007:
        raise BadAccess(f"{text} lets everybody at private keys")
    if mode not in _MODES:
        raise BadAccess(f"{text} is no mode for a private key")
    return mode


def _name(values: Values, name: str) -> str:
    text = values.text(name)
    kind = "user" if name == "CERT_OWNER" else "group"
    try:
        return parse_name(text, kind) if text else ""
    except BadAccess as error:
        raise values.error(name, str(error), f"write the {kind}'s name") from None


def _mode(values: Values) -> int:
    try:
        return parse_mode(values.text("KEY_MODE").strip())
    except BadAccess as error:
        hint = 'write KEY_MODE="0640", or KEY_MODE="0600", 0440 or 0400'
        raise values.error("KEY_MODE", str(error), hint) from None
