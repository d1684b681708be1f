"""Who writes challenge records: DNS_PROVIDER and HOOK, for a certificate; and ZONES_D, for a zone.

An explicit DNS_PROVIDER counts; else a HOOK other than pdns_api.sh; else the built-in PowerDNS provider.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Location, printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import Exchange
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.hookcommands import HookCommands, hook_commands_of
from certkeeper.config.lexicon import lexicon_settings
from certkeeper.config.powerdns import powerdns_settings
from certkeeper.config.rfc2136 import rfc2136_settings
from certkeeper.config.settings import (
    DEFAULT_HOOK_TIMEOUT,
    HookSettings,
    LexiconSettings,
    ManualSettings,
    PowerDnsSettings,
    Provider,
    ProviderSettings,
    Rfc2136Settings,
    Settings,
    ZoneRule,
)
from certkeeper.config.shell import Assignment
from certkeeper.config.values import Values, listed

PDNS_SCRIPT = "pdns_api.sh"
OWN_SCRIPT = "certkeeper-pdns-hook"
"""The same for dehydrated, by us."""


class MissingProvider(ConfigError):
    """Names are to be proven through DNS, and nothing says who writes it."""


class ProviderKind(StrEnum):
    """The words of DNS_PROVIDER."""

    POWERDNS = "powerdns"
    RFC2136 = "rfc2136"
    LEXICON = "lexicon"
    HOOK = "hook"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Wish:
    """What these settings ask for. `settings` is None where something that the kind needs is not set."""

    kind: ProviderKind
    settings: ProviderSettings | None = None
    suffix: DnsName | None = None


@dataclass(slots=True)
class Register:
    """Gives each provider its id: the same settings, the same id."""

    providers: dict[str, Provider] = field(default_factory=dict)

    def id_of(self, wish: Wish) -> str:
        """Empty where the wish is not complete."""
        if wish.settings is None:
            return ""
        label = id_ = _label(wish.settings)
        wanted = Provider(id_, wish.settings, wish.suffix)
        number = 1
        while self.providers.setdefault(id_, wanted) != wanted:
            number += 1
            id_ = f"{label} #{number}"
            wanted = Provider(id_, wish.settings, wish.suffix)
        return id_


def is_pdns_script(hook: str) -> bool:
    """Whether it writes to PowerDNS and does nothing else, so that the built-in provider can take its place."""
    return hook.rpartition("/")[2] in (PDNS_SCRIPT, OWN_SCRIPT)


def told_script(values: Values) -> str:
    """The script that is told of what happens: HOOK, unless a provider of ours takes its place.

    Raises:
        ConfigError: a word of DNS_PROVIDER that is not known.
    """
    return "" if _stood_in(values) else values.text("HOOK")


def told_commands(values: Values) -> HookCommands:
    """What pdns_api.sh would have run in its own place; none where it is not HOOK, or is called itself.

    Raises:
        ConfigError: as `told_script`.
    """
    return hook_commands_of(values) if _stood_in(values) else HookCommands()


def _stood_in(values: Values) -> bool:
    """A provider of ours takes the place of the page's script."""
    # First, so that a word that is not known is an error whatever HOOK is.
    kind = explicit_kind(values)
    return kind is not ProviderKind.HOOK and is_pdns_script(values.text("HOOK"))


def hook_timeout(values: Values) -> timedelta:
    """How long one call of a script may take."""
    longest = int(timedelta(days=1).total_seconds())
    return timedelta(seconds=values.number("HOOK_TIMEOUT", int(DEFAULT_HOOK_TIMEOUT.total_seconds()), 1, longest))


def wish_of(values: Values, environment: Mapping[str, str]) -> Exchange[Wish]:
    """What a page, or a certificate's own file on top of it, asks for.

    Raises:
        ConfigError: a word that is not known, or a value of the provider's that cannot be read.
    """
    hook = values.text("HOOK")
    scripted = bool(hook) and not is_pdns_script(hook)
    kind = explicit_kind(values) or (ProviderKind.HOOK if scripted else ProviderKind.POWERDNS)
    _find(values, kind)
    return (yield from _complete(values, kind, environment))


def powerdns_wish(values: Values, environment: Mapping[str, str]) -> Exchange[Wish]:
    """The same where the provider is PowerDNS, whatever HOOK and DNS_PROVIDER say."""
    return _complete(values, ProviderKind.POWERDNS, environment)


def zone_rule(
    name: str, values: Values, own: Mapping[str, Assignment], environment: Mapping[str, str], register: Register
) -> Exchange[ZoneRule]:
    """The rule that a zone's own file makes; it inherits the page's settings, but not its HOOK.

    Raises:
        ConfigError: the name is no zone's, or the file cannot be understood.
    """
    where = min((found.where for found in own.values()), default=values.where(""))
    try:
        suffix = DnsName.parse(name)
    except InvalidName as error:
        raise ConfigError(Location(where.file), f"the file's name is no zone: {error}", hint="rename it") from error
    try:
        kind = explicit_kind(values) or (ProviderKind.HOOK if "HOOK" in own else ProviderKind.POWERDNS)
        wish = yield from _complete(values, kind, environment)
        if wish.settings is None:
            raise missing_provider(Location(where.file), f"zone {suffix}", kind)
    except ConfigError as error:
        return ZoneRule(suffix, "", error)
    return ZoneRule(suffix, register.id_of(wish))


def sorted_rules(rules: Iterable[ZoneRule]) -> tuple[ZoneRule, ...]:
    """The closest zone first."""
    return tuple(sorted(rules, key=lambda rule: (-len(rule.suffix.labels), rule.suffix)))


