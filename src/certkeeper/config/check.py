"""All that is wrong with a page: read it, and where that stops, read on without the line that is to blame.

The errors are the readers' own. Nothing that is found this way is ever run: what is read is only told.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.wire import Exchange, Step
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.moving import moving_findings
from certkeeper.config.page import SUFFIX
from certkeeper.config.providers import MissingProvider
from certkeeper.config.reading import Read, ReadFailure
from certkeeper.config.settings import Configuration
from certkeeper.config.shell import Assignment

_MOST_READINGS = 200
# What a reader of values complains of, in either form; all other lines are complained of for their syntax.
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*\+?=")
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


@dataclass(slots=True)
class _Left:
    """Lines, and whole files, that are passed over, and the text of what was read."""

    lines: dict[str, set[int]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    texts: dict[str, list[str]] = field(default_factory=dict)
    provider: bool = False

    def add(self, error: ConfigError) -> bool:
        """Pass over what is to blame; False where nothing is left to pass over."""
        where = error.where
        if isinstance(error, MissingProvider):
            new, self.provider = not self.provider, True
        elif where.line:
            lines = self.lines.setdefault(where.file, set())
            new = where.line not in lines
            lines.add(where.line)
        else:
            # Without a main file there is no page.
            new = bool(self.texts) and where.file not in self.files
            self.files.add(where.file)
        return new

    def told(self, error: ConfigError) -> bool:
        """Whether it only comes of a line that is passed over: the rest of a function, or of a list."""
        lines = self.lines.get(error.where.file, set())
        above = error.where.line - 1
        if not lines:
            return False
        text = self.texts.get(error.where.file, [])[max(above - 1, 0) : above + 1]
        rest = above in lines and not any(_ASSIGNMENT.match(line) for line in text)
        return rest or (error.where.file.endswith(SUFFIX) and "no TOML" in error.reason)

    def answer(self, step: Step, found: object) -> object:
        """The file's text without the lines that are passed over."""
        if not isinstance(step, Read):
            return found
        if isinstance(found, ReadFailure):
            return "" if step.path in self.files else found
        if not isinstance(found, str):
            return found
        whole = found.split("\n")
        self.texts[step.path] = whole
        lines = self.lines.get(step.path, set())
        return "\n".join("" if number in lines else line for number, line in enumerate(whole, 1)) if lines else found


def examine(load: Callable[[tuple[Assignment, ...]], Exchange[Configuration]]) -> Exchange[Checked]:
    """All that is wrong with a page, and what whoever moves should know of it. `load` as for `check`."""
    found = yield from check(load)
    if found.configuration is None:
        return found
    more = yield from moving_findings(found.configuration)
    return replace(found, findings=(*found.findings, *more))


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
            if not left.add(error):
                break
        else:
            rejected = (_finding("rejected", item.label, item.error) for item in configuration.rejected)
            zones = (
                _finding("zone-rejected", f"zone {rule.suffix}", rule.error)
                for rule in configuration.settings.zone_rules
                if rule.error is not None
            )
            return Checked((*dict.fromkeys(errors), *rejected, *zones, *configuration.findings), configuration)
    return Checked(tuple(dict.fromkeys(errors)))


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
            answer = left.answer(step, (yield step))
            step = exchange.send(answer)
    except StopIteration as done:
        found: Configuration = done.value
        return found
