"""Where the API's key comes from: a file of the page, a file of its own, the environment, or systemd."""

from collections.abc import Mapping

from certkeeper.base.errors import printable
from certkeeper.base.wire import Exchange
from certkeeper.config.findings import Severity
from certkeeper.config.reading import FailureKind, ReadFailure, SecretText, read_secret
from certkeeper.config.settings import Secret
from certkeeper.config.values import Values, inside

KEY_FILE = "PDNS_KEY_FILE"
_ENVIRONMENT = "PDNS_KEY"
_CREDENTIALS = "CREDENTIALS_DIRECTORY"
_DEFAULT_CREDENTIAL = "pdns-key"
_CREDENTIAL_PREFIX = "credential:"
CREDENTIAL_STORE = "/etc/credstore"
"""Where systemd looks for credentials itself."""
_HINT = "write the api-key of pdns.conf"


def api_key(values: Values, name: str, environment: Mapping[str, str]) -> Exchange[Secret | None]:
    """The key; None where there is none. `name` is the variable that holds it in files of the page.

    Those count first, as they do for pdns_api.sh, which reads them after the environment.

    Raises:
        ConfigError: a key that is none, or cannot be read.
    """
    if values.has(KEY_FILE):
        if values.has(name):
            raise values.error(KEY_FILE, f"{name} is set, too", "set one of them")
        return (yield from _from_file(values, environment))
    if values.has(name):
        yield from _look_at_page(values, name)
        return _checked(values, name, values.text(name), "holds")
    if environment.get(_ENVIRONMENT):
        return _checked(values, _ENVIRONMENT, environment[_ENVIRONMENT], "of the environment holds")
    if environment.get(_CREDENTIALS):
        path = inside(environment[_CREDENTIALS], _DEFAULT_CREDENTIAL)
        found = yield from read_secret(path)
        if isinstance(found, SecretText):
            return _checked(values, KEY_FILE, _line(found), f"{printable(path)} holds")
        if found.kind is not FailureKind.MISSING:
            raise values.error(
                KEY_FILE, f"{printable(path)} cannot be read: {found.reason}", "see LoadCredential= of the unit"
            )
    return None


def _look_at_page(values: Values, name: str) -> Exchange[None]:
    """Configuration files are often open to everybody, which is no harm as long as they hold no secret."""
    path = values.where(name).file
    found = yield from read_secret(path)
    if isinstance(found, SecretText) and found.others_may_read:
        values.find(
            "open-key-file",
            Severity.WARNING,
            name,
            f"{path} can be read by everybody on this machine",
            "who reads it can change every zone",
            f'chmod o-rwx {path}, or move the key into a file of its own: {KEY_FILE}="…"',
        )


def _from_file(values: Values, environment: Mapping[str, str]) -> Exchange[Secret]:
    path = _path(values, environment)
    found = yield from read_secret(path)
    if isinstance(found, ReadFailure):
        hint = found.hint or "put the api-key of pdns.conf into it"
        raise values.error(KEY_FILE, f"{printable(path)} cannot be read: {found.reason}", hint)
    if found.others_may_read:
        values.find(
            "open-key-file",
            Severity.WARNING,
            KEY_FILE,
            f"{path} can be read by everybody on this machine",
            "who reads it can change every zone",
            f"chmod o-rwx {path}",
        )
    return _checked(values, KEY_FILE, _line(found), f"{printable(path)} holds")


def _path(values: Values, environment: Mapping[str, str]) -> str:
    path = values.path(KEY_FILE, "")
    if not path.startswith(_CREDENTIAL_PREFIX):
        return path
    name = path.removeprefix(_CREDENTIAL_PREFIX)
    if not name or "/" in name or name in (".", ".."):
        raise values.error(KEY_FILE, f"{name!r} is no name of a credential", f'write {KEY_FILE}="credential:pdns-key"')
    # A person who types `certkeeper plan` is in no unit: what its unit would be given is read where it comes from.
    return inside(environment.get(_CREDENTIALS) or CREDENTIAL_STORE, name)


def credential_named(value: str) -> str:
    """The name of the credential that such a value of PDNS_KEY_FILE means; empty where it is a path."""
    return value.removeprefix(_CREDENTIAL_PREFIX) if value.startswith(_CREDENTIAL_PREFIX) else ""


def _line(found: SecretText) -> str:
    """Editors end the last line; the key does not."""
    return found.text.reveal().rstrip("\r\n")


def _checked(values: Values, name: str, text: str, holds: str) -> Secret:
    if not text:
        raise values.error(name, f"{holds} no key", _HINT)
    if not (text.isascii() and text.isprintable()):
        raise values.error(name, f"{holds} characters that cannot be sent in a header", _HINT)
    return Secret(text)
