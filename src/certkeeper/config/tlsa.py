"""TLSA and TLSA_*: which TLSA records a page wants for a certificate, and who writes them."""

from collections.abc import Iterable
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.value import dataclass
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Severity
from certkeeper.config.values import Values
from certkeeper.dane.owner import TlsaOwner
from certkeeper.dane.policy import DEFAULT_TYPES, Objection, Weight, object_to, use_of
from certkeeper.dane.tlsa import TlsaType

DEFAULT_TTL = 3600
_LONGEST_TTL = 7 * 86400
"""A key that has to be replaced waits for twice that long."""
_HINT = 'write TLSA="yes", or owners: TLSA="mail.example.org:25 _443._tcp.www.example.org", or leave it out'
_TYPES_HINT = 'write TLSA_TYPES="311", "211" or "311+211"'


class Publish(StrEnum):
    """Who writes the records."""

    ZONE = "zone"
    """certkeeper, by the zone's provider."""
    MANUAL = "manual"
    """A person; they are printed."""


@dataclass(frozen=True, slots=True)
class TlsaWish:
    """What a page wants of the TLSA records of one certificate.

    `derived`: the endpoints of the services that take it count, and the MX and SRV records of its names. `owners` are
    those that are named, none twice. `types` are the wanted combinations, at least one. `ttl` is in seconds. `issuers`
    are paths of files with certificates of CAs that may sign the next one.
    """

    derived: bool
    owners: tuple[TlsaOwner, ...] = ()
    types: tuple[TlsaType, ...] = DEFAULT_TYPES
    ttl: int = DEFAULT_TTL
    publish: Publish = Publish.ZONE
    issuers: tuple[str, ...] = ()


def read_tlsa(values: Values) -> TlsaWish | None:
    """What the settings want; None where TLSA is `no` or not set. The others are read in any case.

    A type that clients of a named owner pass over, or that breaks at renewals, is a finding.

    Raises:
        ConfigError: a word that is none, or a type that a named owner must not have.
    """
    types, ttl, publish = _types(values), values.number("TLSA_TTL", DEFAULT_TTL, 1, _LONGEST_TTL), _publish(values)
    issuers = _issuers(values)
    words = values.text("TLSA").split()
    plain = [word.lower() for word in words]
    if plain in ([], ["no"]):
        return None
    if "no" in plain:
        raise values.error("TLSA", "no stands among other words", _HINT)
    named = [word for word in words if word.lower() != "yes"]
    owners = tuple(dict.fromkeys(_owner(values, word) for word in named))
    _check(values, types, owners)
    if issuers and all(kind.of_the_leaf for kind in types):
        fix = 'write TLSA_TYPES="311+211" if clients are to take certificates of these CAs, or leave it out'
        effect = "no record is about a CA, so it has no effect"
        values.find("tlsa-issuers", Severity.WARNING, "TLSA_ISSUERS", "TLSA_ISSUERS is set", effect, fix)
    return TlsaWish(len(named) < len(words), owners, types, ttl, publish, issuers)


def _owner(values: Values, word: str) -> TlsaOwner:
    try:
        return TlsaOwner.parse(word)
    except CertkeeperError as error:
        raise _error(values, "TLSA", error, _HINT) from None


def _types(values: Values) -> tuple[TlsaType, ...]:
    words = values.text("TLSA_TYPES").replace("+", " ").split()
    if not words and values.has("TLSA_TYPES"):
        raise values.error("TLSA_TYPES", f"{printable(values.text('TLSA_TYPES'), 40)!r} names no type", _TYPES_HINT)
    try:
        return tuple(dict.fromkeys(TlsaType.parse(word) for word in words)) or DEFAULT_TYPES
    except CertkeeperError as error:
        raise _error(values, "TLSA_TYPES", error, _TYPES_HINT) from None


def _issuers(values: Values) -> tuple[str, ...]:
    paths = tuple(dict.fromkeys(values.text("TLSA_ISSUERS").split()))
    for path in paths:
        if not (path.startswith("/") and path.isprintable()):
            reason = f"{printable(path, 80)!r} is no whole path"
            raise values.error("TLSA_ISSUERS", reason, 'write TLSA_ISSUERS="/etc/ssl/issuers.pem"')
    return paths


def _error(values: Values, name: str, error: CertkeeperError, hint: str) -> ConfigError:
    reason = str(error).removeprefix("TLSA owner ").removeprefix("TLSA type ")
    return values.error(name, reason, "; ".join(part for part in (error.hint, hint) if part))


def _publish(values: Values) -> Publish:
    # Somebody who says yes wants them written.
    yes = values.text("TLSA_PUBLISH").strip().lower() in {"", "yes"}
    return Publish.ZONE if yes else values.word("TLSA_PUBLISH", Publish.ZONE)


def _check(values: Values, types: Iterable[TlsaType], owners: Iterable[TlsaOwner]) -> None:
    """Whether the types are worth publishing where these owners' clients look; each type is told once per reason."""
    against: dict[Objection, list[TlsaOwner]] = {}
    for owner in owners:
        # A certificate of a CA's: it is renewed.
        for objection in object_to(tuple(types), use_of(owner.port), renewed=True):
            against.setdefault(objection, []).append(owner)
    for objection, met in against.items():
        what = f"{objection.type.word} for {_shown(met)}"
        if objection.weight is Weight.REFUSED:
            raise values.error("TLSA_TYPES", f"{what}: {objection.reason}", objection.hint)
        values.find("tlsa-type", Severity.WARNING, "TLSA_TYPES", what, objection.reason, objection.hint)


def _shown(owners: list[TlsaOwner]) -> str:
    more = f" (and {len(owners) - 1} more)" if len(owners) > 1 else ""
    return f"{owners[0]}{more}"
