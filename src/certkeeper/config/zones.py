"""ZONES_D: a folder with a file per zone, which says who writes the records of that zone and of all below it."""

from collections.abc import Mapping
from typing import TypeAlias

from certkeeper.base.errors import Location
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import Exchange
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.lint import unknown_variables, with_misspelled
from certkeeper.config.providers import Register, sorted_rules, zone_rule
from certkeeper.config.reading import ReadFailure, listing, read_or_fail
from certkeeper.config.settings import ZoneRule
from certkeeper.config.shell import Assignment, Script, Shell, evaluate
from certkeeper.config.tables import Native, Table
from certkeeper.config.values import Values
from certkeeper.config.variables import KNOWN, NAMES_ZONES, per_zone


@dataclass(frozen=True, slots=True)
class ZonesRead:
    """`own` is what each zone that could be read has for itself, `places` is where that stands, by suffix."""

    rules: tuple[ZoneRule, ...] = ()
    findings: tuple[Finding, ...] = ()
    own: Mapping[str, tuple[Assignment, ...]] = field(default_factory=dict, repr=False)
    places: Mapping[DnsName, Location] = field(default_factory=dict)


def zone_rules(
    values: Values,
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    register: Register,
    native: Native | None = None,
) -> Exchange[ZonesRead]:
    """The rules, the closest zone first, and what is odd about their files, or their tables where the page is `native`.

    Raises:
        ConfigError: the folder cannot be read, or a file's name is no zone. What else is wrong with a file is in
            its rule: certificates without a name in that zone go on.
    """
    sources = (yield from _files(values)) if native is None else _tables(native)
    rules: list[ZoneRule] = []
    findings: list[Finding] = []
    read: dict[str, tuple[Assignment, ...]] = {}
    places: dict[DnsName, Location] = {}
    for name, where, table in sources:
        file = where.file
        error: ConfigError | None = None
        own: dict[str, Assignment] = {}
        written: tuple[Assignment, ...] = ()
        try:
            if table is not None:
                script = Script(table.assignments, Shell(variables))
            else:
                text = yield from read_or_fail(file)
                script = evaluate(text, file, {**variables, "zone": name})
            written = script.assignments
            own = {found.name: found for found in written if per_zone(found.name)}
            findings += (*script.findings, *unknown_variables(written), *_misplaced(written, name))
            read[name] = tuple(own.values())
        except ConfigError as failed:
            error = failed
        zone = Values({**values.assigned, **own}, file)
        rule = yield from zone_rule(name, zone, own, environment, register)
        if isinstance(rule.error, ConfigError):
            error = error or rule.error
        rules.append(ZoneRule(rule.suffix, "", with_misspelled(error, written)) if error is not None else rule)
        places[rule.suffix] = where
        findings += zone.findings
    return ZonesRead(sorted_rules(rules), tuple(findings), read, places)


_Sources: TypeAlias = tuple[tuple[str, Location, Table | None], ...]


def _tables(native: Native) -> _Sources:
    for name, table in native.zones.items():
        try:
            DnsName.parse(name)
        except InvalidName as error:
            raise ConfigError(table.where, f"the table's name is no zone: {error}", hint="rename the table") from error
    return tuple((name, table.where, table) for name, table in native.zones.items())


def _files(values: Values) -> Exchange[_Sources]:
    if not values.has("ZONES_D"):
        return ()
    folder = values.path("ZONES_D", "")
    files = yield from listing(folder, "")
    if isinstance(files, ReadFailure):
        raise values.error("ZONES_D", f"{folder}: {files.reason}", "make the directory, or remove the line")
    return tuple((file.rpartition("/")[2], Location(file), None) for file in files)


def _misplaced(assignments: tuple[Assignment, ...], zone: str) -> list[Finding]:
    """Known settings that no zone can have of its own. Unknown ones may be meant for a hook."""
    last = {found.name: found for found in assignments if not per_zone(found.name)}
    return [
        Finding(
            "not-per-zone",
            Severity.WARNING,
            f"{found.name}: cannot be set in a zone's own file",
            "ignored here",
            f'write {name}="{zone}=…" in the main configuration file'
            if name in NAMES_ZONES
            else "set it in the main configuration file, or remove it",
            found.where,
        )
        for name, found in last.items()
        if name in KNOWN
    ]
