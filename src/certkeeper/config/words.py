r"""Words of shell text: quotes, escapes and expansions -> parts, without evaluating them.

Parsing comes first and evaluation second, since `${A:-$B}` must not look at B where A is set.

    value       what follows NAME= up to a blank, a line end or an operator
    quoted      "…": only $, ` and \ are special
    braced      the word of ${NAME:-word}, up to its }
    arithmetic  $(( … ))

Where bash has surprises that no configuration needs (single quotes inside "${A:-…}", quotes inside $(( … ))), the
text is refused and not guessed at.
"""

import re

from certkeeper.base.patterns import pattern
from certkeeper.config.ansi import BadEscape, decode
from certkeeper.config.errors import ConfigError
from certkeeper.config.parts import Arithmetic, Choice, Home, Literal, Part, Parts, Variable
from certkeeper.config.source import Source

WITH_BASH = 'or have bash evaluate the page: --source-config, or SOURCE_CONFIG="yes" in the main file'
LITERALLY = f"write the value literally: files are read, not executed; {WITH_BASH}"
_DEEPEST = 30

_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
# A colon is plain unless a tilde, or a continued line and then a tilde, may follow it.
_PLAIN = pattern(r"(?:[^ \t\n;&|<>()'\"\\$`~:{]|:(?![~\\]))+")
_PLAIN_QUOTED = pattern(r"[^\"\\$`]+")
_PLAIN_BRACED = pattern(r"(?:[^}'\"\\$`~:<>]|:(?![~\\]))+")
_PLAIN_BRACED_QUOTED = pattern(r"[^}'\"\\$`]+")
_PLAIN_ARITHMETIC = pattern(r"[0-9A-Za-z_ \t\n+\-*/%]+")
_ANSI_BODY = pattern(r"(?:[^'\\]|\\.)*", re.DOTALL)
_TILDE_PREFIX = pattern(r"~([^/:} \t\n;&|<>()'\"\\$`]*)(.?)", re.DOTALL)
_TILDE_ENDS = "/: \t\n;&|<>()"
_TILDE_ENDS_BRACED = "/:}"
_OPERATOR = pattern(r":?[-=+]")


