"""A file of the page -> what it assigns: by the parser of the subset, or by bash where the operator asked for it.

bash answers with all variables, those that the file changed, and each command that it ran with its place. So an
assignment has its file and line here, too, also where it stands in a function or an included file.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import cast

from certkeeper.base.errors import Location
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass, field, replace
from certkeeper.base.wire import Exchange, Step
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.shell import Assignment, Script, Shell, evaluate

SETTING = "SOURCE_CONFIG"
# Read before anything is evaluated, so it has to be a line of its own, the same in every language.
_SETTING = pattern(rf"^{SETTING}=(\"|'|)yes\1[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_ASSIGNMENT = pattern(r"(?:(?:export|declare|typeset|readonly)\s+(?:-\w+\s+)*)?([A-Za-z_][A-Za-z0-9_]*)\+?=")
_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_DIAGNOSTIC = pattern(r"(.*): \w+ (\d+): (.*)")
_UNSET = pattern(r"([A-Za-z_][A-Za-z0-9_]*): unbound variable")
_SYNTAX = 2
_HINT = "see what bash says of it: bash -n"


class Evaluator(StrEnum):
    """Who evaluates the page."""

    PARSER = "parser"
    BASH = "bash"


class Errors(StrEnum):
    """What a command that fails means: dehydrated minds it in the page, not in a certificate's own file."""

    END = "e"
    IGNORED = ""


@dataclass(frozen=True, slots=True)
class Evaluate(Step):
    """Have bash evaluate a file, in the folder that we are in: an Evaluated."""

    path: str
    shell: Shell
    errors: Errors


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that bash ran. It may hold a secret and never shows up in a repr."""

    where: Location
    command: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What came of it. `shell` is None where bash did not come to the end; `said` is what it printed, the last part.

    `trouble` is why bash could not be run at all, or not to its end; `status` is what it ended with. `left_out` are
    names whose assignments do not count.
    """

    shell: Shell | None
    changed: frozenset[str] = frozenset()
    ran: tuple[Ran, ...] = ()
    said: str = field(default="", repr=False)
    status: int = 0
    trouble: str = ""
    hint: str = ""
    left_out: frozenset[str] = frozenset()


def wants_bash(text: str) -> bool:
    """Whether a main file asks for bash, in a line of its own."""
    return _SETTING.search(text) is not None


def evaluated(
    text: str, file: str, shell: Shell, evaluator: Evaluator, errors: Errors = Errors.END
) -> Exchange[Script]:
    """The file's assignments, on top of this shell.

    Raises:
        ConfigError: with file and line.
    """
    if evaluator is Evaluator.PARSER:
        return evaluate(text, file, shell.variables, shell.exported)
    answer = cast("Evaluated", (yield Evaluate(file, shell, errors)))
    if answer.shell is None:
        raise _failure(file, answer)
    findings = (_printed(file),) if answer.said else ()
    return Script(tuple(assignments(file, answer)), answer.shell, findings)


def without(answer: Evaluated, names: frozenset[str], before: Shell) -> Evaluated:
    """The answer as if the file had not set these; `before` is what it began with."""
    if answer.shell is None:
        return answer
    kept = {name: value for name, value in answer.shell.variables.items() if name not in names}
    restored = {name: before.variables[name] for name in names if name in before.variables}
    return replace(answer, shell=replace(answer.shell, variables={**kept, **restored}), left_out=names)


def assignments(file: str, answer: Evaluated) -> Iterable[Assignment]:
    """What the file set, each name once, at the place of the last command that did so."""
    variables = answer.shell.variables if answer.shell is not None else {}
    places: dict[str, Location] = {}
    for ran in answer.ran:
        names = _assigned(ran.command)
        names += [name for name in _NAME.findall(ran.command) if name in answer.changed and name not in places]
        for name in names:
            # A local variable of a function's is gone by the end.
            if name in variables:
                places.pop(name, None)
                places[name] = ran.where
    for name in sorted(answer.changed - places.keys()):
        if name in variables:
            places[name] = Location(file)
    return (Assignment(name, variables[name], where) for name, where in places.items() if name not in answer.left_out)


def _assigned(command: str) -> list[str]:
    found = _ASSIGNMENT.match(command)
    return [found[1]] if found else []


def _printed(file: str) -> Finding:
    return Finding(
        "config-output",
        Severity.NOTE,
        "prints something while it is read",
        "that is not shown here: it may hold a secret",
        "have it set variables only",
        Location(file),
    )


def _failure(file: str, answer: Evaluated) -> ConfigError:
    """Only of a known kind is bash's message shown: a word that it does not find may be half of a secret."""
    if answer.trouble:
        return ConfigError(Location(file), answer.trouble, hint=answer.hint or f"see what it does: bash -eu {file}")
    said = [found for line in answer.said.splitlines() if (found := _DIAGNOSTIC.fullmatch(line))]
    ran = answer.ran[-1].where if answer.ran else Location(file)
    last = said[-1] if said else None
    where = Location(last[1], int(last[2])) if last is not None and "/" in last[1] else ran
    if last is not None and (unset := _UNSET.fullmatch(last[3])):
        return ConfigError(where, f"{unset[1]} is not set", hint=f"write ${{{unset[1]}:-}}")
    if not answer.status:
        return ConfigError(ran, "ends the shell", hint="remove the exit")
    if not answer.ran or answer.status == _SYNTAX:
        return ConfigError(where, "bash cannot read this", hint=f"{_HINT} {file}")
    return ConfigError(ran, f"bash ends here with status {answer.status}", hint=f"see why: bash -eu {file}")
