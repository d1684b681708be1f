"""Dataclasses that wait do what the standard library's do."""

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base import value

T = TypeVar("T")


class Kinds:
    """The same classes, made by either."""

    def __init__(self, maker: ModuleType) -> None:
        dataclass, field = maker.dataclass, maker.field

        @dataclass(frozen=True, slots=True)
        class Nothing:
            pass

        @dataclass(frozen=True, slots=True)
        class One:
            a: int
            label: ClassVar[str] = "one"

        @dataclass(frozen=True, slots=True, order=True)
        class Many:
            a: int
            b: str = "b"
            c: list[int] = field(default_factory=list)
            secret: str = field(default="", repr=False)
            word: str = field(default="", compare=False)

            @property
            def both(self) -> str:
                return f"{self.a}{self.b}"

        @dataclass(frozen=True, slots=True)
        class Derived(One, Generic[T]):
            b: T | None = None

        @dataclass(frozen=True, slots=True)
        class Again(One):
            a: int = 7

        @dataclass(frozen=True, slots=True)
        class Checked:
            a: int

            def __post_init__(self) -> None:
                if self.a < 0:
                    raise ValueError(self.a)

        @dataclass(frozen=True, slots=True)
        class OwnWords:
            a: int

            def __repr__(self) -> str:
                return "own"

            def __eq__(self, other: object) -> bool:
                return True

            def __hash__(self) -> int:
                return 1

        @dataclass(slots=True)
        class Changing:
            a: int
            b: int = 2

        @dataclass(slots=True, eq=False)
        class Alone:
            a: int

        @dataclass(frozen=True)
        class Open:
            a: int

        self.classes: dict[str, Any] = {
            each.__name__: each
            for each in (Nothing, One, Many, Derived, Again, Checked, OwnWords, Changing, Alone, Open)
        }


@value.dataclass(frozen=True, slots=True)
class Parcel:
    what: str
    weight: int = 1


OURS, THEIRS = Kinds(value), Kinds(dataclasses)
NAMES = sorted(OURS.classes)
NUMBERS = st.integers(-1, 2)
Words = tuple[list[int], dict[str, int]]
ARGUMENTS: st.SearchStrategy[Words] = st.tuples(
    st.lists(NUMBERS, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "c", "word"]), NUMBERS)
)


def outcome(call: Callable[[], Any]) -> object:
    """What it returns, or the kind of what it raises. Ids and places in memory differ."""
    try:
        found = call()
    except Exception as error:  # noqa: BLE001 - whatever it is, both do it
        return type(error)
    return found if isinstance(found, int | str | bool | tuple | dict | type(None)) else repr(found)


@given(st.sampled_from(NAMES), ARGUMENTS, ARGUMENTS)
def test_the_same_comes_of_the_same(name: str, first: Words, second: Words) -> None:
    def told(kinds: Kinds) -> list[object]:
        cls = kinds.classes[name]

        def made(given: Words) -> Any:  # noqa: ANN401 - of a class that is made here
            return cls(*given[0], **given[1])

        def of_one(do: Callable[[Any], Any]) -> object:
            return outcome(lambda: do(made(first)))

        def of_two(do: Callable[[Any, Any], Any]) -> object:
            return outcome(lambda: do(made(first), made(second)))

        shown = [of_one(lambda one: repr(one) if name != "Alone" else one.a), of_one(lambda one: one.both)]
        return [
            *shown,
            of_two(lambda one, other: one == other),
            of_two(lambda one, other: one != other),
            of_two(lambda one, other: one < other),
            of_two(lambda one, other: one >= other),
            of_two(lambda one, other: hash(one) == hash(other)) if name != "Alone" else None,
            of_one(lambda one: one == made(first)),
            # Where there is no such field, the standard library's own refusal fails.
            isinstance(of_one(lambda one: setattr(one, "a", 5)), type),
            isinstance(of_one(lambda one: delattr(one, "a")), type),
            of_one(lambda one: dataclasses.replace(one, a=5).a),
            of_one(lambda one: copy.copy(one) == one),
            of_one(lambda one: copy.deepcopy(one) == one),
            of_one(dataclasses.asdict),
            of_one(lambda one: [field.name for field in dataclasses.fields(one)] and one.a),
        ]

    assert told(OURS) == told(THEIRS)


@pytest.mark.parametrize("name", NAMES)
def test_the_class_is_the_same_to_who_looks_at_it(name: str) -> None:
    mine, theirs = OURS.classes[name], THEIRS.classes[name]
    assert mine.__match_args__ == theirs.__match_args__
    assert mine.__qualname__ == theirs.__qualname__
    assert getattr(mine, "__slots__", None) == getattr(theirs, "__slots__", None)
    assert dataclasses.is_dataclass(mine)
    kept = ("name", "type", "repr", "compare", "init")
    assert [[getattr(field, what) for what in kept] for field in dataclasses.fields(mine)] == [
        [getattr(field, what) for what in kept] for field in dataclasses.fields(theirs)
    ]


def test_a_class_is_derived_from_by_either() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Theirs(Parcel):
        height: int = 2

    assert repr(Theirs("box")).endswith("Theirs(what='box', weight=1, height=2)")

    class Plain(Parcel):
        pass

    assert Plain("box") == Plain("box") != Plain("bag")
    assert Plain("box") != Parcel("box")


def test_it_travels() -> None:
    assert pickle.loads(pickle.dumps(Parcel("box"))) == Parcel("box", 1)  # noqa: S301 - made here


def test_patterns_take_it_apart() -> None:
    match Parcel("box", 3):
        case Parcel(what, weight):
            assert (what, weight) == ("box", 3)
        case _:
            pytest.fail("no match")


def test_replacing_is_the_standard_librarys() -> None:
    assert value.replace(Parcel("box"), weight=4) == Parcel("box", 4)
    with pytest.raises(TypeError):
        value.replace(Parcel("box"), height=4)  # type: ignore[call-arg]


def test_parameters_have_their_names() -> None:
    Parcel("box")
    assert list(inspect.signature(Parcel).parameters) == ["what", "weight"]


def test_words_of_the_standard_library_that_are_not_known_are_refused() -> None:
    with pytest.raises(TypeError, match="kw_only"):
        value.field(kw_only=True)


def test_the_standard_librarys_is_not_loaded() -> None:
    program = (
        "import sys; from certkeeper.config import settings; settings.Secret('x'); print('dataclasses' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
