"""Commands and what they print, as a document shows them: read, played, and compared."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SHORTENED = "…"
"""A line of its own: any number of lines may stand there, none as well."""

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT, _GOES_ON = "$ ", "> "

# What differs from run to run; applied to what is shown and to what is printed.
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "SECONDS"),
    (re.compile(r"\b\d+ (day|hour|minute)s?\b"), "WHILE"),
    (re.compile(r"\bserial \d+"), "serial N"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and the lines that are shown below it. `line` is where the document has it."""

    line: int
    command: str
    shown: Sequence[str]


def steps(document: str) -> Iterator[Step]:
    """The commands of its `console` blocks, in order. Lines that go on begin as the shell begins them."""
    for block in _BLOCK.finditer(document):
        first = document.count("\n", 0, block.start(1)) + 1
        yield from _steps(first, block.group(1).splitlines())


def _steps(first: int, lines: Sequence[str]) -> Iterator[Step]:
    starts = [number for number, line in enumerate(lines) if line.startswith(_PROMPT)]
    assert starts[:1] == [0], f"line {first}: a block begins with a command"
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        below = start + 1
        while below < end and lines[below].startswith(_GOES_ON):
            below += 1
        command = "\n".join(line[len(_PROMPT) :] for line in lines[start:below])
        yield Step(first + start, command, lines[below:end])


def replaced(text: str, names: Mapping[str, str]) -> str:
    """With the names of this machine exchanged for those of the document, the longest first."""
    for own in sorted(names, key=len, reverse=True):
        text = text.replace(own, names[own])
    return text


def same(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether that is what was printed, but for times, serials and blanks."""
    parts = [re.escape(f"{_settled(line)}\n") if line != SHORTENED else r"(?:.*\n)*" for line in shown]
    return re.fullmatch("".join(parts), "".join(f"{_settled(line)}\n" for line in printed)) is not None


def _settled(line: str) -> str:
    for varying, word in _VARYING:
        line = varying.sub(word, line)
    return line.rstrip()
