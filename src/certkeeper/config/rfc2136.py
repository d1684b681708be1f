"""The settings of dynamic updates (RFC 2136): a name server, and the TSIG key that may change its zones."""

from certkeeper.base.errors import printable
from certkeeper.base.wire import Exchange
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Severity
from certkeeper.config.hosts import BadHost, split_port
from certkeeper.config.keyfile import (
    ALGORITHMS,
    DEFAULT_ALGORITHM,
    BadKey,
    TsigKey,
    algorithm,
    key_name,
    parse_key_file,
    secret,
)
from certkeeper.config.reading import ReadFailure, failure, read_secret
from certkeeper.config.settings import Rfc2136Settings, ServerAddress
from certkeeper.config.values import Values, listed

_PORT = 53
_NAMES = ("RFC2136_SERVER", "RFC2136_KEY_FILE", "RFC2136_KEY_NAME", "RFC2136_KEY_ALGORITHM", "RFC2136_KEY")
_SERVER_HINT = 'write RFC2136_SERVER="ns1.example.org" or RFC2136_SERVER="192.0.2.1:5353"'
_KEY_HINT = (
    "make one with: tsig-keygen NAME > FILE, include it in named.conf, "
    'let NAME change the zone there, and write RFC2136_KEY_FILE="FILE"'
)
_COPY_HINT = "copy what stands between the quotes after secret in the server's configuration"


def rfc2136_settings(values: Values) -> Exchange[Rfc2136Settings | None]:
    """The server and the key, which may be in a file of its own; None where none of the settings is there.

    Raises:
        ConfigError: one without the other, or a value or file that cannot be read.
    """
    used = [name for name in _NAMES if values.has(name)]
    if not used:
        return None
    if not values.has("RFC2136_SERVER"):
        raise ConfigError(values.where(used[0]), f"RFC2136_SERVER is not set, {used[0]} is", hint=_SERVER_HINT)
    server = _server(values)
    key = (yield from _key_of_file(values)) if values.has("RFC2136_KEY_FILE") else _key_of_values(values)
    return Rfc2136Settings(server, key.name, key.algorithm, key.secret)


def _server(values: Values) -> ServerAddress:
    text = values.text("RFC2136_SERVER")
    try:
        return ServerAddress(*split_port(text, _PORT))
    except BadHost as error:
        raise values.error(
            "RFC2136_SERVER", f"{printable(text, 80)!r} is no name server ({error})", _SERVER_HINT
        ) from error


def _key_of_values(values: Values) -> TsigKey:
    for name in ("RFC2136_KEY_NAME", "RFC2136_KEY"):
        if not values.has(name):
            raise ConfigError(
                values.where("RFC2136_SERVER"), f"neither {name} nor RFC2136_KEY_FILE is set", hint=_KEY_HINT
            )
    # The name that is to blame is the one read last.
    reading = "RFC2136_KEY_NAME"
    try:
        name = key_name(values.text("RFC2136_KEY_NAME"))
        reading = "RFC2136_KEY_ALGORITHM"
        word = algorithm(values.text("RFC2136_KEY_ALGORITHM", DEFAULT_ALGORITHM))
        reading = "RFC2136_KEY"
        return TsigKey(name, word, secret(values.text("RFC2136_KEY")))
    except BadKey as error:
        hints = {
            "RFC2136_KEY_NAME": 'write RFC2136_KEY_NAME="certkeeper", the name of the key at the server',
            "RFC2136_KEY_ALGORITHM": f"one of: {listed(ALGORITHMS)}",
            "RFC2136_KEY": _COPY_HINT,
        }
        raise values.error(reading, str(error), hints[reading]) from None


def _key_of_file(values: Values) -> Exchange[TsigKey]:
    for name in ("RFC2136_KEY_NAME", "RFC2136_KEY_ALGORITHM", "RFC2136_KEY"):
        if values.has(name):
            raise values.error(name, "set beside RFC2136_KEY_FILE, which says the same", "remove one of them")
    path = values.path("RFC2136_KEY_FILE", "")
    found = yield from read_secret(path)
    if isinstance(found, ReadFailure):
        raise failure(found, _KEY_HINT)
    if found.others_may_read:
        values.find(
            "key-file-mode",
            Severity.WARNING,
            "RFC2136_KEY_FILE",
            f"{path} can be read by everybody on this machine",
            "who reads it can change every zone that the key may change",
            f"chmod o-rwx {path}",
        )
    try:
        return parse_key_file(found.text.reveal())
    except BadKey as error:
        raise values.error("RFC2136_KEY_FILE", f"{path}: {error}", _KEY_HINT) from None
