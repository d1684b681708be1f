import time

import pytest

from certkeeper.base.errors import ExitCode, Fault, Location
from certkeeper.config.errors import ConfigError
from certkeeper.config.shell import Script, evaluate


def read(text: str, **variables: str) -> Script:
    return evaluate(text, "config", variables)


def values(text: str, **variables: str) -> dict[str, str]:
    return {found.name: found.value for found in read(text, **variables).assignments}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("A=1", {"A": "1"}, id="plain"),
        pytest.param("A=", {"A": ""}, id="empty"),
        pytest.param("A=1 B=2;C=3 ; D=4", {"A": "1", "B": "2", "C": "3", "D": "4"}, id="several on a line"),
        pytest.param("A=1 B=$A", {"A": "1", "B": "1"}, id="the second sees the first"),
        pytest.param("export A=1 B=${A:-x}", {"A": "1", "B": "x"}, id="export expands first"),
        pytest.param("A=1\nexport A", {"A": "1"}, id="export of a name"),
        pytest.param("A=1\nA+=2", {"A": "12"}, id="append"),
        pytest.param("A='a $b \"'", {"A": 'a $b "'}, id="single quotes"),
        pytest.param('A="a \'b\' \\" \\$x \\n"', {"A": "a 'b' \" $x \\n"}, id="double quotes"),
        pytest.param(r"A=$'a\tb\x41\'\u00e4'", {"A": "a\tbA'ä"}, id="quotes with escapes"),
        pytest.param("A=a'b c'\"d\"e", {"A": "ab cde"}, id="concatenation"),
        pytest.param(r"A=a\ b\#c", {"A": "a b#c"}, id="escapes"),
        pytest.param("A=ab\\\ncd", {"A": "abcd"}, id="continued line"),
        pytest.param('A="ab\\\ncd\nef"', {"A": "abcd\nef"}, id="lines inside quotes"),
        pytest.param("# A=1\n  # B\nC=1 # rest ' \nD=a#b", {"C": "1", "D": "a#b"}, id="comments"),
        pytest.param("A=${X-x}${X:-y}${E-e}${E:-f}", {"A": "xyf"}, id="default"),
        pytest.param("A=${X+x}${E+y}${E:+z}", {"A": "y"}, id="alternative"),
        pytest.param("A=${X:=v}$X", {"X": "v", "A": "vv"}, id="assigning default"),
        pytest.param('A="${X:-a b}"', {"A": "a b"}, id="default with blanks"),
        pytest.param("A=${H:-$X}", {"A": "/h"}, id="an unused default is not looked at"),
        pytest.param("A=$((7/-2 + -7%3 + (2+3)*4))", {"A": "16"}, id="arithmetic rounds to zero"),
        pytest.param("A=$((H2 * 0x10 + 010 + E))", {"A": "40"}, id="arithmetic with variables and bases"),
        pytest.param(
            "A=~ B=~/x C=x:~/y D=a~b", {"A": "/home", "B": "/home/x", "C": "x:/home/y", "D": "a~b"}, id="tilde"
        ),
        pytest.param("A='~' B=\"~/x\" C=\\~", {"A": "~", "B": "~/x", "C": "~"}, id="quoted tilde"),
        pytest.param('A=$ B=a$ C="$"', {"A": "$", "B": "a$", "C": "$"}, id="a lonely dollar"),
        pytest.param("A=*.org? B=[x] C={a,b}", {"A": "*.org?", "B": "[x]", "C": "{a,b}"}, id="no globbing"),
    ],
)
def test_means_what_it_means_to_bash(text: str, expected: dict[str, str]) -> None:
    assert values(text, E="", H="/h", H2="2", HOME="/home") == expected


