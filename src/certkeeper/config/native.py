"""certkeeper.toml, our own form of the page -> the assignments that dehydrated's files would have made.

renew_days = 30                       a setting: its name in lower case
[certificate.post]                    one certificate, by its alias: `names`, and settings of its own
[zone."example.net"]                  who writes that zone and all below it, as a file in ZONES_D
[account."https://…/directory"]       what counts for the account at that CA, as ACCOUNTDIR/<CA>/config
[target.mumble]                       a service of this machine that takes certificates; see config/targets.py

Nothing is expanded. From here on the readers of dehydrated's form go on: each value becomes the text that it would be.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence

from certkeeper.base.errors import Location, printable
from certkeeper.config.authority import NoAuthority, read_authority
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity, did_you_mean
from certkeeper.config.kinds import Kind, is_secret, is_setting, kind_of
from certkeeper.config.shell import Assignment
from certkeeper.config.tables import Native, Table, TargetTable
from certkeeper.config.tomlplaces import KeyPath, Places, places
from certkeeper.config.values import listed
from certkeeper.config.variables import KNOWN, LEGACY_PDNS

_SETTINGS_OF = ("certificate", "zone", "account")
_TARGET = "target"
_STATE = "state"
CONFIG_VERSION = "config_version"
VERSION = 1
"""Of the form of this file. It grows when a file is to mean something else than before."""
_FOLDER = re.compile(r"(?:/(?!\.\.?(?:/|$))[^/]+)+")
_TABLES = (*_SETTINGS_OF, _TARGET)
_ELSEWHERE = {
    "CONFIG_D": "all settings of the page are in this file",
    "DOMAINS_D": 'write what is for one certificate into its table: [certificate."example.org"]',
    "SOURCE_CONFIG": "there is nothing in this file that bash could evaluate",
    "ZONES_D": 'write what is for one zone into its table: [zone."example.org"]',
}
_SHORTEST = 4
_KEY = re.compile(r"[a-z][a-z0-9_]*")
# What a shell would put something else in the place of.
_EXPANDED = re.compile(r"^~(?:/|$)|\$[A-Za-z_{(]")
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


def parse_native(file: str, text: str) -> Native:
    """Take a certkeeper.toml apart.

    Raises:
        ConfigError: with file and line, where it is no TOML, or a value cannot be what its key is for.
    """
    return _Parts(file, *_document(file, text)).native()


def parse_targets(file: str, text: str) -> tuple[TargetTable, ...]:
    """The tables of a file that describes services; beside them only `state` may stand in it.

    Raises:
        ConfigError: with file and line, where it is no TOML, or something else stands in it.
    """
    document, found = _document(file, text)
    for key in document:
        if key not in {_TARGET, _STATE}:
            raise ConfigError(
                Location(file, found.line((key,))),
                f"{printable(key, 80)}: only tables of services stand in this file",
                hint="write [target.NAME] above what is about one service",
            )
    return _Parts(file, document, found).targets()


def parse_state(file: str, text: str) -> str:
    """The folder that such a file names for what root knows of deployments; empty where it names none.

    Raises:
        ConfigError: with file and line, where it is no absolute path, or the file no TOML.
    """
    document, found = _document(file, text)
    path = document.get(_STATE, "")
    if _STATE not in document:
        return ""
    if not isinstance(path, str) or not path.isprintable() or not _FOLDER.fullmatch(path):
        shown = repr(printable(path, 80)) if isinstance(path, str) else f"a {type(path).__name__}"
        where = Location(file, found.line((_STATE,)))
        raise ConfigError(where, f"{_STATE}: {shown} is no plain absolute path", hint=f'write {_STATE} = "/var/lib/…"')
    return path


def _document(file: str, text: str) -> tuple[Mapping[str, object], Places]:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return tomllib.loads(text), places(text)
    except ValueError as error:
        found = _AT_LINE.search(str(error))
        line = int(found[1] or text.count("\n") + 1) if found else 0
        # The one error without a place is Python's, about a number of thousands of digits.
        reason = _AT_LINE.sub("", str(error)) if found else "a number that is too long"
        raise ConfigError(
            Location(file, line),
            f"no TOML: {printable(reason[:1].lower() + reason[1:], 120)}",
            hint='write NAME = "value", with quotes around all that is no number, true or false',
        ) from None
    except RecursionError:
        raise ConfigError(Location(file), "no TOML: nested too deeply", hint="see certkeeper(1), FILES") from None


class _Parts:
    def __init__(self, file: str, document: Mapping[str, object], found: Places) -> None:
        self._file = file
        self._document = document
        self._places = found
        self._findings: list[Finding] = []

    def native(self) -> Native:
        self._check_version()
        settings = {key: value for key, value in self._document.items() if key not in {*_TABLES, CONFIG_VERSION}}
        certificates, zones, accounts = (self._tables(kind, self._document.get(kind, {})) for kind in _SETTINGS_OF)
        first, doubled = self._certificates(certificates)
        return Native(
            self._file,
            page=tuple(self._assignments((), settings)),
            certificates=first,
            zones={name: self._table(("zone", name), table) for name, table in zones.items()},
            accounts={self._ca(name): self._table(("account", name), table) for name, table in accounts.items()},
            findings=tuple(self._findings),
            doubled=doubled,
            targets=self.targets(),
        )

    def _check_version(self) -> None:
        """Files without a number are of the first form."""
        said = self._document.get(CONFIG_VERSION, VERSION)
        if not isinstance(said, int) or isinstance(said, bool) or said < 1:
            reason = f"{CONFIG_VERSION}: {printable(repr(said), 40)} is no version of this form"
            raise self._error((CONFIG_VERSION,), reason, f"write {CONFIG_VERSION} = {VERSION}")
        if said > VERSION:
            raise self._error(
                (CONFIG_VERSION,),
                f"{CONFIG_VERSION}: {said}, and this certkeeper knows {VERSION}: the file is for a newer one",
                "use the newer certkeeper, or the file that you had before the upgrade: see docs/upgrade.md",
            )

    def targets(self) -> tuple[TargetTable, ...]:
        tables = self._tables(_TARGET, self._document.get(_TARGET, {}))
        return tuple(self._target(name, table) for name, table in tables.items())

    def _target(self, name: str, table: Mapping[str, object]) -> TargetTable:
        keys: list[KeyPath] = [(key,) for key in table]
        keys += [(key, inner) for key, value in table.items() if isinstance(value, dict) for inner in value]
        at = {key: self._where((_TARGET, name, *key)) for key in keys}
        return TargetTable(name, self._where((_TARGET, name)), table, at)

    def _certificates(
        self, tables: Mapping[str, Mapping[str, object]]
    ) -> tuple[Mapping[str, Table], tuple[tuple[str, ConfigError], ...]]:
        """By alias, which is in lower case as in domains.txt; of those that are the same then, the first one counts."""
        first: dict[str, Table] = {}
        doubled = []
        for name, table in tables.items():
            alias, found = name.lower(), self._certificate(name, table)
            if first.setdefault(alias, found) is not found:
                reason = f"{printable(alias, 80)}: the same certificate as at {first[alias].where}"
                error = ConfigError(found.where, reason, hint="join the tables, or give this one another alias")
                doubled.append((alias, error))
        return first, tuple(doubled)

    def _tables(self, kind: str, found: object) -> Mapping[str, Mapping[str, object]]:
        if not isinstance(found, dict):
            raise self._error((kind,), f"{kind}: not a table", f'write [{kind}."NAME"] above its settings')
        for name, table in found.items():
            if not isinstance(table, dict):
                raise self._error(
                    (kind, name),
                    f"{kind}.{printable(name, 80)}: not a table",
                    f'write [{kind}."NAME"] above its settings; a name with dots needs the quotes',
                )
        return found

    def _certificate(self, alias: str, table: Mapping[str, object]) -> Table:
        path = ("certificate", alias)
        names = self._words((*path, "names"), table["names"]) if "names" in table else None
        settings = {key: value for key, value in table.items() if key != "names"}
        return Table(self._where(path), tuple(self._assignments(path, settings)), names)

    def _table(self, path: KeyPath, table: Mapping[str, object]) -> Table:
        return Table(self._where(path), tuple(self._assignments(path, table)))

    def _ca(self, text: str) -> str:
        try:
            return read_authority(text)
        except NoAuthority as error:
            raise self._error(("account", text), str(error), error.hint) from error

    def _assignments(self, path: KeyPath, table: Mapping[str, object]) -> Iterator[Assignment]:
        for key, value in table.items():
            at = (*path, key)
            name = key.upper() if _KEY.fullmatch(key) else ""
            if name in _ELSEWHERE:
                raise self._error(at, f"{key}: is for dehydrated's files", _ELSEWHERE[name])
            if is_setting(name) and name not in LEGACY_PDNS:
                if isinstance(value, str) and _EXPANDED.search(value) and not is_secret(name):
                    self._findings.append(self._literal(at))
                yield Assignment(name, self._text(at, name, value), self._where(at))
            else:
                self._findings.append(self._unknown(at, isinstance(value, dict)))

    def _text(self, at: KeyPath, name: str, value: object) -> str:
        kind = kind_of(name)
        match value:
            case str():
                return value
            case bool() if kind is Kind.TRUTH:
                return "yes" if value else "no"
            case int() if kind is Kind.NUMBER and not isinstance(value, bool) and abs(value) < 10**18:
                return str(value)
            case list() if kind is Kind.WORDS:
                return " ".join(self._words(at, value))
            case _:
                also = f", or {kind}" if kind is not Kind.TEXT else ""
                raise self._error(at, f"{at[-1]}: has to be a string{also}", f"write {at[-1]} = {_meant(kind, value)}")

    def _words(self, at: KeyPath, value: object) -> tuple[str, ...]:
        key = at[-1]
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self._error(at, f"{key}: has to be a list of strings", f'write {key} = ["…", "…"]')
        if not all(word and not any(char.isspace() for char in word) for word in value):
            raise self._error(
                at, f"{key}: holds an empty word, or one with blanks", "write each word as a string of its own"
            )
        return tuple(value)

    def _literal(self, at: KeyPath) -> Finding:
        return Finding(
            "not-expanded",
            Severity.WARNING,
            f"{at[-1]}: nothing is expanded in this file",
            "~ and $ stand for themselves",
            "write the value out",
            self._where(at),
        )

    def _unknown(self, at: KeyPath, table: bool) -> Finding:  # noqa: FBT001 - what tomllib found, no mode
        key = printable(at[-1], 80)
        known: Sequence[str] = _TABLES if table else sorted(name.lower() for name in KNOWN.difference(LEGACY_PDNS))
        lower = f"pdns_{key.lower()}" if key.upper() in LEGACY_PDNS and not table else key.lower()
        close = did_you_mean(key, known, limit=1) if len(key) >= _SHORTEST else None
        meant = lower if lower in known else close
        what = f"not a table; tables are {listed(_TABLES)}" if table else "not a setting"
        return Finding(
            "unknown-setting",
            Severity.WARNING,
            f"{key}: {what}{f'; did you mean {meant}?' if meant else ''}",
            "it has no effect",
            f"write {meant}" if meant else "remove it",
            self._where(at),
        )

    def _where(self, at: KeyPath) -> Location:
        return Location(self._file, self._places.line(at))

    def _error(self, at: KeyPath, reason: str, hint: str) -> ConfigError:
        return ConfigError(self._where(at), reason, hint=hint)


def _meant(kind: Kind, value: object) -> str:
    """The value as it is likely meant, in the setting's own type."""
    match kind, value:
        case Kind.TRUTH, int() | float():
            return "true" if value else "false"
        case Kind.NUMBER, float() if abs(value) < 10**9:
            return str(round(value))
        case Kind.WORDS, _:
            return '["…", "…"]'
        case _, bool():
            return '"yes"' if value else '"no"'
        case Kind.TEXT, int() | float():
            return f'"{value}"' if abs(value) < 10**18 else '"…"'
        case _:
            return '"…"'
