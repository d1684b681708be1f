"""The subset of bash that configurations use -> assignments with their places. Nothing is ever executed.

Understood: assignments (also `+=`, several on a line, `;` between), `export`, all quotes, escapes, continued lines,
comments, `$NAME`, `${NAME}`, `${NAME:-…}` with - = + and with or without the colon, `$(( … ))`, a leading `~`.
Everything else is a ConfigError with file and line. What is understood means what it means to bash under `set -u`.
"""

import re
from collections.abc import Iterable, Mapping

from certkeeper.base.errors import Location
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass, field
from certkeeper.config.expansion import Expander
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.refusals import refusal
from certkeeper.config.source import Source
from certkeeper.config.words import WordReader

_ASSIGNMENT = pattern(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_EXPORT = pattern(r"export(?=[ \t\n;]|\\\n|\Z)")
_EXPORTED_NAME = pattern(r"([A-Za-z_][A-Za-z0-9_]*)(?=[ \t\n;]|\Z)")
_BLANKS = pattern(r"(?:[ \t]|\\\n)*")
_COMMAND_ENDS = ("", "\n", "#", ";")
_REST_OF_LINE = pattern(r"[^\n]*")


@dataclass(frozen=True, slots=True)
class Assignment:
    """One assignment that a file made. The value may be a secret and never shows up in a repr."""

    name: str
    value: str = field(repr=False)
    where: Location


@dataclass(frozen=True, slots=True)
class Shell:
    """What a shell has after some files: variables, the names of those that its children see, and functions.

    `functions` is their text, as bash prints it, and `callable` are their names; only bash makes any.
    """

    variables: Mapping[str, str] = field(repr=False)
    exported: frozenset[str] = frozenset()
    functions: str = field(default="", repr=False)
    callable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Script:
    """A file that was read: its assignments in order, the shell after it, and what is odd about it."""

    assignments: tuple[Assignment, ...]
    shell: Shell
    findings: tuple[Finding, ...] = ()

    @property
    def variables(self) -> Mapping[str, str]:
        return self.shell.variables


def evaluate(text: str, file: str, variables: Mapping[str, str], exported: Iterable[str] = ()) -> Script:
    """Read a file's text as bash would under `set -eu`, starting with these variables.

    Raises:
        ConfigError: with file and line, at the first thing that is wrong or not understood.
    """
    source = Source(file, text)
    if (nul := source.text.find("\0")) >= 0:
        raise source.error(nul, "a NUL character", "is this a text file? save it as UTF-8")
    return _Commands(source, dict(variables), exported).run()


class _Commands:
    """The file's commands, one after the other, each evaluated when it is complete."""

    def __init__(self, source: Source, variables: dict[str, str], exported: Iterable[str]) -> None:
        self._source = source
        self._text = source.text
        self._words = WordReader(source)
        self._expander = Expander(source, variables)
        self._exported = set(exported)
        self._assignments: list[Assignment] = []
        self._semicolon_lines: list[int] = []
        self._previous_name = ""

    def run(self) -> Script:
        while char := self._next():
            if char == "\n":
                self._words.at += 1
            elif char == "#":
                self._skip(_REST_OF_LINE)
            elif char == ";" and self._at_line_start():
                self._semicolon_lines.append(self._words.at)
                self._skip(_REST_OF_LINE)
            else:
                self._previous_name = ""
                self._command()
        findings = (*self._source.findings, *self._semicolon_findings())
        shell = Shell(self._expander.variables, frozenset(self._exported))
        return Script(tuple(self._assignments), shell, findings)

    def _command(self) -> None:
        if found := _EXPORT.match(self._text, self._words.at):
            self._words.at = found.end()
            self._export()
        else:
            # At least once: a separator in place of a command is refused like any other non-assignment.
            self._record(*self._assignment())
            while self._next() not in _COMMAND_ENDS:
                self._record(*self._assignment())
        if self._next() == ";":
            self._words.at += 1
            if self._text.startswith(";", self._words.at):
                raise self._source.error(self._words.at - 1, ";; is not understood", "use one ; or a new line")

    def _export(self) -> None:
        # The words of a command are all expanded before it runs: in `export A=1 B=$A` B gets the old A.
        pending = []
        while self._next() not in _COMMAND_ENDS:
            if found := _EXPORTED_NAME.match(self._text, self._words.at):
                self._words.at = found.end()
                self._exported.add(found[1])
            else:
                pending.append(self._assignment(braces=False))
        for name, value, at, append in pending:
            self._record(name, value, at, append)
            self._exported.add(name)

    def _assignment(self, *, braces: bool = True) -> tuple[str, str, int, bool]:
        """Name, value, offset, and whether the value is appended."""
        at = self._words.at
        found = _ASSIGNMENT.match(self._text, at)
        if not found:
            raise refusal(self._source, at, self._previous_name)
        self._words.at = found.end()
        value = self._expander.expand(self._words.value(braces=braces))
        for made in self._expander.made:
            self._note(*made)
        self._expander.made.clear()
        self._previous_name = found[1]
        return found[1], value, at, bool(found[2])

    def _record(self, name: str, value: str, at: int, append: bool) -> None:  # noqa: FBT001 - unpacked from a tuple
        value = self._expander.append(name, value, at) if append else value
        self._expander.variables[name] = value
        self._note(name, value, at)

    def _note(self, name: str, value: str, at: int) -> None:
        self._assignments.append(Assignment(name, value, self._source.where(at)))

    def _next(self) -> str:
        """The character that follows the blanks; it is not taken."""
        self._skip(_BLANKS)
        return self._text[self._words.at : self._words.at + 1]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._words.at)
        self._words.at = found.end() if found else self._words.at

    def _at_line_start(self) -> bool:
        start = self._text.rfind("\n", 0, self._words.at) + 1
        return not self._text[start : self._words.at].strip(" \t")

    def _semicolon_findings(self) -> tuple[Finding, ...]:
        if not self._semicolon_lines:
            return ()
        count = len(self._semicolon_lines)
        return (
            Finding(
                "semicolon-comment",
                Severity.WARNING,
                f"{count} {'line starts' if count == 1 else 'lines start'} with a semicolon; read as comments",
                "to dehydrated (bash) this is a syntax error: it ignores the whole file silently",
                "start comments with #",
                self._source.where(self._semicolon_lines[0]),
            ),
        )