@pytest.mark.row("B10")
@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("\nCA = x", "config:2: CA: blanks around =", "no blanks around =: CA=…", id="B10 blanks around ="),
        pytest.param("CA =x", "config:1: CA: blanks around =", "no blanks", id="B10 a blank before ="),
        pytest.param(
            "CA= x", "config:1: CA: another word follows the value", "no blanks around =", id="B10 a blank after ="
        ),
        pytest.param(
            "A=1\nB='x\n\n",
            "config:2: a single quote is opened here and never closed",
            "add the",
            id="B10 single quote",
        ),
        pytest.param(
            'A="x\ny\n', "config:1: a double quote is opened here and never closed", "add the", id="B10 double quote"
        ),
        pytest.param("A=$'x\\'", "config:1: a single quote is opened here", "add the", id="B10 quote with escapes"),
        pytest.param("A=${B:-x\n", "config:1: a brace is opened here", "add the", id="B10 brace"),
        pytest.param("A=$((1", "config:1: a parenthesis is opened here", "add the", id="B10 parenthesis"),
        pytest.param("A=1\nB=$NO", "config:2: NO is not set", "${NO:-}", id="B10 unset variable"),
        pytest.param("A=$((NO))", "config:1: NO is not set", "${NO:-}", id="B10 unset variable in arithmetic"),
        pytest.param("hook() {\n", "config:1: hook: a function is not understood", "HOOK", id="B20 function"),
        pytest.param("function hook {\n", "config:1: hook: a function", "HOOK", id="B20 function keyword"),
        pytest.param(
            "A=$(date)", "config:1: a command substitution is not understood", "literally", id="command substitution"
        ),
        pytest.param('A="`date`"', "config:1: a command substitution is not understood", "literally", id="backquotes"),
        pytest.param(
            "A=$((date); x)", "config:1: a command substitution is not understood", "literally", id="subshell"
        ),
        pytest.param("A=(a b)", "config:1: an array is not understood", "literally", id="array"),
        pytest.param("A[1]=a", "config:1: an array is not understood", "literally", id="array element"),
        pytest.param("if true; then", "config:1: if: conditions and loops are not", "literally", id="if"),
        pytest.param("[[ a ]] && A=1", "config:1: '[[' is not understood", "literally", id="test"),
        pytest.param("A=1 | B=2", "config:1: '|' is not understood", "literally", id="pipe"),
        pytest.param("A=1 && B=2", "config:1: '&&' is not understood", "literally", id="and"),
        pytest.param("A=1 > x", "config:1: '>' is not understood", "literally", id="redirection"),
        pytest.param("source /etc/x", "config:1: source: including another file", "CONFIG_D", id="source"),
        pytest.param(". /etc/x", "config:1: .: including another file", "CONFIG_D", id="dot"),
        pytest.param("echo hi", "config:1: echo: a command is not understood", "NAME=value", id="command"),
        pytest.param("A=1;;", "config:1: ;; is not understood", "use one ;", id="two semicolons"),
        pytest.param("A=1 ; ; B=2", "config:1: ';' is not understood", "", id="semicolon in place of a command"),
        pytest.param("A=${B%x}", "config:1: this form of ${B…} is not understood", "literally", id="suffix removal"),
        pytest.param("A=${#B}", "config:1: this form of ${…} is not understood", "literally", id="length"),
        pytest.param("A=$1", "config:1: $1 is not understood", "literally", id="positional"),
        pytest.param("A=$?", "config:1: $? is not understood", "literally", id="special"),
        pytest.param("A=~root/x", "config:1: the home directory of a named user", "path", id="other home"),
        pytest.param("A=${B:=x:~/y}", "config:1: a ~ after a colon inside of ${…}", "quotes", id="tilde in a default"),
        pytest.param("A=~/x", "config:1: ~ stands for HOME, which is not set", "path", id="no HOME"),
        pytest.param("A=$((1/0))", "config:1: $(( … )): division by zero", "whole numbers", id="division by zero"),
        pytest.param("A=$((08))", "config:1: $(( … )): a number cannot be read", "whole numbers", id="bad octal"),
        pytest.param(
            "A=$((9223372036854775807+1))", "config:1: $(( … )): the result is beyond", "whole", id="overflow"
        ),
        pytest.param("A=$((1<2))", "config:1: '<' in $(( … )) is not understood", "literally", id="comparison"),
        pytest.param("A=$((1++1))", "config:1: $(( … )): ++ is not", "whole", id="increment"),
        pytest.param("A=\0", "config:1: a NUL character", "UTF-8", id="NUL"),
        pytest.param("A=x\\", "config:1: a backslash at the end of the file", "remove it", id="backslash at the end"),
        pytest.param("export A={b,c}", "config:1: an unquoted { is not understood", "quotes", id="braces after export"),
    ],
)
def test_refuses_with_place_and_hint(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(message)
    assert hint in caught.value.hint
    assert caught.value.fault is Fault.OPERATOR
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    "text", ["KEY=my hunter2", "KEY=$((S))", "KEY=$(($S))", "KEY='x'hunter2 | 1", "KEY=x hunter2=1 hunter2"]
)
def test_an_error_never_shows_a_value(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, S="0hunter2")
    assert "hunter2" not in str(caught.value).replace("hunter2: another word", "")


