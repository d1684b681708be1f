"""What a word of shell text is made of, before any variable is looked at."""

from typing import TypeAlias

from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    text: str


@dataclass(frozen=True, slots=True)
class Home:
    """A tilde that stands for the home directory."""

    at: int


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`${NAME:-word}` and its relatives; `operator` is `-`, `=` or `+`, `colon` counts empty as unset."""

    name: str
    operator: str
    colon: bool
    word: "Parts"
    at: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    text: "Parts"
    at: int


Part: TypeAlias = Literal | Home | Variable | Choice | Arithmetic
Parts: TypeAlias = tuple[Part, ...]
