"""A certkeeper.toml, taken apart: assignments by the table that they stand in. `config/native.py` makes it."""

from collections.abc import Iterator, Mapping

from certkeeper.base.errors import Location
from certkeeper.base.names import Alias, InvalidName
from certkeeper.base.value import dataclass, field
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding
from certkeeper.config.shell import Assignment


@dataclass(frozen=True, slots=True)
class Table:
    """What stands in one table. `names` is None where the table has none."""

    where: Location
    assignments: tuple[Assignment, ...] = ()
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TargetTable:
    """What one `[target.NAME]` says, as TOML has it. `places` are those of its keys, and of keys inside these."""

    name: str
    where: Location
    said: Mapping[str, object]
    places: Mapping[tuple[str, ...], Location] = field(default_factory=dict)

    def at(self, *keys: str) -> Location:
        """Where that is said; as close as is known."""
        return self.places.get(keys) or self.places.get(keys[:1]) or self.where


@dataclass(frozen=True, slots=True)
class Native:
    """Certificates are by alias, zones by name, accounts by the URL of the CA's directory,
    targets in the order of their tables.

    `doubled` are tables that are about a certificate of a table above them, by its alias.
    """

    file: str
    page: tuple[Assignment, ...] = ()
    certificates: Mapping[str, Table] = field(default_factory=dict)
    zones: Mapping[str, Table] = field(default_factory=dict)
    accounts: Mapping[str, Table] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    doubled: tuple[tuple[str, ConfigError], ...] = ()
    targets: tuple[TargetTable, ...] = ()

    def lines(self) -> Iterator[tuple[str, Location | ConfigError]]:
        """The tables that name their names, as lines of a domains.txt, and those that cannot be one."""
        yield from self.doubled
        for alias, table in self.certificates.items():
            if table.names is None:
                continue
            try:
                Alias.parse(alias)
            except InvalidName as error:
                yield alias, ConfigError(table.where, str(error), hint=error.hint)
                continue
            if not table.names:
                hint = 'write names = ["example.org"]; without the key a line of DOMAINS_TXT has the names'
                yield alias, ConfigError(table.where, "names: there is none", hint=hint)
            else:
                yield f"{' '.join(table.names).lower()} > {alias}", table.where

    def nameless(self) -> Iterator[tuple[str, Table]]:
        """Those that are about a line of DOMAINS_TXT."""
        return ((alias, table) for alias, table in self.certificates.items() if table.names is None)

    def of_account(self, ca: str) -> tuple[Assignment, ...]:
        """What counts for the account at that CA alone."""
        table = self.accounts.get(ca)
        return table.assignments if table is not None else ()
