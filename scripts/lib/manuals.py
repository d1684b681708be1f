"""Manual pages and the list of commands, made of documents and of what the code knows: nothing is said twice."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from roff import convert, filled, inline, rows

from certkeeper import __version__
from certkeeper.cli.arguments import build_parser
from certkeeper.config.kinds import kind_of
from certkeeper.config.native import CONFIG_VERSION, VERSION
from certkeeper.config.spelling import SHELLS_OWN, as_native
from certkeeper.config.variables import KNOWN, LEGACY_PDNS, PER_CERTIFICATE

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_DATE = "November 2026"
_SETTING = re.compile(r"^\| `([A-Z0-9_]+)` \|")
_SEE = "certkeeper (1), certkeeper.toml (5), certkeeper-hooks (7), certkeeper-dane (7)"


def page(name: str, section: int, what: str, body: Iterator[str], source: str) -> str:
    """A whole manual page."""
    others = [word for word in _SEE.split(", ") if word != f"{name} ({section})"]
    see = ",\n".join(f".BR {inline(word)}" for word in others).replace(",\n", " ,\n")
    lines = [
        f'.\\" Made by scripts/manuals from {source}: change it there. Check with: man -l docs/{name}.{section}',
        f'.TH {inline(name.upper())} {section} "{_DATE}" "certkeeper {__version__}"',
        ".SH NAME",
        f"{inline(name)} \\- {what}",
        *body,
        ".SH SEE ALSO",
        see,
        ".PP",
        "More documents, to which some of the text above refers by name, are in the folder",
        ".I docs",
        "of the source, and of the package.",
    ]
    return "\n".join(lines) + "\n"


def toml() -> Iterator[str]:
    """The form, then every setting that may stand in it."""
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    form = text.partition("\n## In certkeeper.toml\n")[2].partition("\n## ")[0]
    yield ".SH DESCRIPTION"
    yield from filled("This is about certkeeper's own form of its configuration. It reads dehydrated's files, too.")
    yield from convert(form)
    yield ".SH VERSION"
    yield from filled(f"`{CONFIG_VERSION} = {VERSION}` is the form that certkeeper {__version__} writes and reads.")
    for heading, section in _sections(text.partition("\n## Acted on\n")[2].partition("\n## ")[0]):
        found = [row for row in _settings(section) if row[0] in KNOWN - SHELLS_OWN - set(LEGACY_PDNS)]
        if found:
            yield f".SH {inline(heading).upper()}"
        for name, default, meaning in found:
            yield ".TP"
            yield f".BR {inline(name.lower())}"
            own = "; also for one certificate" if name in PER_CERTIFICATE else ""
            yield from filled(f"*{kind_of(name).value}*; default: {default}{own}")
            yield ".br"
            yield from filled(as_native(meaning))
    yield ".SH FILES"
    yield from convert(
        "| file | what |\n|---|---|\n| `/etc/certkeeper/certkeeper.toml` | where it is looked for |\n"
        "| `/etc/certkeeper/deploy.toml` | services that are described for a page of dehydrated's |"
    )


def _sections(text: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^#{3,4} (.+)$", text, flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _settings(section: str) -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning of each row."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    if not lines:
        return
    head, body = rows(lines)
    for row in body:
        cells = dict(zip(head, row, strict=True))
        yield cells["variable"].strip("`"), cells.get("default", "empty"), cells["meaning"]


def _of(document: str) -> Iterator[str]:
    text = (DOCS / document).read_text(encoding="utf-8")
    yield ".SH DESCRIPTION"
    yield from convert(text)


_COMMANDS = """\
# Commands

Every command and its options, as `--help` prints them. It is made by `scripts/manuals`. Guides to what they are for \
are linked from the [README](../README.md); [certkeeper.1](certkeeper.1) says the same at greater length.

Commands that read a configuration take `--config FILE` (`-f`), and `--source-config` to have bash evaluate it.
"""
_COMMON = frozenset({"help", "config", "evaluator"})


def commands() -> str:
    """All commands with their options, from the parser."""
    parts = [_COMMANDS]
    for name, parser in sorted(_commands_of(build_parser())):
        description, _, rest = (parser.description or "").strip().partition("\n\n")
        parts.append(f"\n## `certkeeper {name}`\n\n{' '.join(description.split())}\n")
        if rest:
            parts.append(f"\n```text\n{rest}\n```\n")
        options = [action for action in parser._actions if action.dest not in _COMMON]  # noqa: SLF001 - nothing public tells
        if options:
            rows = [f"| {_usage(action)} | {' '.join((action.help or '').split())} |" for action in options]
            parts.append("\n| option | meaning |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "".join(parts)


def _commands_of(parser: argparse.ArgumentParser, above: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Those that do something: a command with parts is its parts."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    for action in below:
        for name, part in action.choices.items():
            yield from _commands_of(part, f"{above} {name}".strip())
    if above and not below:
        yield above, parser


def _usage(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else ""
    if not value and action.choices:
        value = "\\|".join(map(str, action.choices))
    words = ", ".join(f"`{word}`" for word in action.option_strings) or f"`{value or action.dest}`"
    return f"{words} {value}".strip() if action.option_strings and action.nargs != 0 else words


def pages() -> dict[Path, str]:
    """All of them, by the files that they are kept in."""
    hooks = _of("hooks.md")
    dane = _of("dane.md")
    toml_source = "docs/settings.md and src/certkeeper/config/variables.py"
    return {
        DOCS / "commands.md": commands(),
        DOCS / "certkeeper.toml.5": page("certkeeper.toml", 5, "configuration of certkeeper", toml(), toml_source),
        DOCS / "certkeeper-hooks.7": page("certkeeper-hooks", 7, "scripts that it calls", hooks, "docs/hooks.md"),
        DOCS / "certkeeper-dane.7": page("certkeeper-dane", 7, "keys under TLSA records", dane, "docs/dane.md"),
    }


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: scripts/manuals [--check]\n")
        return 2
    stale = {path: text for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if arguments:
            sys.stderr.write(f"{path.relative_to(ROOT)} is out of date: scripts/manuals writes it anew\n")
        else:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)} written\n")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
