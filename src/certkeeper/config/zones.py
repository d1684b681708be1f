"""ZONES_D: a folder with a file per zone, which says who writes the records of that zone and of all below it."""

from collections.abc import Mapping

from certkeeper.base.wire import Exchange
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.lint import ignored_settings, unknown_variables, with_misspelled
from certkeeper.config.providers import Register, sorted_rules, zone_rule
from certkeeper.config.reading import ReadFailure, listing, read_or_fail
from certkeeper.config.settings import ZoneRule
from certkeeper.config.shell import Assignment, evaluate
from certkeeper.config.values import Values
from certkeeper.config.variables import KNOWN, NAMES_ZONES, per_zone


def zone_rules(
    values: Values, variables: Mapping[str, str], environment: Mapping[str, str], register: Register
) -> Exchange[tuple[tuple[ZoneRule, ...], tuple[Finding, ...]]]:
    """The rules, the closest zone first, and what is odd about their files.

    Raises:
        ConfigError: the folder cannot be read, or a file's name is no zone. What else is wrong with a file is in
            its rule: certificates without a name in that zone go on.
    """
    if not values.has("ZONES_D"):
        return (), ()
    folder = values.path("ZONES_D", "")
    files = yield from listing(folder, "")
    if isinstance(files, ReadFailure):
        raise values.error("ZONES_D", f"{folder}: {files.reason}", "make the directory, or remove the line")
    rules: list[ZoneRule] = []
    findings: list[Finding] = []
    for file in files:
        name = file.rpartition("/")[2]
        error: ConfigError | None = None
        own: dict[str, Assignment] = {}
        written: tuple[Assignment, ...] = ()
        try:
            text = yield from read_or_fail(file)
            script = evaluate(text, file, {**variables, "zone": name})
            written = script.assignments
            own = {found.name: found for found in written if per_zone(found.name)}
            findings += (*script.findings, *unknown_variables(written), *_misplaced(written, name))
        except ConfigError as failed:
            error = failed
        zone = Values({**values.assigned, **own}, file)
        rule = yield from zone_rule(name, zone, own, environment, register)
        if isinstance(rule.error, ConfigError):
            error = error or rule.error
        rules.append(ZoneRule(rule.suffix, "", with_misspelled(error, written)) if error is not None else rule)
        findings += zone.findings
    return sorted_rules(rules), tuple(findings)


def _misplaced(assignments: tuple[Assignment, ...], zone: str) -> list[Finding]:
    """Known settings that no zone can have of its own. Unknown ones may be meant for a hook."""
    last = {found.name: found for found in assignments if not per_zone(found.name)}
    ignored = ignored_settings(last)
    told = {finding.where for finding in ignored}
    return [
        *ignored,
        *(
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
            if name in KNOWN and found.where not in told
        ),
    ]
