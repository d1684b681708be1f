"""The settings of external account binding: EAB_KID and EAB_HMAC_KEY, of a file or else of the environment."""

from collections.abc import Mapping

from certkeeper.acme.hmackey import BadHmacKey, decode_hmac_key
from certkeeper.base.errors import printable
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import ExternalAccount, Secret
from certkeeper.config.values import Values

BINDING = _KID, _HMAC_KEY = "EAB_KID", "EAB_HMAC_KEY"
_HINT = f"the CA gives out both: set {_KID} and {_HMAC_KEY}, or none of them"


def external_account(values: Values, environment: Mapping[str, str]) -> ExternalAccount | None:
    """Who we are to the CA; None where nothing is set. As to dehydrated, the environment counts where no file assigns.

    Raises:
        ConfigError: one without the other, or a value that is none. The key is never in the message.
    """
    kid, key = (_text(values, name, environment) for name in (_KID, _HMAC_KEY))
    if not kid and not key:
        return None
    if not key:
        raise _error(values, _KID, f"set, and {_HMAC_KEY} is not", _HINT)
    if not kid:
        raise _error(values, _HMAC_KEY, f"set, and {_KID} is not", _HINT)
    if not kid.isprintable():
        raise _error(values, _KID, f"{printable(kid, 40)!r} holds control characters", "copy it once more")
    try:
        decode_hmac_key(key)
    except BadHmacKey as error:
        raise _error(values, _HMAC_KEY, str(error), error.hint) from None
    return ExternalAccount(kid, Secret(key))


def _text(values: Values, name: str, environment: Mapping[str, str]) -> str:
    return values.text(name) if name in values.assigned else environment.get(name, "")


def _error(values: Values, name: str, reason: str, hint: str) -> ConfigError:
    where = "" if name in values.assigned else "of the environment: "
    return values.error(name, f"{where}{reason}", hint)
