"""Text that must never be printed."""

from certkeeper.base.value import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that must never be printed; `reveal` is the only way to it."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return "********"
