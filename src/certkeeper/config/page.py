"""The page's own files: the main one, named or the first of the usual places, then those of CONFIG_D."""

import re
from collections.abc import Mapping
from typing import cast

from certkeeper.base.errors import Location
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass, replace
from certkeeper.base.wire import Exchange
from certkeeper.config.errors import ConfigError, NoConfiguration
from certkeeper.config.evaluating import Evaluator, evaluated, wants_bash
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.reading import (
    Became,
    Become,
    FailureKind,
    NotBecome,
    ReadFailure,
    listing,
    read,
    read_or_fail,
    settle,
)
from certkeeper.config.reading import failure as read_error
from certkeeper.config.shell import Assignment, Script, Shell
from certkeeper.config.tables import Native
from certkeeper.config.values import Values, folder_of, inside
from certkeeper.config.variables import DEFAULTS, KNOWN

NATIVE = "/etc/certkeeper/certkeeper.toml"
NATIVE_BASEDIR = "/var/lib/certkeeper"
"""BASEDIR of that file: keys and the journal change by themselves, and /etc may be read-only or kept in git."""
SUFFIX = ".toml"
_SEARCHED = ("/etc/dehydrated/config", "/usr/local/etc/dehydrated/config")
# What no shell would take for anything of its own.
_TOML = pattern(r'^(?:\[(?:certificate|zone|account)\.|[a-z][a-z0-9_]* = (?:["\[0-9]|true\b|false\b))', re.MULTILINE)
NO_FILE = "no configuration file"
"""In the place of one, where defaults count."""


@dataclass(frozen=True, slots=True)
class Page:
    """The files that were evaluated so far. `file` is empty where there is no main one, and defaults count.

    `native` is the main file where it is a certkeeper.toml, which then is the whole page.
    """

    file: str
    basedir: str
    shell: Shell
    evaluator: Evaluator = Evaluator.PARSER
    history: tuple[Assignment, ...] = ()
    findings: tuple[Finding, ...] = ()
    drop_ins: tuple[str, ...] = ()
    native: Native | None = None

    @property
    def label(self) -> str:
        return self.file or NO_FILE

    @property
    def variables(self) -> Mapping[str, str]:
        return self.shell.variables

    def then(self, script: Script) -> "Page":
        return replace(
            self,
            shell=script.shell,
            history=(*self.history, *script.assignments),
            findings=(*self.findings, *script.findings),
        )

    def values(self) -> Values:
        return Values({found.name: found for found in self.history}, self.label)


def read_main(
    config_path: str | None,
    *,
    cwd: str,
    environment: Mapping[str, str],
    fallback: str | None,
    evaluator: Evaluator,
) -> Exchange[Page]:
    """The page without what accounts and certificates have for themselves. `fallback` and `evaluator` as for `load`.

    Raises:
        ConfigError: with file and line.
    """
    if config_path == "":
        raise ConfigError(Location("--config"), "empty", hint="name the configuration file, or leave --config out")
    found = yield from _main_file(config_path or environment.get("CONFIG") or None, cwd)
    if found is not None and found[0].endswith(SUFFIX):
        return (yield from _settled(_native_page(*found, environment)))
    if found is not None:
        file, text = found
        evaluator = Evaluator.BASH if wants_bash(text) else evaluator
        page = Page(file, folder_of(file), _start(file, folder_of(file), environment), evaluator)
        try:
            return (yield from _settled((yield from _main_page(page, text))))
        except ConfigError as error:
            if error.where.file != file or not _TOML.search(text):
                raise
            hint = f"the form of certkeeper.toml is read where the file's name ends in {SUFFIX}: rename it"
            raise ConfigError(error.where, error.reason, hint=hint) from error
    if fallback is not None:
        return Page("", fallback, _start("", fallback, environment), evaluator)
    raise _nothing_found(cwd)


def _settled(page: Page) -> Exchange[Page]:
    """The page, as long as only those whom it trusts wrote it. Before that nothing in it was done."""
    values = page.values()
    yield from settle(values.text("DEHYDRATED_USER"), values.text("DEHYDRATED_GROUP"))
    return page


