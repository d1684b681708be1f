"""What stands where an assignment is expected, by the name that people know it by."""

from certkeeper.base.patterns import pattern
from certkeeper.config.errors import ConfigError
from certkeeper.config.source import Source
from certkeeper.config.words import LITERALLY, WITH_BASH

_SPACED = pattern(r"([A-Za-z_][A-Za-z0-9_]*)[ \t]+\+?=")
_ELEMENT = pattern(r"[A-Za-z_][A-Za-z0-9_]*\[[^\]\n]*\]\+?=")
_FUNCTION = pattern(r"(?:function[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*\([ \t]*\)|function[ \t]+([A-Za-z_][\w.-]*)")
_WORD = pattern(r"[A-Za-z0-9_./-]{1,40}(?=[ \t\n;]|\Z)")
_OPERATOR = pattern(r"&&|\|\||<<|>>|;;|\$\(|\[\[|\(\(|[-+]?=|[^\sA-Za-z0-9]")
_KEYWORDS = frozenset(
    "if then else elif fi for while until do done case esac select time in coproc [ ! { }".split()  # noqa: SIM905
)
_INCLUDES = frozenset({"source", "."})


def refusal(source: Source, at: int, previous: str) -> ConfigError:
    """The error for what stands at that offset. `previous` is the variable just before it in the same command."""
    text = source.text
    if previous and not _OPERATOR.match(text, at):
        # The word may be the second half of a secret, so it is not shown.
        return source.error(
            at,
            f"{previous}: another word follows the value",
            f'no blanks around =, and quotes around a value with blanks: {previous}="…"',
        )
    if found := _SPACED.match(text, at):
        return source.error(at, f"{found[1]}: blanks around =", f"no blanks around =: {found[1]}=…")
    if _ELEMENT.match(text, at):
        return source.error(at, "an array is not understood", LITERALLY)
    if found := _FUNCTION.match(text, at):
        return source.error(
            at,
            f"{found[1] or found[2]}: a function is not understood",
            f"put it into a script of its own and name that in HOOK; {WITH_BASH}",
        )
    return _command(source, at)


def _command(source: Source, at: int) -> ConfigError:
    found = _WORD.match(source.text, at)
    word = found[0] if found else ""
    if word in _INCLUDES:
        return source.error(
            at,
            f"{word}: including another file is not understood",
            f"put that file into a directory named by CONFIG_D; {WITH_BASH}",
        )
    if word in _KEYWORDS:
        return source.error(at, f"{word}: conditions and loops are not understood", LITERALLY)
    if not found and (operator := _OPERATOR.match(source.text, at)):
        return source.error(at, f"{operator[0]!r} is not understood", LITERALLY)
    what = f"{word}: a command" if word else "a command"
    hint = f"only assignments are: NAME=value, with no blanks around =; {WITH_BASH}"
    return source.error(at, f"{what} is not understood", hint)
