"""All that is wrong with a page: read it, and where that stops, read on without the line that is to blame.

The errors are the readers' own. Nothing that is found this way is ever run: what is read is only told.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.value import dataclass, field, replace
from certkeeper.base.wire import Exchange, Step
from certkeeper.config.errors import ConfigError
from certkeeper.config.evaluating import UNREADABLE, Evaluate
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.moving import moving_findings
from certkeeper.config.page import SUFFIX
from certkeeper.config.providers import MissingProvider
from certkeeper.config.reading import Read, ReadFailure, read
from certkeeper.config.settings import Configuration
from certkeeper.config.shell import Assignment
from certkeeper.config.variables import LEGACY_PDNS

_MOST_READINGS = 200
# What a reader of values complains of, in either form; all other lines are complained of for their syntax.
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*\+?=")
_NAMED = re.compile(r"(?:^|[\s;])([A-Za-z_][A-Za-z0-9_]*)\s*\+?=")
_TABLE = re.compile(r"\s*\[")
# `A is not set`, `A and B are not set`, `set, and A is not`
_UNSET = re.compile(r"\b([A-Z][A-Z0-9_]*)(?: and ([A-Z][A-Z0-9_]*))? (?:is|are) not\b")
# What is looked at in another way, or elsewhere, as long as nobody knows these.
_DECIDES = {
    "BASEDIR": ("ALPNCERTDIR", "CERTDIR", "LOCKFILE", "STATEDIR"),
    "CHALLENGETYPE": ("ALPNCERTDIR", "WELLKNOWN"),
    "DNS_PROVIDER": ("HOOK",),
}
_NOBODY = Assignment("DNS_PROVIDER", "manual", Location("--"))
"""In the place of a provider that is missing, so that the rest of the page can be read."""
_CONSEQUENCES = {
    "unreadable-page": "no command can read the page",
    "rejected": "there is no certificate of it; the others go on",
    "zone-rejected": "no certificate with a name in the zone is ordered through DNS; the others go on",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong, and the page as far as it can be read; None where not even its main file can be."""

    findings: tuple[Finding, ...]
    configuration: Configuration | None = None
    unread: frozenset[str] = frozenset()
    """The settings whose lines are passed over."""

    def known(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Those that are not about a setting of which nobody knows what it is once its line is corrected."""
        unsure = self.unread | {name for known in self.unread for name in _DECIDES.get(known, ())}
        return tuple(item for item in findings if _modern(item.message.partition(":")[0]) not in unsure)


@dataclass(slots=True)
class _Left:
    """Lines, and whole files, that are passed over, and the text of what was read."""

    lines: dict[str, set[int]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    texts: dict[str, list[str]] = field(default_factory=dict)
    evaluated: set[str] = field(default_factory=set)
    """Files that bash reads."""
    provider: bool = False

    def add(self, error: ConfigError) -> bool:
        """Pass over what is to blame; False where nothing is left to pass over."""
        where = error.where
        if isinstance(error, MissingProvider):
            new, self.provider = not self.provider, True
        elif where.line:
            lines = self.lines.setdefault(where.file, set())
            new = where.line not in lines
            lines.update(self._blamed(where))
            new = new or self._last(where, lines)
        elif where.file in self.evaluated and where.file != next(iter(self.texts)):
            # Nobody knows which of its lines.
            lines = self.lines.setdefault(where.file, set())
            new = not lines.issuperset(self._all(where.file))
            lines.update(self._all(where.file))
        else:
            # Without a main file there is no page.
            new = bool(self.texts) and where.file not in self.files
            self.files.add(where.file)
        return new

    def _all(self, file: str) -> range:
        return range(1, len(self.texts.get(file, ())) + 1)

    def _last(self, where: Location, lines: set[int]) -> bool:
        """Where bash misses the end of something, it names the end of the file: all from the beginning of that goes."""
        text = self.texts.get(where.file, [])
        if where.file not in self.evaluated or where.line < len(text):
            return False
        last = next((number for number in reversed(self._all(where.file)) if number not in lines), 0)
        lines.add(last)
        return last > 0

    def _blamed(self, where: Location) -> Iterator[int]:
        """The line, and where it begins a table, all of that: its settings would go to the table above."""
        yield where.line
        text = self.texts.get(where.file, [])
        if where.file.endswith(SUFFIX) and _TABLE.match("".join(text[where.line - 1 : where.line])):
            for number, line in enumerate(text[where.line :], where.line + 1):
                if _TABLE.match(line):
                    return
                yield number

    @property
    def names(self) -> frozenset[str]:
        """The settings on the lines that are passed over, by their names of today."""
        texts = (
            self.texts[file][number - 1]
            for file, lines in self.lines.items()
            for number in lines
            if number <= len(self.texts.get(file, ()))
        )
        return frozenset(_modern(name.upper()) for text in texts for name in _NAMED.findall(text))

    def told(self, error: ConfigError) -> bool:
        """Whether it only comes of a line that is passed over: the rest of a function or a list, or what misses it."""
        missed = {_modern(name) for found in _UNSET.findall(error.reason) for name in found if name}
        if missed & self.names:
            return True
        lines = self.lines.get(error.where.file, set())
        above = error.where.line - 1
        # What bash ran stands for itself.
        if not lines or (error.where.file in self.evaluated and error.reason != UNREADABLE):
            return False
        text = self.texts.get(error.where.file, [])[max(above - 1, 0) : above + 1]
        rest = above in lines and not any(_ASSIGNMENT.match(line) for line in text)
        return rest or (error.where.file.endswith(SUFFIX) and "no TOML" in error.reason)

    def emptied(self, finding: Finding) -> bool:
        """Whether a file sets nothing because its lines are passed over."""
        return finding.code == "empty-config" and finding.where is not None and finding.where.file in self.lines

    def asked(self, step: Step) -> Step:
        """The question to bash with the text of files without the lines that are passed over."""
        if not isinstance(step, Evaluate):
            return step
        self.evaluated.add(step.path)
        # A command that does nothing: a function, or a branch, has to have one.
        instead = {file: self._without(file, ":") for file, lines in self.lines.items() if lines and file in self.texts}
        return replace(step, instead=instead)

    def _without(self, file: str, nothing: str) -> str:
        lines = self.lines.get(file, set())
        return "\n".join(nothing if number in lines else line for number, line in enumerate(self.texts[file], 1))

    def answer(self, step: Step, found: object) -> object:
        """The file's text without the lines that are passed over."""
        if not isinstance(step, Read):
            return found
        if isinstance(found, ReadFailure):
            return "" if step.path in self.files else found
        if not isinstance(found, str):
            return found
        self.texts[step.path] = found.split("\n")
        return self._without(step.path, "") if self.lines.get(step.path) else found


def examine(load: Callable[[tuple[Assignment, ...]], Exchange[Configuration]]) -> Exchange[Checked]:
    """All that is wrong with a page, and what whoever moves should know of it. `load` as for `check`."""
    found = yield from check(load)
    if found.configuration is None:
        return found
    more = yield from moving_findings(found.configuration)
    return replace(found, findings=(*found.findings, *found.known(more)))


def check(load: Callable[[tuple[Assignment, ...]], Exchange[Configuration]]) -> Exchange[Checked]:
    """Have a page read as often as it takes. `load` reads it, with these settings on top."""
    left = _Left()
    errors: list[Finding] = []
    for _ in range(_MOST_READINGS):
        try:
            configuration = yield from _passing(load((_NOBODY,) if left.provider else ()), left)
        except ConfigError as error:
            if not left.told(error):
                errors.append(_finding("unreadable-page", "", error))
            yield from _included(error.where.file, left)
            if not left.add(error):
                break
        else:
            rejected = (_finding("rejected", item.label, item.error) for item in configuration.rejected)
            zones = (
                _finding("zone-rejected", f"zone {rule.suffix}", rule.error)
                for rule in configuration.settings.zone_rules
                if rule.error is not None
            )
            checked = Checked((*dict.fromkeys(errors), *rejected, *zones), configuration, left.names)
            sure = (item for item in configuration.findings if not left.emptied(item))
            return replace(checked, findings=(*checked.findings, *checked.known(sure)))
    return Checked(tuple(dict.fromkeys(errors)))


def _included(file: str, left: _Left) -> Exchange[None]:
    """Of a file that bash includes, nobody has asked for the text."""
    if left.evaluated and "/" in file and file not in left.texts:
        text = yield from read(file)
        if isinstance(text, str):
            left.texts[file] = text.split("\n")
            left.evaluated.add(file)


def _modern(name: str) -> str:
    """One name for all that set the same thing."""
    name = f"PDNS_{name}" if name in LEGACY_PDNS else name
    return name.removesuffix("_FILE") if name.endswith("_KEY_FILE") else name


def _finding(code: str, subject: str, error: CertkeeperError) -> Finding:
    where = error.where if isinstance(error, ConfigError) else None
    reason = error.reason if isinstance(error, ConfigError) else str(error)
    message = reason if not subject or reason.startswith(f"{subject}: ") else f"{subject}: {reason}"
    return Finding(code, Severity.ERROR, message, _CONSEQUENCES[code], error.hint, where)


def _passing(exchange: Exchange[Configuration], left: _Left) -> Exchange[Configuration]:
    answer: object = None
    try:
        step = next(exchange)
        while True:
            answer = left.answer(step, (yield left.asked(step)))
            step = exchange.send(answer)
    except StopIteration as done:
        found: Configuration = done.value
        return found
