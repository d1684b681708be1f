"""Frozen dataclasses that cost next to nothing until they are used.

The standard library writes and compiles six functions for each dataclass when its module is loaded. That is a
millisecond for a class on a small machine, more than half of what it takes to load a program of some hundred classes,
and most runs use few of them. Here a class gets its slots at once. `__init__` is compiled when the first instance is
made, what `dataclasses.fields` and `replace` look at is made when they look, and comparing, hashing and printing need
no code of a class's own.
"""

import operator
import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

TYPE_CHECKING = False
_MISSING: Any = object()


class _Written:
    """What a field was written down with: a value, a function that makes one, or neither."""

    __slots__ = ("compared", "default", "factory", "shown")

    def __init__(
        self, default: object, factory: object = _MISSING, *, shown: bool = True, compared: bool = True
    ) -> None:
        self.default = default
        self.factory = factory
        self.shown = shown
        self.compared = compared


if TYPE_CHECKING:
    # To whoever checks types it is what it stands in for, with all that they know of that.
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - exported
    from dataclasses import field as field  # noqa: PLC0414 - exported
    from dataclasses import replace as replace  # noqa: PLC0414 - exported
else:

    def field(*, default: object = _MISSING, default_factory: object = _MISSING, **words: bool) -> _Written:
        """`dataclasses.field` with `default`, `default_factory`, `repr` and `compare`."""
        shown, compared = words.pop("repr", True), words.pop("compare", True)
        if words:
            raise TypeError(f"field: {', '.join(words)}: take the standard library's")
        return _Written(default, default_factory, shown=shown, compared=compared)

    def replace(instance: object, /, **changes: object) -> object:
        """`dataclasses.replace`."""
        kept = {name: getattr(instance, name) for name in instance.__match_args__ if name not in changes}
        return instance.__class__(**kept, **changes)

    def dataclass(
        *, frozen: bool = False, slots: bool = False, order: bool = False, eq: bool = True
    ) -> Callable[[type], type]:
        """`dataclasses.dataclass` with these words, later.

        Classes compare, hash and print as there. All fields are parameters, by position too, and all bases that have
        fields are of this kind.
        """
        shared = (_FROZEN if frozen else {}) | (_ORDERED if order else {}) | (_COMPARED if eq else {}) | _SHARED
        if frozen and eq:
            shared["__hash__"] = _hash
        return lambda cls: _made(cls, shared, slots=slots)


def _made(cls: Any, shared: Mapping[str, object], *, slots: bool) -> type:
    """The same class made once more: slots cannot be added to one that is there."""
    written = dict(cls.__dict__)
    own = [name for name, kind in written.get("__annotations__", {}).items() if not _is_of_class(kind)]
    inherited = [name for base in _bases(cls) for name in base.__match_args__]
    members = {name: value for name, value in written.items() if name not in {*own, "__dict__", "__weakref__"}}
    members |= {name: value for name, value in shared.items() if members.get(name) is None}
    if slots:
        members["__slots__"] = tuple(name for name in own if name not in inherited)
    members["__match_args__"] = tuple(dict.fromkeys((*inherited, *own)))
    members["__written__"] = {name: _written(written.get(name, _MISSING)) for name in own}
    made: Any = type(cls)(cls.__name__, cls.__bases__, members)
    made.__qualname__ = cls.__qualname__
    if "__init__" not in members:

        def first_init(self: object, *arguments: object, **named: object) -> None:
            made.__init__ = _compiled(made)
            made.__init__(self, *arguments, **named)

        made.__init__ = first_init
    return made  # type: ignore[no-any-return]


def _is_of_class(kind: object) -> bool:
    """It is no field: `ClassVar[...]`."""
    return str(kind).startswith(("typing.ClassVar", "ClassVar"))


def field_names(instance: object) -> tuple[str, ...] | None:
    """The names of its fields; None where it is no dataclass of this kind."""
    return type(instance).__match_args__ if hasattr(type(instance), "__written__") else None  # type: ignore[attr-defined]


def _bases(cls: type) -> Iterator[Any]:
    """The dataclasses among its classes, the class itself last."""
    return (base for base in reversed(cls.__mro__) if "__written__" in base.__dict__)


def _written(value: object) -> _Written:
    return value if isinstance(value, _Written) else _Written(value)


def _fields(cls: type) -> dict[str, _Written]:
    """By their names, in the order of the parameters."""
    return {name: value for base in _bases(cls) for name, value in base.__written__.items()}


