"""Markdown as our documents are written -> the man macros of roff. Headings, paragraphs, lists, tables and code."""

import re
import textwrap
from collections.abc import Iterator, Sequence

_WIDTH = 110
_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^)]+)\)")
_SPECIAL = {"\\": "\\e", "\N{HORIZONTAL ELLIPSIS}": "...", "\N{EN DASH}": "\\(en"}


def escaped(text: str) -> str:
    """Text that roff takes as it is."""
    return "".join(_SPECIAL.get(char, char) for char in text).replace("-", "\\-")


def inline(text: str) -> str:
    """One line of text with its marks."""
    parts, last = [], 0
    for found in _INLINE.finditer(text):
        parts.append(escaped(text[last : found.start()]))
        code, strong, emphasis, label, link = found.groups()
        if label is not None:
            bare = escaped(label.replace("`", ""))
            named = label.strip("`") == link or link.startswith("#")
            parts.append(bare if named else f"{bare} ({escaped(link)})")
        elif emphasis is not None:
            parts.append(f"\\fI{escaped(emphasis)}\\fR")
        else:
            parts.append(f"\\fB{escaped(code if code is not None else strong)}\\fR")
        last = found.end()
    parts.append(escaped(text[last:]))
    return "".join(parts)


def filled(text: str) -> Iterator[str]:
    """A paragraph in short lines, none of which is taken for a request."""
    for line in text.splitlines():
        for part in textwrap.wrap(inline(line), _WIDTH, break_long_words=False, break_on_hyphens=False):
            yield f"\\&{part}" if part[0] in ".'" else part


def verbatim(lines: Sequence[str]) -> Iterator[str]:
    yield from (".PP", ".RS 4", ".nf")
    for line in lines:
        text = escaped(line)
        yield f"\\&{text}" if text[:1] in {".", "'"} else text
    yield from (".fi", ".RE")


def convert(markdown: str) -> Iterator[str]:
    """The body of a page. The first heading is the document's own and is left out, as are pictures."""
    for block in _blocks(markdown):
        first = block[0]
        if first.startswith(("# ", "<!--")):
            continue
        if first.startswith("#"):
            level, _, title = first.partition(" ")
            yield f".SH {inline(title).upper()}" if len(level) == 2 else f".SS {inline(title)}"
        elif first.startswith("```"):
            if "mermaid" not in first:
                yield from verbatim([line.removeprefix("$ ") for line in block[1:-1]])
        elif first.startswith("    "):
            yield from verbatim([line[4:] for line in block])
        elif first.startswith("|"):
            yield from _table(block)
        elif first.startswith("- "):
            for item in re.split(r"\n(?=- )", "\n".join(block)):
                yield ".IP \\(bu 2"
                yield from filled(item.removeprefix("- "))
        else:
            yield ".PP"
            yield from filled("\n".join(block))


def rows(block: Sequence[str]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Head and rows of a table, in cells."""
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))] for line in block]
    return cells[0], [row for row in cells[1:] if not set("".join(row)) <= set("-: ")]


def _table(block: Sequence[str]) -> Iterator[str]:
    head, body = rows(block)
    for row in body:
        yield ".TP"
        yield f".B {inline(row[0]).replace(chr(92) + 'fB', '').replace(chr(92) + 'fR', '')}"
        for number, (name, cell) in enumerate(zip(head[1:], row[1:], strict=True)):
            if number:
                yield ".br"
            yield from filled(cell if len(row) == 2 else f"*{name}*: {cell}")


def _blocks(markdown: str) -> Iterator[list[str]]:
    """Lines that belong together."""
    block: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            if not fenced and block:
                yield block
                block = []
            block.append(line)
            fenced = not fenced
            if not fenced:
                yield block
                block = []
            continue
        kind = _kind(line)
        if not fenced and block and (not line.strip() or kind != _kind(block[-1]) or line.startswith("#")):
            # A line of a list's item, or of a paragraph, goes on.
            yield block
            block = []
        if fenced or line.strip():
            block.append(line)
    if block:
        yield block


def _kind(line: str) -> str:
    return "code" if line.startswith("    ") else line[:1] if line[:1] in "|-#" else "text"