class WordReader:
    """Reads words at `at`, which moves on. Every loop takes at least one character, so each reading ends."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.at = 0
        self._depth = 0

    def value(self, *, braces: bool) -> Parts:
        """The value of an assignment. `braces` False refuses an unquoted `{`, which bash may expand there.

        Raises:
            ConfigError: something that is not understood, or a quote without its end.
        """
        if self._char() == "(":
            raise self._refusal("an array")
        parts: list[Part] = []
        tilde = True
        while (char := self._char()) and char not in " \t\n;&|<>()":
            if char == "{" and not braces:
                raise self._refusal("an unquoted {", "put the value in quotes")
            tilde = self._unquoted(char, parts, _PLAIN, tilde=tilde)
        return tuple(parts)

    def _unquoted(self, char: str, parts: list[Part], plain: re.Pattern[str], *, tilde: bool) -> bool:
        """Take one piece outside of quotes; True where a tilde would count next (at the start, and after a colon)."""
        if char == "'":
            parts.append(Literal(self._single_quoted()))
        elif char == '"':
            parts.extend(self._double_quoted())
        elif char == "\\":
            parts.append(Literal(self._escaped(special=None)))
        elif char == "$":
            parts.append(self._dollar(quoted=False))
        elif char == "`":
            raise self._refusal("a command substitution")
        elif char == "~" and tilde:
            parts.append(self._tilde(parts, braced=plain is _PLAIN_BRACED))
        elif char in ":~{":
            self.at += 1
            parts.append(Literal(char))
        elif found := plain.match(self.text, self.at):
            self.at = found.end()
            parts.append(Literal(found[0]))
        else:
            raise self._refusal(f"an unquoted {char}", "put the value in quotes")
        # A continued line is nothing at all: what counted before it counts after it.
        return char == ":" or (tilde and char == "\\" and parts[-1] == Literal(""))

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise self._unbalanced(self.at, "single quote")
        start, self.at = self.at + 1, end + 1
        return self.text[start:end]

    def _double_quoted(self) -> list[Part]:
        opened = self.at
        self._deeper(opened)
        self.at += 1
        parts: list[Part] = [Literal("")]
        while (char := self._char()) != '"':
            if not char:
                raise self._unbalanced(opened, "double quote")
            parts.append(self._quoted(char, _PLAIN_QUOTED, '$`"\\'))
        self.at += 1
        self._depth -= 1
        return parts

    def _quoted(self, char: str, plain: re.Pattern[str], special: str) -> Part:
        if char == "\\":
            return Literal(self._escaped(special=special))
        if char == "$":
            return self._dollar(quoted=True)
        if char == "`":
            raise self._refusal("a command substitution")
        found = plain.match(self.text, self.at)
        if not found:
            raise self._refusal(f"{char} inside of ${{…}} inside of double quotes")
        self.at = found.end()
        return Literal(found[0])

    def _escaped(self, *, special: str | None) -> str:
        """A backslash and what it protects; inside of double quotes it protects `special` only."""
        following = self.text[self.at + 1 : self.at + 2]
        if not following:
            raise self._refusal("a backslash at the end of the file", "remove it")
        self.at += 2
        if following == "\n":
            return ""
        return following if special is None or following in special else "\\" + following

    def _tilde(self, before: list[Part], *, braced: bool) -> Part:
        if braced and any(part != Literal("") for part in before):
            # bash expands it in ${A:-x:~} and leaves it in ${A:=x:~}.
            raise self._refusal("a ~ after a colon inside of ${…}", "write the path, or put the tilde in quotes")
        ends = _TILDE_ENDS_BRACED if braced else _TILDE_ENDS
        found = _TILDE_PREFIX.match(self.text, self.at)
        login, following = (found[1], found[2]) if found else ("", "")
        if following and following in "'\"$":
            self.at += 1
            return Literal("~")
        if login or (following and following not in ends):
            raise self._refusal("the home directory of a named user", "write the path, or put the tilde in quotes")
        self.at += 1
        return Home(self.at - 1)

    def _dollar(self, *, quoted: bool) -> Part:
        """What starts with a dollar sign."""
        at, rest = self.at, self.text[self.at + 1 : self.at + 3]
        if rest == "((":
            return self._arithmetic()
        if rest[:1] == "{":
            return self._brace(quoted=quoted)
        if rest[:1] == "'" and not quoted:
            return Literal(self._ansi_quoted())
        found = _NAME.match(self.text, at + 1)
        if found and found[0] != "_":
            self.at = found.end()
            return Variable(found[0], at)
        if rest[:1] == "(":
            raise self._refusal("a command substitution")
        if rest[:1] and (rest[0] in "@*#?-$!_0123456789[" or rest == "\\\n"):
            raise self._refusal(
                f"${rest[0]}".rstrip("\\"), "write the value literally, or put the dollar in single quotes"
            )
        self.at += 1
        # $"…" asks for a translation, and without a catalogue it is "…".
        return Literal("" if rest[:1] == '"' and not quoted else "$")

    def _ansi_quoted(self) -> str:
        opened = self.at
        found = _ANSI_BODY.match(self.text, opened + 2)
        end = found.end() if found else opened
        if self.text[end : end + 1] != "'":
            raise self._unbalanced(opened, "single quote")
        self.at = end + 1
        try:
            return decode(self.text[opened + 2 : end])
        except BadEscape as trouble:
            raise self.source.error(opened, str(trouble), LITERALLY) from trouble

    def _brace(self, *, quoted: bool) -> Part:
        opened = self.at
        name = _NAME.match(self.text, opened + 2)
        if not name or name[0] == "_":
            raise self._refusal("this form of ${…}")
        if self.text[name.end() : name.end() + 1] == "}":
            self.at = name.end() + 1
            return Variable(name[0], opened)
        operator = _OPERATOR.match(self.text, name.end())
        if not operator:
            raise self._refusal(f"this form of ${{{name[0]}…}}")
        self._deeper(opened)
        self.at = operator.end()
        word = self._braced_word(opened, quoted=quoted)
        self._depth -= 1
        return Choice(name[0], operator[0][-1], len(operator[0]) == 2, word, opened)

    def _braced_word(self, opened: int, *, quoted: bool) -> Parts:
        parts: list[Part] = []
        tilde = True
        while (char := self._char()) != "}":
            if not char:
                raise self._unbalanced(opened, "brace")
            if not quoted:
                tilde = self._unquoted(char, parts, _PLAIN_BRACED, tilde=tilde)
            elif char == '"':
                parts.extend(self._double_quoted())
            else:
                parts.append(self._quoted(char, _PLAIN_BRACED_QUOTED, '$`"\\}'))
        self.at += 1
        return tuple(parts)

    def _arithmetic(self) -> Part:
        opened = self.at
        self._deeper(opened)
        self.at += 3
        parts: list[Part] = []
        open_parentheses = 0
        while (char := self._char()) != ")" or open_parentheses:
            if not char:
                raise self._unbalanced(opened, "parenthesis")
            if char in "()":
                open_parentheses += 1 if char == "(" else -1
                self.at += 1
                parts.append(Literal(char))
            elif char in "$\\" or _PLAIN_ARITHMETIC.match(char):
                parts.append(self._quoted(char, _PLAIN_ARITHMETIC, ""))
            else:
                raise self._refusal(f"{char!r} in $(( … ))")
        if not self.text.startswith("))", self.at):
            raise self.source.error(opened, "a command substitution is not understood", LITERALLY)
        self.at += 2
        self._depth -= 1
        return Arithmetic(tuple(parts), opened)

    def _deeper(self, at: int) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.source.error(at, "quotes and braces are nested too deep", LITERALLY)

    def _char(self) -> str:
        return self.text[self.at : self.at + 1]

    def _refusal(self, what: str, hint: str = LITERALLY) -> ConfigError:
        return self.source.error(self.at, f"{what} is not understood", hint)

    def _unbalanced(self, opened: int, what: str) -> ConfigError:
        return self.source.error(opened, f"a {what} is opened here and never closed", f"add the closing {what}")
