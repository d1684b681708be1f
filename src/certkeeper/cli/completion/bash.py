"""Completion for bash."""

from collections.abc import Iterable, Iterator

from certkeeper.cli.completion.grammar import Node, Value

_TOP = """\
# Completion of certkeeper for bash, made by: certkeeper completion bash

_certkeeper() {
    local at=certkeeper cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
    # bash makes words of their own of the = in --config=FILE
    [[ $prev == = && COMP_CWORD -gt 1 ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $cur == = ]] && cur=
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at ${COMP_WORDS[i]}" in
"""

_MIDDLE = """\
                at+=" ${COMP_WORDS[i]}" ;;
        esac
    done
"""

_FILES = """\
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
"""

_END = """\
    esac
}

complete -F _certkeeper certkeeper
"""


def bash(program: Node) -> str:
    """A file for /usr/share/bash-completion/completions."""
    return "".join(_lines(program))


def _lines(program: Node) -> Iterator[str]:
    nodes = list(program.all())
    yield _TOP
    yield _patterns((node.words for node in nodes if node is not program), 12)
    yield _MIDDLE
    yield '    case "$at $prev" in\n'
    for value, places in _valued(nodes):
        yield _patterns(places, 8)
        yield _FILES if value.file else _given(value.choices, 12) + "            return\n"
        yield "            ;;\n"
    yield "    esac\n"
    yield "    case $at in\n"
    for node in nodes:
        yield _patterns([node.words], 8)
        yield from _words(node)
        yield "            ;;\n"
    yield _END


def _words(node: Node) -> Iterator[str]:
    """Options where the word begins like one, else what is expected there."""
    flags = [spelling for flag in node.flags for spelling in flag.spellings]
    yield "            if [[ $cur == -* ]]; then\n"
    yield _given(flags, 16)
    if node.argument.file:
        yield "            else\n"
        yield _FILES
    elif expected := [part.name for part in node.parts] or list(node.argument.choices):
        yield "            else\n"
        yield _given(expected, 16)
    yield "            fi\n"


def _valued(nodes: Iterable[Node]) -> Iterator[tuple[Value, list[str]]]:
    """Kinds of values, and behind which words each is expected."""
    places: dict[Value, list[str]] = {}
    for node in nodes:
        for flag in node.flags:
            if flag.value is not None:
                places.setdefault(flag.value, []).extend(f"{node.words} {spelling}" for spelling in flag.spellings)
    yield from places.items()


def _given(words: Iterable[str], indent: int) -> str:
    listed = " ".join(words)
    return f"{' ' * indent}mapfile -t COMPREPLY < <(compgen -W '{listed}' -- \"$cur\")\n" if listed else ""


def _patterns(words: Iterable[str], indent: int) -> str:
    blank = " " * indent
    return blank + f" | \\\n{blank}".join(f"'{each}'" for each in words) + ")\n"