def provider_for(settings: Settings, name: DnsName, otherwise: str) -> str | CertkeeperError:
    """Who writes a name: its zone's rule, or `otherwise`."""
    rule = settings.rule(name)
    if rule is None:
        return otherwise
    return rule.error or rule.provider


def missing_provider(where: Location, who: str, kind: ProviderKind) -> MissingProvider:
    """The error where a certificate needs a provider that not enough is known of."""
    missing, hint = _NEEDS[kind]
    return MissingProvider(where, f"{missing}, and {who} is proven through {_NAMES[kind]}", hint=hint)


def _find(values: Values, kind: ProviderKind) -> None:
    """What a HOOK means beside this provider."""
    hook = values.text("HOOK")
    if is_pdns_script(hook) and kind is not ProviderKind.HOOK:
        values.find(
            "pdns-api-hook",
            Severity.NOTE,
            "HOOK",
            f"{hook.rpartition('/')[2]} is not called: the built-in {_NAMES[kind]} provider takes its place",
            "challenge records of all certificates are written together, and the wait ends when they are served",
            'nothing; to have the script called all the same: DNS_PROVIDER="hook"',
        )
    elif hook and kind is not ProviderKind.HOOK:
        values.find(
            "hook-told",
            Severity.NOTE,
            "HOOK",
            f"{printable(hook, 120)} is not called for dns-01: the built-in {_NAMES[kind]} provider proves these names",
            "it is told of everything else",
        )


def unused_rules(
    rules: Iterable[ZoneRule], names: Iterable[DnsName], places: Mapping[DnsName, Location]
) -> tuple[Finding, ...]:
    """Findings for files of ZONES_D, or tables, that no name of the page is in."""
    wanted = tuple(names)
    return tuple(
        Finding(
            "unused-zone-file",
            Severity.NOTE,
            f"{rule.suffix}: no certificate has a name in it",
            f"the {what} counts only where a challenge name is delegated into that zone, by CNAME or NS",
            f"if none is, rename the {what} to the zone that it is for, or remove it",
            where,
        )
        for rule in rules
        for where in (places.get(rule.suffix),)
        # A file of ZONES_D is told of as a whole.
        for what in ("table" if where is not None and where.line else "file",)
        if not any(name.is_within(rule.suffix) for name in wanted)
    )


def explicit_kind(values: Values) -> ProviderKind | None:
    """DNS_PROVIDER, where it is set. Raises ConfigError for a word that is not known."""
    text = values.text("DNS_PROVIDER")
    if not text:
        return None
    try:
        return ProviderKind(text)
    except ValueError:
        raise values.error(
            "DNS_PROVIDER", f"{printable(text, 40)!r} is not known", f"one of: {listed(ProviderKind)}"
        ) from None


def _complete(values: Values, kind: ProviderKind, environment: Mapping[str, str]) -> Exchange[Wish]:
    match kind:
        case ProviderKind.POWERDNS:
            powerdns = yield from powerdns_settings(values, environment)
            return Wish(kind, powerdns, _suffix(values))
        case ProviderKind.RFC2136:
            rfc2136 = yield from rfc2136_settings(values)
            return Wish(kind, rfc2136)
        case ProviderKind.LEXICON:
            return Wish(kind, lexicon_settings(values))
        case ProviderKind.HOOK:
            return Wish(kind, _hook(values))
        case ProviderKind.MANUAL:
            return Wish(kind, ManualSettings())


def _suffix(values: Values) -> DnsName | None:
    text = values.text("PDNS_SUFFIX")
    if not text:
        return None
    try:
        return DnsName.parse(text.removeprefix("."))
    except InvalidName as error:
        raise values.error("PDNS_SUFFIX", str(error), 'write PDNS_SUFFIX="acme.example.net"') from error


def _hook(values: Values) -> HookSettings | None:
    script = values.text("HOOK")
    if not script:
        return None
    return HookSettings(script, values.truth("HOOK_CHAIN", default=False), hook_timeout(values))


def _label(settings: ProviderSettings) -> str:
    match settings:
        case PowerDnsSettings():
            server = f" ({settings.server})" if settings.server not in (None, "localhost") else ""
            return f"PowerDNS {settings.url}{server}"
        case Rfc2136Settings():
            return f"name server {settings.server}"
        case LexiconSettings():
            return f"{settings.provider}, through lexicon"
        case HookSettings():
            return f"hook {settings.script}"
        case ManualSettings():
            return "a person"


_NAMES: Mapping[ProviderKind, str] = {
    ProviderKind.POWERDNS: "PowerDNS",
    ProviderKind.RFC2136: "dynamic update",
    ProviderKind.LEXICON: "lexicon",
    ProviderKind.HOOK: "a hook",
    ProviderKind.MANUAL: "a person",
}
# What is said to be missing, and how to set it.
_NEEDS: Mapping[ProviderKind, tuple[str, str]] = {
    ProviderKind.POWERDNS: (
        "PDNS_HOST and PDNS_KEY are not set",
        'write PDNS_HOST="…" (host name or URL of the API) and PDNS_KEY="…" (the api-key of pdns.conf)',
    ),
    ProviderKind.RFC2136: (
        "RFC2136_SERVER is not set",
        'write RFC2136_SERVER="…", the primary of the zones, and RFC2136_KEY_FILE="…", what tsig-keygen printed',
    ),
    ProviderKind.LEXICON: (
        "LEXICON_PROVIDER is not set",
        'write LEXICON_PROVIDER="…" and its options',
    ),
    ProviderKind.HOOK: ("HOOK is not set", 'write HOOK="…", the path of the script'),
}
