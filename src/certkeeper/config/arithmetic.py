"""`$(( … ))`: whole numbers of 64 bits with + - * / % and parentheses, as bash reckons them.

What bash does beyond that (assignments, comparisons, powers, other bases, wrapping around at 64 bits) is refused.
"""

from collections.abc import Callable

from certkeeper.base.patterns import pattern

_TOKEN = pattern(r"[ \t\n]*(?:([0-9][0-9A-Za-z_#@]*)|([A-Za-z_][A-Za-z0-9_]*)|(\+\+|--|\*\*|[-+*/%()]))")
_BLANKS = pattern(r"[ \t\n]*")
_LITERAL = pattern(r"[ \t\n]*([-+]?)[ \t\n]*([0-9][0-9A-Za-z]*)[ \t\n]*")
_DECIMAL = pattern(r"0|[1-9][0-9]*")
_OCTAL = pattern(r"0[0-7]+")
_HEXADECIMAL = pattern(r"0[xX][0-9a-fA-F]+")
_LONGEST_NUMBER = 64
_DEEPEST = 30
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


class ArithmeticTrouble(Exception):
    """Why a calculation has no result. What variables hold may be a secret and is never shown."""


def calculate(text: str, lookup: Callable[[str], str]) -> int:
    """The value of an expression; an empty one is 0. `lookup` gives a variable's text, or raises.

    Raises:
        ArithmeticTrouble: with the reason.
    """
    return _Calculation(text, lookup).result()


class _Calculation:
    """Recursive descent: a sum of products of signed operands."""

    def __init__(self, text: str, lookup: Callable[[str], str]) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0
        self._lookup = lookup

    def result(self) -> int:
        if not self._tokens:
            return 0
        value = self._sum()
        if self._next < len(self._tokens):
            raise ArithmeticTrouble("an operator is missing, or a parenthesis is closed that was not opened")
        return value

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _sum(self) -> int:
        value = self._product()
        while self._peek() in ("+", "-"):
            sign = 1 if self._take() == "+" else -1
            value = _bounded(value + sign * self._product())
        return value

    def _product(self) -> int:
        value = self._operand()
        while self._peek() in ("*", "/", "%"):
            operator = self._take()
            right = self._operand()
            value = _bounded(value * right if operator == "*" else _divided(value, right, operator))
        return value

    def _operand(self) -> int:
        sign = 1
        while self._peek() in ("+", "-"):
            sign = -sign if self._take() == "-" else sign
        found = self._take()
        if found == "(":
            return _bounded(sign * self._group())
        if found[:1].isdigit():
            return sign * _number(found)
        if found and found not in ")*/%":
            return _bounded(sign * _variable(found, self._lookup(found)))
        raise ArithmeticTrouble("a number or a variable is missing")

    def _group(self) -> int:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ArithmeticTrouble("parentheses are nested too deep")
        value = self._sum()
        if self._take() != ")":
            raise ArithmeticTrouble("a closing parenthesis is missing")
        self._depth -= 1
        return value

    def _take(self) -> str:
        token = self._peek()
        self._next += 1
        return token


def _tokens(text: str) -> list[str]:
    tokens = []
    at = 0
    while found := _TOKEN.match(text, at):
        token = found[1] or found[2] or found[3]
        if token in ("++", "--", "**"):
            raise ArithmeticTrouble(f"{token} is not understood")
        tokens.append(token)
        at = found.end()
    at = _BLANKS.match(text, at).end()  # type: ignore[union-attr] # it matches nothing, too
    if at < len(text):
        raise ArithmeticTrouble("a character is not understood")
    return tokens


def _number(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ArithmeticTrouble("a number is beyond 64 bits")
    if _DECIMAL.fullmatch(digits):
        return _bounded(int(digits))
    if _HEXADECIMAL.fullmatch(digits):
        return _bounded(int(digits, 16))
    if _OCTAL.fullmatch(digits):
        return _bounded(int(digits, 8))
    raise ArithmeticTrouble("a number cannot be read (a leading 0 means octal)")


def _variable(name: str, text: str) -> int:
    if not text.strip(" \t\n"):
        return 0
    found = _LITERAL.fullmatch(text)
    if not found:
        raise ArithmeticTrouble(f"{name} holds no whole number")
    return -_number(found[2]) if found[1] == "-" else _number(found[2])


def _divided(left: int, right: int, operator: str) -> int:
    if right == 0:
        raise ArithmeticTrouble("division by zero")
    # bash rounds towards zero, and a remainder has the sign of the dividend.
    quotient = abs(left) // abs(right)
    quotient = quotient if (left < 0) == (right < 0) else -quotient
    return quotient if operator == "/" else left - right * quotient


def _bounded(value: int) -> int:
    if not _LOWEST <= value <= _HIGHEST:
        raise ArithmeticTrouble("the result is beyond 64 bits")
    return value
