"""What can be typed, taken from the parser: all that a shell has to know to complete it."""

import argparse
from collections.abc import Iterator

from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """What a word may be: one of `choices`, a file, or something that no shell can know."""

    choices: tuple[str, ...] = ()
    file: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """An option: all its spellings, and its value if it takes one."""

    spellings: tuple[str, ...]
    about: str
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A command: `words` is what was typed to get there, `parts` are the commands behind it."""

    words: str
    about: str
    flags: tuple[Flag, ...]
    argument: Value
    parts: tuple["Node", ...] = ()

    @property
    def name(self) -> str:
        return self.words.rpartition(" ")[2]

    def all(self) -> Iterator["Node"]:
        """This one, and whatever is behind it."""
        yield self
        for part in self.parts:
            yield from part.all()


def grammar(parser: argparse.ArgumentParser) -> Node:
    """The whole program."""
    return _node(parser, "certkeeper", "")


def _node(parser: argparse.ArgumentParser, words: str, about: str) -> Node:
    flags, argument, parts = [], Value(), list[Node]()
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to look at a parser
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            said = {str(each.dest): each.help or "" for each in action._choices_actions}  # noqa: SLF001 - as above
            parts = [_node(part, f"{words} {name}", said[name]) for name, part in action.choices.items()]
        elif action.option_strings:
            value = None if action.nargs == 0 else _value(action)
            flags.append(Flag(tuple(action.option_strings), _about(action), value))
        elif argument == Value():
            argument = _value(action)
    return Node(words, about, tuple(flags), argument, tuple(parts))


def _value(action: argparse.Action) -> Value:
    choices = tuple(str(choice) for choice in action.choices or ())
    # What is meant by a metavar is said by its name: FILE, CSR_FILE, NAME_OR_FILE.
    return Value(choices, file=str(action.metavar or "").endswith("FILE"))


def _about(action: argparse.Action) -> str:
    """The help, in one line; shells show it beside the option."""
    return " ".join((action.help or "").replace("%%", "%").split())
