"""The shell reader against real bash: what it understands must mean the same there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certkeeper.adapters.bash import evaluate as bash_evaluates
from certkeeper.config.errors import ConfigError
from certkeeper.config.evaluating import Errors, Evaluate
from certkeeper.config.shell import Shell, evaluate

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="bash is not installed")

NAMES = ("A", "B", "C", "D")
START = {"HOME": "/home/op", "A": "start", "N": "12", "E": ""}
# Only builtins can run: the PATH leads nowhere, and the folder is empty.
PROGRAM = """set -eu
. "$1"
for name in A B C D N E HOME; do
  if [[ -v $name ]]; then printf '%s=%s\\0' "$name" "${!name}"; fi
done
"""


def bash(folder: Path, text: str) -> dict[str, str] | None:
    """The variables after bash has read the text, None where it failed."""
    file = folder / "config"
    file.write_bytes(text.encode())
    done = subprocess.run(
        [str(BASH), "-c", PROGRAM, "bash", str(file)],
        env={**START, "PATH": "/nonexistent", "LC_ALL": "C.UTF-8"},
        cwd=folder,
        capture_output=True,
        timeout=20,
        check=False,
    )
    if done.returncode or done.stderr:
        return None
    fields = done.stdout.decode().split("\0")[:-1]
    return dict(field.split("=", 1) for field in fields)


# All that a program started from there would see; the flag decides whether that is all variables or the exported ones.
WHOLE = 'set -eu; flag=$2; set -"${flag:-e}"; unset flag; . "$1"; set +a; exec /usr/bin/env -0'
BASHS_OWN = {"PATH", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_"}


def environment_after(folder: Path, text: str, flag: str) -> dict[str, str] | None:
    """The environment after bash has read the text, None where it failed."""
    file = folder / "config"
    file.write_bytes(text.encode())
    done = subprocess.run(
        [str(BASH), "-c", WHOLE, "bash", str(file), flag],
        env={**START, "PATH": "/nonexistent", "LC_ALL": "C.UTF-8"},
        cwd=folder,
        capture_output=True,
        timeout=20,
        check=False,
    )
    if done.returncode or done.stderr:
        return None
    found = dict(field.split("=", 1) for field in done.stdout.decode().split("\0")[:-1])
    return {name: value for name, value in found.items() if name not in BASHS_OWN and "%%" not in name}


def ours(text: str) -> dict[str, str] | ConfigError:
    try:
        script = evaluate(text, "config", START)
    except ConfigError as error:
        return error
    assert not any(finding.code in {"crlf", "byte-order-mark"} for finding in script.findings)
    return {name: script.variables[name] for name in (*NAMES, "N", "E", "HOME") if name in script.variables}


# --- files of the subset ------------------------------------------------------------------------------------------

plain = st.text("ab1/._-,@%^+=]}*?!ä€", min_size=1, max_size=5)
single = st.text('ab $"\\`#;\n~{}:ä', max_size=5).map(lambda text: f"'{text}'")
in_double = st.sampled_from(
    ["a", " ", "'", "#", ";", "~", ":", "\n", "\\\\", "\\$", '\\"', "\\`", "\\a", "\\\n", "}", "ä"]
)
escape = st.sampled_from(["\\ ", "\\#", "\\$", "\\'", '\\"', "\\\\", "\\\n", "\\a", "\\~", "\\;", "\\}"])
ansi = st.lists(
    st.sampled_from(
        ["a", "\\n", "\\t", "\\'", "\\\\", "\\x41", "\\101", "\\u20ac", "\\e", "ä", "\\xc3\\xa4", '"', "$"]
    ),
    max_size=4,
).map(lambda pieces: f"$'{''.join(pieces)}'")
variable = st.sampled_from(["A", "B", "C", "N", "E"])
simple_variable = st.one_of(variable.map(lambda name: f"${name}"), variable.map(lambda name: f"${{{name}}}"))
number = st.one_of(st.integers(0, 99).map(str), st.sampled_from(["010", "0x1F", "9223372036854775807", "08", "0"]))


def sums(operands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(operands, st.sampled_from([" + ", "-", "*", " / ", "%", " - "]), operands).map("".join),
        operands.map(lambda text: f"({text})"),
        operands.map(lambda text: f" -{text}" if not text.startswith("-") else text),
    )


arithmetic = st.recursive(st.one_of(number, st.sampled_from(["N", "$N", "E", "${E:-4}"])), sums, max_leaves=5).map(
    lambda text: f"$(({text}))"
)


def choices(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(variable, st.sampled_from([":-", "-", ":=", "=", ":+", "+"]), words).map(
        lambda found: f"${{{found[0]}{found[1]}{found[2]}}}"
    )


quoted_words = st.recursive(
    st.one_of(in_double.filter(lambda piece: piece not in {"'", "}"}), simple_variable, arithmetic),
    lambda words: choices(st.lists(words, max_size=3).map("".join)),
    max_leaves=4,
)
double = st.lists(st.one_of(in_double, quoted_words), max_size=4).map(lambda pieces: f'"{"".join(pieces)}"')
piece = st.one_of(
    plain, single, double, escape, ansi, simple_variable, arithmetic, st.sampled_from([":", "~", "~/x", ":~", "{"])
)
braced = st.lists(
    st.one_of(piece.filter(lambda text: "}" not in text or text[0] in "'\"$\\"), st.just(" ")), max_size=3
)
value = st.lists(st.one_of(piece, choices(braced.map("".join))), max_size=4).map("".join)
assignment = st.tuples(st.sampled_from(NAMES), st.sampled_from(["=", "=", "=", "+="]), value).map("".join)
commands = st.one_of(
    st.lists(assignment, min_size=1, max_size=3).map(" ".join),
    st.lists(st.one_of(assignment, variable), min_size=1, max_size=3).map(lambda words: "export " + " ".join(words)),
)
ending = st.sampled_from(["\n", "\n", "; ", ";\n", " # a comment 'with\n", "\t\n", " \\\n\n"])
line = st.one_of(st.tuples(commands, ending).map("".join), st.sampled_from(['# whole line "\n', "\n", "  \n"]))
files = st.lists(line, max_size=6).map("".join)


@given(text=files)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_subset_means_what_it_means_to_bash(text: str, tmp_path: Path) -> None:
    mine = ours(text)
    if not isinstance(mine, ConfigError):
        assert mine == bash(tmp_path, text)
    elif mine.reason.endswith(("is not set", "division by zero", "a number cannot be read (a leading 0 means octal)")):
        # The other refusals are ours alone: what bash can do beyond the subset, or in surprising ways.
        assert bash(tmp_path, text) is None


SETTINGS = ("CERTDIR", "HOOK", "KEY_ALGO", "PDNS_KEY", "RENEW_DAYS")
pages = files.map(lambda text: re.sub(r"\b([ABCD])(?=\+?=)", lambda found: SETTINGS[ord(found[1]) - ord("A")], text))


@given(text=st.one_of(files, pages))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_that_a_file_sets_and_exports_is_what_bash_hands_on(text: str, tmp_path: Path) -> None:
    try:
        script = evaluate(text, "config", START, START)
    except ConfigError:
        return
    assert dict(script.variables) == environment_after(tmp_path, text, "a")
    exported = {name: script.variables[name] for name in script.shell.exported if name in script.variables}
    assert exported == environment_after(tmp_path, text, "")


# --- files that bash evaluates for us -----------------------------------------------------------------------------

beyond = st.sampled_from(
    [
        "if [ -n \"$A\" ]; then A='a b'; else B=; fi\n",
        'C=$(printf "%s|" "$A" "$N")\n',
        "f() { local x=$1; D=${x}y; }\n",
        'f "a  b"\n',
        "for i in 1 2; do A+=$i; done\n",
        "case $N in 12) B=twelve ;; *) B=$N ;; esac\n",
        "unset E\n",
        "declare -i N\n",
        "N=4+4\n",
        "read -r C <<<'in put'\n",
        "export D=$'x\\ny'\n",
        "B=(one two)\n",
        'printf -v A %s "${N}"\n',
        "A=1 B=2; C=3 # together\n",
        "false\n",
        '[ -z "${A:-}" ] || true\n',
    ]
)


@given(text=st.lists(st.one_of(line, beyond, beyond), max_size=6).map("".join))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_bash_evaluates_for_us_is_what_it_hands_on(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_bytes(text.encode())
    start = {**START, "PATH": "/nonexistent", "LC_ALL": "C.UTF-8"}
    found = bash_evaluates(Evaluate(str(file), Shell(start, frozenset(start)), Errors.END))
    if found.shell is None:
        assert environment_after(tmp_path, text, "a") is None
        return
    whole = {name: value for name, value in found.shell.variables.items() if name in SEEN}
    handed = environment_after(tmp_path, text, "a")
    if handed is None:
        # It said something on its way to the end.
        assert found.said
        return
    assert whole == {name: value for name, value in handed.items() if name in SEEN}
    exported = environment_after(tmp_path, text, "")
    assert {name: value for name, value in whole.items() if name in found.shell.exported} == {
        name: value for name, value in (exported or {}).items() if name in SEEN
    }


SEEN = {*NAMES, *START, "i"}
ANY = st.text("AB=+ '\"$\\{}:-~#;\n\t()1e/*`&|é", max_size=30)


@given(text=st.one_of(ANY, ANY.map("A={}".format), ANY.map('A=1 B="${{A:-{}'.format), ANY.map("B=$(({}))".format)))
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_understood_of_any_text_means_the_same_to_bash(text: str, tmp_path: Path) -> None:
    mine = ours(text)
    if not isinstance(mine, ConfigError) and mine != START and not _semicolons(text):
        assert mine == bash(tmp_path, text)


def _semicolons(text: str) -> bool:
    """Whole-line semicolon comments are ours; bash refuses them."""
    return any(found.code == "semicolon-comment" for found in evaluate(text, "config", START).findings)
