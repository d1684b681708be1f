"""Parts of words -> text, with the variables of the moment, as bash expands them under `set -u`."""

from certkeeper.config.arithmetic import ArithmeticTrouble, calculate
from certkeeper.config.errors import ConfigError
from certkeeper.config.parts import Arithmetic, Choice, Home, Literal, Part, Parts, Variable
from certkeeper.config.source import Source

# `A=$A$A` doubles its value: forty such lines would fill any memory.
_MOST_CHARACTERS = 4 * 1024 * 1024


class Expander:
    """Expands words of one file.

    Attributes:
        variables: what is set; `${NAME:=word}` adds to it.
        made: name, value and offset of each variable that a `:=` has set since the list was last emptied.
    """

    def __init__(self, source: Source, variables: dict[str, str]) -> None:
        self.variables = variables
        self.made: list[tuple[str, str, int]] = []
        self._source = source
        self._spent = 0

    def expand(self, parts: Parts) -> str:
        """The text of a word.

        Raises:
            ConfigError: a variable that is not set, a calculation without a result, or too much text.
        """
        return "".join([self._text(part) for part in parts])

    def append(self, name: str, text: str, at: int) -> str:
        """The value of `NAME+=text`; an unset variable counts as empty here, even to `set -u`."""
        return self._spend(self.variables.get(name, ""), at) + text

    def _text(self, part: Part) -> str:
        match part:
            case Literal(text):
                return text
            case Variable(name, at):
                return self._spend(self._lookup(name, at), at)
            case Home(at):
                return self._spend(self._home(at), at)
            case Choice():
                return self._choice(part)
            case Arithmetic(text, at):
                return self._calculate(text, at)

    def _choice(self, choice: Choice) -> str:
        present = self.variables.get(choice.name)
        counts = bool(present) if choice.colon else present is not None
        if choice.operator == "+":
            return self.expand(choice.word) if counts else ""
        if present is not None and counts:
            return self._spend(present, choice.at)
        text = self.expand(choice.word)
        if choice.operator == "=":
            self.variables[choice.name] = text
            self.made.append((choice.name, text, choice.at))
        return text

    def _calculate(self, parts: Parts, at: int) -> str:
        try:
            return str(calculate(self.expand(parts), lambda name: self._lookup(name, at)))
        except ArithmeticTrouble as trouble:
            raise self._source.error(
                at, f"$(( … )): {trouble}", "only whole numbers with + - * / % and parentheses are understood"
            ) from trouble

    def _lookup(self, name: str, at: int) -> str:
        value = self.variables.get(name)
        if value is None:
            raise self._unset(name, at)
        return value

    def _home(self, at: int) -> str:
        home = self.variables.get("HOME")
        if home is None:
            raise self._source.error(at, "~ stands for HOME, which is not set", "write the path instead of ~")
        return home

    def _unset(self, name: str, at: int) -> ConfigError:
        return self._source.error(
            at, f"{name} is not set", f"set it further up, or write ${{{name}:-}} where it may be unset"
        )

    def _spend(self, text: str, at: int) -> str:
        self._spent += len(text)
        if self._spent > _MOST_CHARACTERS:
            raise self._source.error(at, "variables expand to more than 4 MiB of text", "write the values literally")
        return text
