"""Command blocks of documents: what a reader can copy and type."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHELLS = frozenset({"sh", "bash", "console"})
# What begins a line that is typed; all else in an indented block is a configuration, or what is printed.
_PROGRAMS = (
    r"certkeeper(?:-\w+)* scripts/\w+ benchmarks/\w+ systemctl service python3? pip pipx uv man ln install tar mv cp "
    r"rm cd chmod chown adduser apt apt-get dpkg(?:-\w+)* sed curl openssl pdnsutil postfix doveadm nginx git "
    r"sha256sum mkdir sudo cat printf echo export journalctl dig test make dehydrated /opt/\S+ \./\S+ \.venv/bin/\S+"
)
_TYPED = re.compile(rf"^(?:\$ )?(?:{'|'.join(_PROGRAMS.split())})(?= |$)")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that are typed together. `played` are those of a transcript, which shows what is printed, too."""

    document: Path
    line: int
    commands: tuple[str, ...]
    played: bool


def blocks(document: Path) -> Iterator[Block]:
    """The command blocks of a Markdown document, in order."""
    text = document.read_text(encoding="utf-8")
    found = [*_fenced(document, text), *_indented(document, text)]
    yield from sorted((block for block in found if block.commands), key=lambda block: block.line)


def _fenced(document: Path, text: str) -> Iterator[Block]:
    for fence in _FENCE.finditer(text):
        if fence[1] not in _SHELLS:
            continue
        lines = fence[2].splitlines()
        played = fence[1] == "console"
        typed = (
            [line[2:] for line in lines if line.startswith("$ ")]
            if played
            else [line for line in lines if line.strip()]
        )
        yield Block(document, text.count("\n", 0, fence.start()) + 2, tuple(typed), played)


def _indented(document: Path, text: str) -> Iterator[Block]:
    # What is fenced keeps its lines and loses its text.
    bare = _FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), text)
    block: list[str] = []
    start = 0
    for number, line in enumerate([*bare.splitlines(), ""], 1):
        if line.startswith("    ") and line.strip():
            start = start or number
            block.append(line[4:])
            continue
        if block:
            typed = tuple(line.removeprefix("$ ") for line in block if _TYPED.match(line))
            yield Block(document, start, typed, played=False)
        block, start = [], 0
