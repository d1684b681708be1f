"""Completion for fish."""

from collections.abc import Iterator

from certkeeper.cli.completion.grammar import Flag, Node, Value

_TOP = """\
# Completion of certkeeper for fish, made by: certkeeper completion fish

# Whether these are the commands that were typed so far.
function __certkeeper_at
    set -l at
    for word in (commandline --current-process --tokenize --cut-at-cursor)[2..]
        if contains -- "$at $word" $__certkeeper_commands
            set at "$at $word"
        end
    end
    test "$at" = "$argv"
end

"""


def fish(program: Node) -> str:
    """A file for /usr/share/fish/vendor_completions.d."""
    return "".join(_lines(program))


def _lines(program: Node) -> Iterator[str]:
    yield _TOP
    nodes = list(program.all())
    commands = " \\\n    ".join(_quoted(_typed(node)) for node in nodes if node is not program)
    yield f"set -g __certkeeper_commands \\\n    {commands}\n\n"
    yield "complete -c certkeeper -f\n"
    for node in nodes:
        where = f"complete -c certkeeper -n {_quoted(_condition(node))}"
        yield from (f"{where} -a {part.name} -d {_quoted(part.about)}\n" for part in node.parts)
        yield from (f"{where}{_offered(flag)}\n" for flag in node.flags)
        if offered := _value(node.argument):
            yield f"{where}{offered}\n"


def _offered(flag: Flag) -> str:
    spelled = "".join(f" -l {each[2:]}" if each.startswith("--") else f" -s {each[1:]}" for each in flag.spellings)
    needed = f" -x{_value(flag.value)}" if flag.value and not flag.value.file else " -r -F" if flag.value else ""
    return f"{spelled}{needed} -d {_quoted(flag.about)}"


def _value(value: Value) -> str:
    if value.choices:
        return f" -a {_quoted(' '.join(value.choices))}"
    return " -F" if value.file else ""


def _condition(node: Node) -> str:
    return f'__certkeeper_at "{_typed(node)}"'


def _typed(node: Node) -> str:
    """As the function puts them together: a blank in front of each."""
    return node.words.removeprefix("certkeeper")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
