"""Completion for zsh."""

from collections.abc import Iterator

from certkeeper.cli.completion.grammar import Flag, Node, Value

_TOP = """\
#compdef certkeeper
# Completion of certkeeper for zsh, made by: certkeeper completion zsh

"""

_END = """\
# Loaded by its name, as files of fpath are, it completes at once; sourced, it says for what it is there.
if [[ $funcstack[1] == _certkeeper ]]; then
    _certkeeper "$@"
elif (( $+functions[compdef] )); then
    compdef _certkeeper certkeeper
fi
"""


def zsh(program: Node) -> str:
    """A file named _certkeeper for a folder of fpath."""
    nodes = reversed(list(program.all()))
    return _TOP + "".join("".join(_function(node)) for node in nodes) + _END


def _function(node: Node) -> Iterator[str]:
    yield f"{_named(node)}() {{\n"
    if node.parts:
        yield "    local line state\n    local -a parts=(\n"
        yield from (f"        {_quoted(f'{part.name}:{part.about}')}\n" for part in node.parts)
        yield "    )\n"
    yield "    _arguments -s -S"
    yield from (f" \\\n        {_spec(flag)}" for flag in node.flags)
    if node.parts:
        yield " \\\n        '1: :->part' \\\n        '*:: :->rest'\n"
        yield "    case $state in\n"
        yield "        part) _describe command parts ;;\n"
        yield "        rest)\n            case $line[1] in\n"
        yield from (f"                {part.name}) {_named(part)} ;;\n" for part in node.parts)
        yield "            esac\n            ;;\n    esac\n"
    else:
        yield f" \\\n        {_quoted(f'*:{_action(node.argument)}')}\n"
    yield "}\n\n"


def _spec(flag: Flag) -> str:
    """One option for _arguments; spellings of one option exclude each other."""
    about = flag.about.replace("[", r"\[").replace("]", r"\]")
    shown = f"[{about}]" + (f":{_action(flag.value)}" if flag.value else "")
    # A long option takes its value behind a = as well.
    spelled = [f"{each}=" if flag.value and each.startswith("--") else each for each in flag.spellings]
    if len(spelled) == 1:
        return _quoted(spelled[0] + shown)
    return f"'({' '.join(flag.spellings)})'{{{','.join(spelled)}}}{_quoted(shown)}"


def _action(value: Value) -> str:
    """Message and action, as _arguments has them."""
    if value.choices:
        return f" :({' '.join(value.choices)})"
    return " :_files" if value.file else " : "


def _named(node: Node) -> str:
    return "_" + node.words.replace(" ", "_")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