def _main_file(config_path: str | None, cwd: str) -> Exchange[tuple[str, str] | None]:
    """Path and text; None where no file is named, and none is in the usual places."""
    if config_path:
        text = yield from read_or_fail(config_path, "name the configuration file with --config FILE")
        return config_path, text
    native = yield from _present(NATIVE)
    # Where one is installed, a file that happens to be called config in the folder that we are in is not the page.
    for place in _SEARCHED if native else _places(cwd):
        found = yield from _present(place)
        if found is not None and native is not None:
            raise ConfigError(
                Location(NATIVE),
                f"found, and {place} is, too",
                hint="name the one that counts with --config FILE or $CONFIG, or move the other one away",
            )
        if found is not None:
            return place, found
    return (NATIVE, native) if native is not None else None


def _present(place: str) -> Exchange[str | None]:
    found = yield from read(place)
    if isinstance(found, str):
        return found
    # A directory of that name is passed over, as dehydrated does.
    if found.kind not in (FailureKind.MISSING, FailureKind.DIRECTORY):
        raise read_error(found)
    return None


def rivals(path: str) -> tuple[str, ...]:
    """The files beside which nobody can tell whether this one is the page, unless one of them is named."""
    return _SEARCHED if path == NATIVE else ()


def _places(cwd: str) -> tuple[str, ...]:
    return (*_SEARCHED, inside(cwd, "config"))


def _nothing_found(cwd: str) -> NoConfiguration:
    places = _places(cwd)
    return NoConfiguration(
        Location(places[0]),
        f"not found, and neither are {', '.join(places[1:])} and {NATIVE}",
        hint="name the configuration file with --config FILE, or in the environment variable CONFIG",
    )


def _start(file: str, basedir: str, environment: Mapping[str, str]) -> Shell:
    """What dehydrated has before it reads the first file. A variable of the environment stays exported."""
    return Shell({**environment, **DEFAULTS, "CONFIG": file, "BASEDIR": basedir}, frozenset(environment))


def _native_page(file: str, text: str, environment: Mapping[str, str]) -> Page:
    from certkeeper.config.native import parse_native  # noqa: PLC0415 - tomllib, which dehydrated's page does not need

    native = parse_native(file, text)
    basedir = NATIVE_BASEDIR if file == NATIVE else folder_of(file)
    # Nothing is expanded in it. The environment is there for scripts, and is nothing that a table could repeat.
    shell = _start(file, basedir, {name: value for name, value in environment.items() if name not in KNOWN})
    shell = replace(shell, variables={**shell.variables, **{found.name: found.value for found in native.page}})
    return Page(file, basedir, shell, history=native.page, findings=native.findings, native=native)


def _main_page(page: Page, text: str) -> Exchange[Page]:
    script = yield from evaluated(text, page.file, page.shell, page.evaluator)
    page = page.then(script)
    if not page.history:
        page = replace(page, findings=(*page.findings, _empty(page.file)))
    return (yield from _drop_ins(page))


def _drop_ins(page: Page) -> Exchange[Page]:
    values = page.values()
    if not values.has("CONFIG_D"):
        return page
    directory = values.path("CONFIG_D", "")
    files = yield from listing(directory, ".sh")
    if isinstance(files, ReadFailure):
        raise values.error("CONFIG_D", f"{directory}: {files.reason}", "make the directory, or remove the line")
    for file in files:
        text = yield from read_or_fail(file)
        script = yield from evaluated(text, file, page.shell, page.evaluator)
        page = page.then(script)
    return replace(page, drop_ins=files)


def as_wished(page: Page) -> Exchange[Page]:
    """The page, to be read on by the user that it wishes for: what else it names may be that user's to write.

    Raises:
        ConfigError: this cannot become that user.
    """
    values = page.values()
    user, group = values.text("DEHYDRATED_USER"), values.text("DEHYDRATED_GROUP")
    if not user:
        if group:
            raise values.error("DEHYDRATED_GROUP", "counts only together with DEHYDRATED_USER", "set both, or none")
        return page
    answer = cast("Became | NotBecome", (yield Become(user, group)))
    if isinstance(answer, NotBecome):
        raise values.error(answer.setting, answer.reason, answer.hint)
    changed = {name: value for name, value in answer.environment if name in page.shell.exported}
    return replace(page, shell=replace(page.shell, variables={**page.variables, **changed}))


def _empty(file: str) -> Finding:
    return Finding(
        "empty-config",
        Severity.WARNING,
        "the file sets nothing",
        "dehydrated's defaults count: CHALLENGETYPE http-01 at Let's Encrypt",
        'set at least CHALLENGETYPE="dns-01", PDNS_HOST and PDNS_KEY',
        Location(file),
    )
