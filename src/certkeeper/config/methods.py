"""CHALLENGETYPE: `method …` in order of preference for all names, `name=method,method …` for one; or both, mixed."""

from collections.abc import Collection
from enum import StrEnum

from certkeeper.base.errors import Location, printable
from certkeeper.base.names import Identifier, IdentifierType, InvalidName
from certkeeper.base.value import dataclass, replace
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.values import Values, listed

_NAME = "CHALLENGETYPE"


class ChallengeType(StrEnum):
    """How a name is proven (RFC 8555 §8, RFC 8737), in the words of CHALLENGETYPE."""

    HTTP_01 = "http-01"
    DNS_01 = "dns-01"
    TLS_ALPN_01 = "tls-alpn-01"
    DNS_ACCOUNT_01 = "dns-account-01"
    """dns-01 below a label of the account's (draft-ietf-acme-dns-account-label)."""
    DNS_PERSIST_01 = "dns-persist-01"
    """By a record that stands (draft-ietf-acme-dns-persist); a run publishes nothing."""

    @property
    def through_dns(self) -> bool:
        """Whether records in the name's zone prove it."""
        return self.published or self is ChallengeType.DNS_PERSIST_01

    @property
    def published(self) -> bool:
        """Whether a run publishes these records, and withdraws them."""
        return self in {ChallengeType.DNS_01, ChallengeType.DNS_ACCOUNT_01}

    def proves(self, identifier: Identifier) -> bool:
        """Whether this kind of challenge exists for the identifier (RFC 8555 §7.1.3, RFC 8738 §7)."""
        if identifier.type is IdentifierType.IP:
            return not self.through_dns
        return self.through_dns or not identifier.wildcard


_Order = tuple[ChallengeType, ...]
_HINT = f'write {_NAME}="dns-01", or "dns-01 http-01 www.example.org=http-01"; known: {listed(ChallengeType)}'


class UnknownMethod(ConfigError):
    """A word of CHALLENGETYPE that is no kind of challenge."""


@dataclass(frozen=True, slots=True)
class Methods:
    """How names may be proven, the preferred way first. `chosen` is for single names, in place of the rest."""

    preferred: _Order = (ChallengeType.HTTP_01,)
    chosen: tuple[tuple[Identifier, _Order], ...] = ()

    def of(self, identifier: Identifier) -> _Order:
        """Those that can prove it, up to the first that needs no zone: nothing after that one is ever used."""
        able = [method for method in dict(self.chosen).get(identifier, self.preferred) if method.proves(identifier)]
        at = next((number for number, method in enumerate(able, 1) if not method.through_dns), len(able))
        return tuple(able[:at])

    def wished(self, identifier: Identifier) -> _Order:
        """What the page says for it, whether that can prove it or not."""
        return dict(self.chosen).get(identifier, self.preferred)

    def choosing(self, identifier: Identifier, order: _Order) -> "Methods":
        """The same with another order for one name."""
        return replace(self, chosen=tuple({**dict(self.chosen), identifier: order}.items()))

    def about(self, identifiers: tuple[Identifier, ...]) -> "Methods":
        """What counts for these names."""
        return replace(self, chosen=tuple(item for item in self.chosen if item[0] in identifiers))

    @property
    def through_dns(self) -> bool:
        """Whether any name may be proven through DNS."""
        return any(method.through_dns for order in (self.preferred, *dict(self.chosen).values()) for method in order)


def read_methods(values: Values) -> Methods:
    """Where only single names have a method, the others have dehydrated's default.

    Raises:
        ConfigError: a method that is not known, or a name that cannot be read.
    """
    if _NAME not in values.assigned:
        return Methods()
    preferred: dict[ChallengeType, None] = {}
    chosen: dict[Identifier, _Order] = {}
    for word in values.text(_NAME).split():
        name, equals, listing = word.rpartition("=")
        order = tuple(dict.fromkeys(_method(values, text) for text in listing.split(",")))
        if not equals:
            preferred.update(dict.fromkeys(order))
            continue
        try:
            identifier = Identifier.parse(name)
        except InvalidName as error:
            raise values.error(_NAME, f"{printable(word, 80)}: {error}", _HINT) from error
        chosen[identifier] = order
    if not preferred and not chosen:
        raise values.error(_NAME, "names no method", _HINT)
    return Methods(tuple(preferred) or Methods().preferred, tuple(chosen.items()))


def impossible(methods: Methods, identifier: Identifier) -> tuple[str, str]:
    """Why nothing can prove the name, and the way out."""
    wished = listed(methods.wished(identifier))
    if identifier.type is IdentifierType.IP:
        return (
            f"{identifier}: an address cannot be proven through DNS, and {_NAME} is {wished}",
            f'add "{identifier}={ChallengeType.HTTP_01}" to {_NAME}, or remove the address from the line',
        )
    return (
        f"{identifier}: a wildcard can be proven through DNS only, and {_NAME} is {wished}",
        f'add "{identifier}={ChallengeType.DNS_01}" to {_NAME}, and set PDNS_HOST and PDNS_KEY or another DNS_PROVIDER',
    )


def unused_methods(methods: Methods, identifiers: Collection[Identifier], where: Location) -> tuple[Finding, ...]:
    """Findings for names with a method of their own that no certificate has."""
    return tuple(
        Finding(
            "unused-method",
            Severity.WARNING,
            f"{_NAME}: {name} is in no certificate",
            "the method for it counts for nothing",
            "correct the name as it is in domains.txt, or remove it",
            where,
        )
        for name, _ in methods.chosen
        if name not in identifiers
    )


def _method(values: Values, text: str) -> ChallengeType:
    try:
        return ChallengeType(text)
    except ValueError:
        error = values.error(_NAME, f"{printable(text, 40)!r} is not known", f"one of: {listed(ChallengeType)}")
        raise UnknownMethod(error.where, error.reason, hint=error.hint) from None
