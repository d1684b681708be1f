"""All that is wrong with a page: read it, and where that stops, read on without the line that is to blame.

The errors are the readers' own. Nothing that is found this way is ever run: what is read is only told.
Where bash evaluates the page, it does so once for each file, as a run has it done: what it said is read again without
the assignments that are to blame. No command runs after one that failed, and no file once something was wrong.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.value import dataclass, field, replace
from certkeeper.base.wire import Exchange, Step
from certkeeper.config.errors import ConfigError
from certkeeper.config.evaluating import Evaluate, Evaluated, assignments, without
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.moving import moving_findings
from certkeeper.config.page import SUFFIX
from certkeeper.config.providers import MissingProvider
from certkeeper.config.reading import Read, ReadFailure
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


class _Unasked(ConfigError):
    """A file that bash would evaluate, if nothing were wrong with the page so far. It is not told."""


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
    """Files that bash has read, the included ones, too."""
    answers: dict[str, Evaluated] = field(default_factory=dict)
    """What it said of those that are not included."""
    masked: set[str] = field(default_factory=set)
    """Names whose assignments are passed over in that."""
    provider: bool = False
    again: bool = False
    """Whether something is wrong: a run would have ended there."""

    def add(self, error: ConfigError) -> bool:
        """Pass over what is to blame; False where nothing is left to pass over."""
        where = error.where
        if isinstance(error, MissingProvider):
            new, self.provider = not self.provider, True
        elif where.line or where.file in self.evaluated:
            lines = self.lines.setdefault(where.file, set())
            new = where.line not in lines
            lines.update(self._blamed(where))
        else:
            # Without a main file there is no page.
            new = where.file not in {*self.files, next(iter(self.texts), where.file)}
            self.files.add(where.file)
        return new

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
            if 0 < number <= len(self.texts.get(file, ()))
        )
        written = (name.upper() for text in texts for name in _NAMED.findall(text))
        return frozenset(_modern(name) for name in (*written, *self.masked))

    def told(self, error: ConfigError) -> bool:
        """Whether it only comes of a line that is passed over: the rest of a function or a list, or what misses it."""
        missed = {_modern(name) for found in _UNSET.findall(error.reason) for name in found if name}
        if missed & self.names:
            return True
        lines = self.lines.get(error.where.file, set())
        above = error.where.line - 1
        # What bash ran stands for itself.
        if not lines or error.where.file in self.evaluated:
            return False
        text = self.texts.get(error.where.file, [])[max(above - 1, 0) : above + 1]
        rest = above in lines and not any(_ASSIGNMENT.match(line) for line in text)
        return rest or (error.where.file.endswith(SUFFIX) and "no TOML" in error.reason)

    def emptied(self, finding: Finding) -> bool:
        """Whether a file sets nothing because its lines are passed over."""
        return finding.code == "empty-config" and finding.where is not None and finding.where.file in self.lines

    def said(self, step: Evaluate, found: object) -> object:
        """What bash said of a file, without the assignments on lines that are passed over."""
        if not isinstance(found, Evaluated):
            return found
        self.answers[step.path] = found
        self.evaluated.update((step.path, *(ran.where.file for ran in found.ran)))
        names = frozenset(
            item.name
            for item in assignments(step.path, found)
            if item.where.line in self.lines.get(item.where.file, ())
        )
        self.masked |= names
        return without(found, names, step.shell)

    def answer(self, step: Step, found: object) -> object:
        """The file's text without the lines that are passed over."""
        if isinstance(step, Evaluate):
            return self.said(step, found)
        if not isinstance(step, Read):
            return found
        if isinstance(found, ReadFailure):
            return "" if step.path in self.files else found
        if not isinstance(found, str):
            return found
        lines = self.lines.get(step.path, set())
        whole = found.split("\n")
        self.texts[step.path] = whole
        if not lines or step.path in self.evaluated:
            return found
        return "\n".join("" if number in lines else line for number, line in enumerate(whole, 1))


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
        except _Unasked:
            break
        except ConfigError as error:
            if not left.told(error):
                errors.append(_finding("unreadable-page", "", error))
            left.again = True
            if not left.add(error):
                break
        else:
            rejected = _rejected(configuration)
            zones = (
                _finding("zone-rejected", f"zone {rule.suffix}", rule.error)
                for rule in configuration.settings.zone_rules
                if rule.error is not None
            )
            checked = Checked((*dict.fromkeys(errors), *rejected, *zones), configuration, left.names)
            sure = (item for item in configuration.findings if not left.emptied(item))
            return replace(checked, findings=(*checked.findings, *checked.known(sure)))
    return Checked(tuple(dict.fromkeys(errors)))


def _rejected(configuration: Configuration) -> tuple[Finding, ...]:
    unasked = [item.error for item in configuration.rejected if isinstance(item.error, _Unasked)]
    found = [item for item in configuration.rejected if not isinstance(item.error, _Unasked)]
    more = f" (and {len(unasked) - 1} more)" if len(unasked) > 1 else ""
    note = Finding(
        "not-evaluated",
        Severity.NOTE,
        f"not looked at{more}: bash evaluates it once the page is right",
        "what is wrong with it is not known yet",
        "correct the errors, then check again",
        unasked[0].where if unasked else None,
    )
    return (*(_finding("rejected", item.label, item.error) for item in found), *((note,) if unasked else ()))


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
    try:
        step = next(exchange)
        while True:
            if not isinstance(step, Evaluate) or not left.again:
                step = exchange.send(left.answer(step, (yield step)))
            elif step.path in left.answers:
                step = exchange.send(left.said(step, left.answers[step.path]))
            else:
                step = exchange.throw(_Unasked(Location(step.path), "not evaluated", hint="correct the page first"))
    except StopIteration as done:
        found: Configuration = done.value
        return found