def _compiled(cls: Any) -> Callable[..., None]:
    names: dict[str, object] = {"set_": object.__setattr__, "MISSING_": _MISSING}
    parameters, lines = [], []
    for name, written in _fields(cls).items():
        value = name
        if written.factory is not _MISSING:
            names[f"make_{name}_"] = written.factory
            value = f"make_{name}_() if {name} is MISSING_ else {name}"
            parameters.append(f"{name}=MISSING_")
        elif written.default is not _MISSING:
            names[f"default_{name}_"] = written.default
            parameters.append(f"{name}=default_{name}_")
        else:
            parameters.append(name)
        lines.append(f" set_(self, {name!r}, {value})\n")
    lines.append(" self.__post_init__()\n" if hasattr(cls, "__post_init__") else " return\n")
    # The names are those that Python itself took for attributes.
    exec(f"def __init__(self, {', '.join(parameters)}):\n{''.join(lines)}", names)  # noqa: S102
    init: Any = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init  # type: ignore[no-any-return]


class _AsThere:
    """What the standard library keeps with a dataclass, made by it when it looks for the first time."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, _instance: object, cls: Any) -> object:
        import dataclasses  # noqa: PLC0415 - it loads much, and most runs do without

        def as_there(written: _Written) -> Any:
            given = {"default": written.default, "default_factory": written.factory}
            given = {word: value for word, value in given.items() if value is not _MISSING}
            return dataclasses.field(**given, repr=written.shown, compare=written.compared)  # type: ignore[call-overload]

        kinds = {name: kind for base in _bases(cls) for name, kind in base.__annotations__.items()}
        fields = _fields(cls)
        like: Any = type(cls.__name__, (), {name: as_there(written) for name, written in fields.items()})
        like.__annotations__ = {name: kinds[name] for name in fields}
        dataclasses.dataclass(init=False, repr=False, eq=False, frozen=cls.__setattr__ is _frozen)(like)
        cls.__dataclass_fields__ = like.__dataclass_fields__
        cls.__dataclass_params__ = like.__dataclass_params__
        return getattr(cls, self._name)


class _Values:
    """How to get at the values that instances are compared by, kept with the class."""

    def __get__(self, _instance: object, cls: Any) -> Callable[[object], object]:
        names = [name for name, written in _fields(cls).items() if written.compared]
        # With a single name there would be no tuple around its value; twice the same is as good as once.
        cls.__compared__ = staticmethod(operator.attrgetter(*names, *names[:1]) if names else _nothing)
        return cls.__compared__  # type: ignore[no-any-return]


def _nothing(_instance: object) -> tuple[()]:
    return ()


def _equal(self: Any, other: Any) -> Any:
    return self.__compared__(self) == self.__compared__(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(self.__compared__(self))


def _ordered(name: str) -> Callable[[Any, Any], Any]:
    compare = getattr(operator, name)

    def compared(self: Any, other: Any) -> Any:
        same = other.__class__ is self.__class__
        return compare(self.__compared__(self), self.__compared__(other)) if same else NotImplemented

    return compared


@reprlib.recursive_repr()
def _repr(self: Any) -> str:
    shown = [name for name, written in _fields(type(self)).items() if written.shown]
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


def _frozen(_self: object, name: str, *_value: object) -> None:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - only a fault of ours comes here

    raise FrozenInstanceError(f"cannot assign to or delete field {name!r}")


def _state(self: Any) -> list[object]:
    """For copies and pickles, which cannot assign."""
    return [getattr(self, name) for name in self.__match_args__]


def _set_state(self: Any, state: list[object]) -> None:
    for name, value in zip(self.__match_args__, state, strict=True):
        object.__setattr__(self, name, value)


_SHARED: dict[str, object] = {
    "__dataclass_fields__": _AsThere("__dataclass_fields__"),
    "__dataclass_params__": _AsThere("__dataclass_params__"),
    "__compared__": _Values(),
    "__repr__": _repr,
    "__getstate__": _state,
    "__setstate__": _set_state,
}
_COMPARED: dict[str, object] = {"__eq__": _equal}
_ORDERED: dict[str, object] = {name: _ordered(name) for name in ("__lt__", "__le__", "__gt__", "__ge__")}
_FROZEN: dict[str, object] = {"__setattr__": _frozen, "__delattr__": _frozen}
