"""A page of dehydrated's -> the text of a certkeeper.toml that means the same."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from certkeeper.base.errors import CertkeeperError, Location, printable
from certkeeper.base.value import dataclass, replace
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.kinds import is_secret, is_setting, masked
from certkeeper.config.native import CONFIG_VERSION, VERSION
from certkeeper.config.page import SUFFIX
from certkeeper.config.settings import Configuration
from certkeeper.config.shell import Assignment
from certkeeper.config.spelling import quoted
from certkeeper.config.spelling import value as native_value
from certkeeper.config.variables import LEGACY_PDNS

# The page's shape, which tables have taken over.
_SHAPE = frozenset({"BASEDIR", "CONFIG_D", "DOMAINS_D", "DOMAINS_TXT", "SOURCE_CONFIG", "ZONES_D"})
_CODE = "not-converted"
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `shown` takes its place where people look on; it is the same for all that is no secret."""

    text: str
    shown: str

    def __repr__(self) -> str:
        return f"Line({self.shown!r})"


@dataclass(frozen=True, slots=True)
class Converted:
    """The document, and what of the page is not in it."""

    lines: tuple[Line, ...]
    findings: tuple[Finding, ...]

    @property
    def secrets(self) -> int:
        """How many lines hold one."""
        return sum(1 for line in self.lines if line.text != line.shown)

    @property
    def whole(self) -> str:
        """With its secrets: for a file that nobody else may read."""
        return "".join(f"{line.text}\n" for line in self.lines)

    @property
    def shown(self) -> str:
        """The same where people look on: a comment is in the place of each secret."""
        return "".join(f"{line.shown}\n" for line in self.lines)


def convert(configuration: Configuration) -> Converted:
    """The page as one document in our own form.

    Raises:
        ConfigError: it is in that form already.
    """
    settings, said = configuration.settings, configuration.said
    if settings.config_file.endswith(SUFFIX):
        raise ConfigError(
            Location(settings.config_file), "is in this form already", hint="name dehydrated's config with --config"
        )
    functions = configuration.shell.callable
    findings = tuple(_left_out(configuration))
    lines = [
        *_comments(f"The page of {settings.config_file}, as certkeeper config convert read it."),
        *_comments(*(f"Not in here: {item.where}: {item.message}" for item in findings)),
        Line("", ""),
        _same(f"{CONFIG_VERSION} = {VERSION}"),
        _line("BASEDIR", settings.basedir, None),
        *_settings(_renamed(said.page), functions),
    ]
    accounts = {ca: own for ca, own in said.accounts.items() if own}
    for ca, own in accounts.items():
        lines += [*_header("account", ca), *_settings({found.name: found for found in own}, functions)]
    for zone, own in said.zones.items():
        lines += [*_header("zone", zone), *_settings({found.name: found for found in own}, functions)]
    for alias, certificate in said.certificates.items():
        names = ", ".join(quoted(str(name)) for name in certificate.identifiers)
        own_lines = _settings({found.name: found for found in certificate.own}, functions)
        lines += [*_header("certificate", alias), _same(f"names = [{names}]"), *own_lines]
    return Converted(tuple(lines), findings)


def _left_out(configuration: Configuration) -> Iterator[Finding]:
    said = configuration.said
    for error in said.unread:
        yield _unreadable(error, "there is no certificate of that line")
    for item in configuration.rejected:
        if item.label not in said.certificates and item.error not in said.unread:
            yield _unreadable(item.error, f"there is no certificate {item.label} any more")
    for rule in configuration.settings.zone_rules:
        if rule.error is not None and rule.suffix.text not in said.zones:
            yield _unreadable(rule.error, f"zone {rule.suffix} has no provider of its own any more")
    for finding in configuration.findings:
        if finding.code == "unused-certificate-config":
            yield replace(finding, code=_CODE)
    for found in said.page.values():
        if not is_setting(found.name):
            yield Finding(
                _CODE,
                Severity.NOTE,
                f"{printable(found.name, 80)}: not a setting of certkeeper's",
                "a hook that reads it from the configuration file does not find it",
                "set it in the hook itself",
                found.where,
            )
    yield from _functions(configuration)
    yield from _hooks(configuration)


def _functions(configuration: Configuration) -> Iterator[Finding]:
    """Hooks that are functions of the page's: no TOML can hold one."""
    said = configuration.said
    certificates = (item for found in said.certificates.values() for item in found.own)
    parts = (item for own in (*said.accounts.values(), *said.zones.values()) for item in own)
    for item in dict.fromkeys((*said.page.values(), *parts, *certificates)):
        if item.name == "HOOK" and item.value in configuration.shell.callable:
            yield Finding(
                _CODE,
                Severity.WARNING,
                f"HOOK: {printable(item.value, 80)} is a shell function, which cannot be converted",
                "no hook is called",
                'put it into a script, and write hook = "/path/of/the/script"',
                item.where,
            )


def _hooks(configuration: Configuration) -> Iterator[Finding]:
    said = configuration.said.page.get("HOOK")
    scripts = (spec.hook for spec in configuration.certificates if spec.hook not in configuration.shell.callable)
    for hook in dict.fromkeys(script for script in scripts if script):
        yield Finding(
            "hook-reads-config",
            Severity.NOTE,
            f"HOOK: {printable(hook, 120)} may read $CONFIG, which is no shell file any more",
            "a hook that sources it fails",
            "look into the script",
            said.where if said is not None else None,
        )


def _unreadable(error: CertkeeperError, consequence: str) -> Finding:
    reason, where = (error.reason, error.where) if isinstance(error, ConfigError) else (str(error), None)
    return Finding(_CODE, Severity.WARNING, reason, consequence, error.hint, where)


def _renamed(page: Mapping[str, Assignment]) -> Mapping[str, Assignment]:
    """Settings alone; pdns_api.sh's names before version 0.3 become those of today, where they count."""
    found = {name: item for name, item in page.items() if is_setting(name) and name not in {*_SHAPE, *LEGACY_PDNS}}
    for name in LEGACY_PDNS:
        modern = f"PDNS_{name}"
        if name in page and not (modern in page and page[modern].value):
            found[modern] = page[name]
    return found


def _settings(assigned: Mapping[str, Assignment], functions: Collection[str]) -> list[Line]:
    return [
        _line(name, found.value, found.where)
        for name, found in assigned.items()
        if not (name == "HOOK" and found.value in functions)
    ]


def _line(name: str, value: str, where: Location | None) -> Line:
    key = name.lower()
    if masked(name, value) != value:
        what = "a secret" if is_secret(name) else "may hold a secret"
        return Line(f"{key} = {native_value(name, value)}", f"# {key}: {what}, left out here; it stands at {where}")
    return _same(f"{key} = {native_value(name, value)}")


def _same(text: str) -> Line:
    return Line(text, text)


def _header(kind: str, name: str) -> Iterable[Line]:
    return _same(""), _same(f"[{kind}.{name if _BARE.fullmatch(name) else quoted(name)}]")


def _comments(*texts: str) -> Iterator[Line]:
    for text in texts:
        yield _same(f"# {printable(text)}")