def test_a_value_never_shows_up_in_a_repr() -> None:
    assert "hunter2" not in repr(read("PDNS_KEY=hunter2"))


def test_places_are_those_of_the_names() -> None:
    script = read("\nA=1 B='x\n\ny' \\\n C=3\nexport D=4")
    assert [(found.name, found.where) for found in script.assignments] == [
        ("A", Location("config", 2)),
        ("B", Location("config", 2)),
        ("C", Location("config", 5)),
        ("D", Location("config", 6)),
    ]


def test_carriage_returns_of_line_ends_are_dropped_and_found() -> None:
    script = read("# a\nA='x\r\ny'\r\nB=z\r\n")
    assert [found.value for found in script.assignments] == ["x\ny", "z"]
    assert [(found.code, found.where) for found in script.findings] == [("crlf", Location("config", 2))]


def test_a_byte_order_mark_is_dropped_and_found() -> None:
    script = read("\ufeffA=1")
    assert [found.name for found in script.assignments] == ["A"]
    assert [(found.code, found.where) for found in script.findings] == [("byte-order-mark", Location("config", 1))]


def test_e08_lines_that_start_with_semicolons_are_comments_and_one_finding() -> None:
    script = read("A=1\n;;\n  ; don't\n;; x `\nB=2 ; C=3\n")
    assert [found.name for found in script.assignments] == ["A", "B", "C"]
    assert [(found.code, found.where) for found in script.findings] == [("semicolon-comment", Location("config", 2))]
    assert script.findings[0].message.startswith("3 lines start with a semicolon")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("A=" + "x:~/" * 62_500, id="value"),
        pytest.param("A='" + "x" * 250_000, id="unclosed quote"),
        pytest.param("A=" + '""' * 125_000, id="quotes"),
        pytest.param("A=" + "${B:-" * 50_000, id="nested braces"),
        pytest.param('A="' + '"${B:-' * 50_000, id="nested quotes"),
        pytest.param("A=$((" + "(" * 125_000, id="nested parentheses"),
        pytest.param("A=$((" + "-" * 125_000 + "1))", id="signs"),
        pytest.param("A=$((" + "1+" * 125_000 + "1))", id="sum"),
        pytest.param("A=$((" + "9" * 250_000 + "))", id="digits"),
        pytest.param("A=1;" * 62_500, id="assignments"),
        pytest.param(" " * 250_000 + ";", id="blanks"),
        pytest.param("\\\n" * 125_000, id="continued lines"),
        pytest.param("a" * 250_000, id="word"),
        pytest.param("a" * 250_000 + "(", id="almost a function"),
        pytest.param("A=$" * 75_000, id="dollars"),
        pytest.param("A=x\n" + "A=$A$A\n" * 60, id="doubling"),
        pytest.param("A=" + "x" * 250_000 + "\n" + "A=$A\n" * 25_000, id="copying"),
        pytest.param("A=~" * 75_000, id="tildes"),
        pytest.param("A=" + "\\ " * 100_000, id="escapes"),
    ],
)
def test_large_and_deep_texts_end_soon(text: str) -> None:
    started = time.monotonic()
    refused = None
    try:
        read(text, HOME="/h")
    except ConfigError as error:
        refused = error
    assert refused is None or len(str(refused)) < 300
    assert time.monotonic() - started < 60  # a hang, not a speed
