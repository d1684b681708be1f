"""Regular expressions that are compiled when they are first used.

A module that every command loads has patterns for what few pages hold. All of them together take longer to compile
than a run that has nothing to do takes otherwise.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    # To whoever checks types it is what it stands in for.
    from re import compile as pattern  # exported
else:

    class _Later:
        """Becomes, bound method by bound method, the compiled pattern that it stands for."""

        def __init__(self, text: str | bytes, flags: int) -> None:
            self._text = text
            self._flags = flags

        def __getattr__(self, name: str) -> object:
            compiled = re.compile(self._text, self._flags)
            for method in ("fullmatch", "match", "search", "finditer", "findall", "split", "sub"):
                setattr(self, method, getattr(compiled, method))
            return getattr(compiled, name)

    def pattern(text: str | bytes, flags: int = 0) -> _Later:
        """`re.compile`, later."""
        return _Later(text, flags)


__all__ = ["pattern"]
