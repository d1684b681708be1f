"""Who writes challenge records: DNS_PROVIDER and HOOK, for a certificate; and ZONES_D, for a zone.

An explicit DNS_PROVIDER counts; else a HOOK other than pdns_api.sh; else the built-in PowerDNS provider.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Location, printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.powerdns import powerdns_settings
from certkeeper.config.settings import (
    HookSettings,
    ManualSettings,
    PowerDnsSettings,
    Provider,
    ProviderSettings,
    Settings,
    ZoneRule,
)
from certkeeper.config.shell import Assignment
from certkeeper.config.values import Values, listed

PDNS_SCRIPT = "pdns_api.sh"


class ProviderKind(StrEnum):
    """The words of DNS_PROVIDER."""

    POWERDNS = "powerdns"
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
    return hook.rpartition("/")[2] == PDNS_SCRIPT


def wish_of(values: Values) -> Wish:
    """What a page, or a certificate's own file on top of it, asks for.

    Raises:
        ConfigError: a word that is not known, or a value of the provider's that cannot be read.
    """
    hook = values.text("HOOK")
    scripted = bool(hook) and not is_pdns_script(hook)
    kind = explicit_kind(values) or (ProviderKind.HOOK if scripted else ProviderKind.POWERDNS)
    _find(values, kind)
    return _complete(values, kind)


def zone_rule(name: str, values: Values, own: Mapping[str, Assignment], register: Register) -> ZoneRule:
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
        wish = _complete(values, kind)
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


def missing_provider(where: Location, who: str, kind: ProviderKind) -> ConfigError:
    """The error where a certificate needs a provider that not enough is known of."""
    missing, hint, _ = _NEEDS[kind]
    return ConfigError(where, f"{missing}, and {who} is proven through {_NAMES[kind]}", hint=hint)


def _find(values: Values, kind: ProviderKind) -> None:
    """What a HOOK means beside this provider."""
    hook = values.text("HOOK")
    if is_pdns_script(hook) and kind is not ProviderKind.HOOK:
        values.find(
            "pdns-api-hook",
            Severity.NOTE,
            "HOOK",
            f"{PDNS_SCRIPT} is not called: the built-in {_NAMES[kind]} provider takes its place",
            "challenge records of all certificates are written together, and the wait ends when they are served",
        )
    elif hook and kind is ProviderKind.HOOK:
        values.find(
            "hook-calls",
            Severity.NOTE,
            "HOOK",
            f"{printable(hook, 120)} is called with deploy_challenge, clean_challenge and deploy_cert only",
            "what the script does for other calls is not done",
        )
    elif hook:
        values.find(
            "hook-deploy-cert",
            Severity.NOTE,
            "HOOK",
            f"{printable(hook, 120)} is called with deploy_cert only",
            "what the script does for other calls is not done",
        )


def unused_rules(rules: Iterable[ZoneRule], names: Iterable[DnsName], folder: str) -> tuple[Finding, ...]:
    """Findings for files of ZONES_D that no name of the page is in."""
    wanted = tuple(names)
    return tuple(
        Finding(
            "unused-zone-file",
            Severity.WARNING,
            f"{rule.suffix}: no certificate has a name in it",
            "its settings apply to nothing",
            "rename the file to the zone that it is for, or remove it",
            Location(f"{folder}/{rule.suffix}"),
        )
        for rule in rules
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


def _complete(values: Values, kind: ProviderKind) -> Wish:
    return Wish(kind, _NEEDS[kind][2](values), _suffix(values) if kind is ProviderKind.POWERDNS else None)


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
    return HookSettings(script, values.truth("HOOK_CHAIN", default=False)) if script else None


def _manual(_values: Values) -> ManualSettings:
    return ManualSettings()


def _label(settings: ProviderSettings) -> str:
    match settings:
        case PowerDnsSettings():
            server = f" ({settings.server})" if settings.server not in (None, "localhost") else ""
            return f"PowerDNS {settings.url}{server}"
        case HookSettings():
            return f"hook {settings.script}"
        case ManualSettings():
            return "a person"


_NAMES: Mapping[ProviderKind, str] = {
    ProviderKind.POWERDNS: "PowerDNS",
    ProviderKind.HOOK: "a hook",
    ProviderKind.MANUAL: "a person",
}
# What is said to be missing, how to set it, and what reads it.
_NEEDS: Mapping[ProviderKind, tuple[str, str, Callable[[Values], ProviderSettings | None]]] = {
    ProviderKind.POWERDNS: (
        "PDNS_HOST and PDNS_KEY are not set",
        'write PDNS_HOST="…" (host name or URL of the API) and PDNS_KEY="…" (the api-key of pdns.conf)',
        powerdns_settings,
    ),
    ProviderKind.HOOK: ("HOOK is not set", 'write HOOK="…", the path of the script', _hook),
    ProviderKind.MANUAL: ("", "", _manual),
}
