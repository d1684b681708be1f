"""bash, for operators who want their page evaluated as dehydrated does it, and for functions of it that are hooks.

Neither values nor functions are in an argument list, where everybody on the machine could read them: they are passed
in the environment, and what is not exported is taken out of it before anything of the operator's runs.
"""

import os
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.base.errors import Location
from certkeeper.config.evaluating import Evaluate, Evaluated, Ran
from certkeeper.config.shell import Shell

DEADLINE = 60.0
"""Seconds. A page may ask a password store; one that asks for a password on a terminal has none here."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MOST = 16 * 1024 * 1024
_KEPT = 1 << 16
_PIECE = 1 << 16
_PACE = 0.05
_OURS = "__certkeeper_"
_PRIVATE, _FUNCTIONS = f"{_OURS}private", f"{_OURS}functions"
# bash sets these anew each time, and some of them cannot be set by anybody else.
_BASHS_OWN = frozenset(
    [
        "BASH",
        "BASHOPTS",
        "BASHPID",
        "BASH_ARGV0",
        "BASH_COMMAND",
        "BASH_EXECUTION_STRING",
        "BASH_LOADABLES_PATH",
        "BASH_SUBSHELL",
        "BASH_VERSION",
        "EPOCHREALTIME",
        "EPOCHSECONDS",
        "EUID",
        "HISTCMD",
        "LINENO",
        "OPTIND",
        "PPID",
        "RANDOM",
        "SECONDS",
        "SHELLOPTS",
        "SRANDOM",
        "UID",
        "_",
    ]
)

# What is exported only to get it here, and the functions of the files before.
_START = f"""\
export -n ${_PRIVATE} {_PRIVATE} {_FUNCTIONS}
eval "${_FUNCTIONS}"
"""
# dehydrated's options; an error of the function's is its status, since dehydrated calls it in a condition.
_CALL = f"""{_START}
unset {_PRIVATE} {_FUNCTIONS}
shopt -s nullglob
set -euf -o pipefail
"$@" || exit
"""
# Answers in records of four fields: V a variable, S the file begins, C a command, N names of functions, F their text,
# E the end. What the file prints goes where its errors go.
_EVALUATE = f"""\
exec {{{_OURS}out}}>&1 1>&2
{_START}
{_OURS}file=$1 {_OURS}errors=$2
shift 2
{_OURS}tell() {{ printf '%s\\0%s\\0%s\\0%s\\0' "$@" >&"${_OURS}out"; }}
{_OURS}dump() {{
  local IFS=$'\\n' {_OURS}name {_OURS}names
  mapfile -t {_OURS}names < <(compgen -v)
  for {_OURS}name in "${{{_OURS}names[@]}}"; do
    case ${_OURS}name:${{!{_OURS}name@a}} in
      {_OURS}*|*:*[aA]*) ;;
      *)
        if [[ -v ${_OURS}name ]]; then
          {_OURS}tell V "${_OURS}name" "${{!{_OURS}name@a}}" "${{!{_OURS}name}}"
        fi ;;
    esac
  done
}}
{_OURS}dump
{_OURS}tell S '' '' ''
# Without errexit nothing else shows that bash did not get to the end of the file.
[[ ${_OURS}errors ]] || "$BASH" -n "${_OURS}file" || exit
shopt -s nullglob
trap 'printf "C\\0%s\\0%s\\0%s\\0" "$LINENO" "${{BASH_SOURCE[0]-}}" "$BASH_COMMAND" >&"${_OURS}out"' DEBUG
set -fuT"${_OURS}errors" -o pipefail
. "${_OURS}file"
trap - DEBUG
set +eu
{_OURS}dump
unset -f {_OURS}dump
{_OURS}tell N "$(compgen -A function)" '' ''
{_OURS}functions=$(unset -f {_OURS}tell; declare -f)
{_OURS}tell F "${_OURS}functions" '' ''
{_OURS}tell E '' '' ''
"""


def function_call(shell: Shell, function: str, words: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """What to execute for a call of a function of the page's, and the environment that it takes."""
    return [_bash(), "-c", _CALL, "bash", function, *words], _environment(shell)


def evaluate(step: Evaluate, deadline: float = DEADLINE) -> Evaluated:
    """Have bash evaluate a file; what it leaves running in the background is not waited for."""
    # `.` looks for a name without a slash in PATH.
    path = step.path if "/" in step.path else f"./{step.path}"
    with _ended_with_us() as children:
        try:
            child = subprocess.Popen(
                [_bash(), "-c", _EVALUATE, "bash", path, step.errors.value],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(step.shell),
                start_new_session=True,
                umask=0o077,
            )
        except (OSError, ValueError) as error:
            if (starved := out_of_descriptors("bash", error)) is not None:
                raise starved from error
            reason = getattr(error, "strerror", None) or str(error)
            return Evaluated(None, trouble=f"bash cannot be started: {reason.lower()}")
        children.append(child)
        with child:
            told, said, trouble = _followed(child, deadline)
            status = child.wait()
    return _evaluated(step, told, said.decode("utf-8", "replace"), status, trouble)


@contextmanager
def _ended_with_us() -> "Iterator[list[subprocess.Popen[bytes]]]":
    """What is put into the list is killed, with all that it started, where this program is told to end meanwhile.

    It has a session of its own, so neither Ctrl-C nor the end of the terminal reaches it.
    """
    children: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        for child in children:
            _kill(child)

    def end(number: int, _frame: object) -> None:
        kill()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def unwind(number: int, frame: FrameType | None) -> None:
        if not callable(handler := before[signal.Signals(number)]):
            return
        try:
            handler(number, frame)
        except BaseException:
            # At once: closing a child waits for its end. Who goes on, as where a terminal went away, needs its answer.
            kill()
            raise

    main = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.getsignal(number) for number in _ENDING if main}
    before = {number: handler for number, handler in handlers.items() if handler not in (None, signal.SIG_IGN)}
    for number, handler in before.items():
        signal.signal(number, end if handler is signal.SIG_DFL else unwind)
    try:
        yield children
    except BaseException:
        kill()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _kill(child: "subprocess.Popen[bytes]") -> None:
    # Once it was waited for its number may be another one's.
    if child.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _bash() -> str:
    """By our own PATH, whatever the page makes of its."""
    return shutil.which("bash") or "bash"


def _environment(shell: Shell) -> dict[str, str]:
    private = " ".join(name for name in shell.variables if name not in shell.exported and name.isidentifier())
    passed = {name: value for name, value in shell.variables.items() if name not in _BASHS_OWN}
    return {**passed, _PRIVATE: private, _FUNCTIONS: shell.functions}


def _followed(child: "subprocess.Popen[bytes]", deadline: float) -> tuple[bytes, bytes, str]:
    """What it told us, the last part of what it printed, and why it had to be stopped."""
    ends = time.monotonic() + deadline
    told, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, kept in ((child.stdout, told), (child.stderr, said)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, kept)
        while True:
            left = ends - time.monotonic()
            # In this order: what it wrote before its end is in the pipe by then.
            ended = child.poll() is not None
            trouble = f"bash did not end within {deadline:.0f} s" if left <= 0 else ""
            trouble = "bash says more than anybody can read" if len(told) > _MOST else trouble
            if trouble:
                _kill(child)
                return bytes(told), bytes(said), trouble
            ready = selector.select(0 if ended else min(left, _PACE))
            if ended and not ready:
                break
            for key, _ in ready:
                piece = os.read(_descriptor(key.fileobj), _PIECE)
                key.data.extend(piece)
                if not piece:
                    selector.unregister(key.fileobj)
            del said[:-_KEPT]
    return bytes(told), bytes(said), ""


def _descriptor(file: "IO[bytes] | int | object") -> int:
    return file if isinstance(file, int) else file.fileno()  # type: ignore[attr-defined]  # selectors' word for a file


def _evaluated(step: Evaluate, told: bytes, said: str, status: int, trouble: str) -> Evaluated:
    before: dict[str, tuple[str, str]] = {}
    after: dict[str, tuple[str, str]] = {}
    current, names, functions, complete = before, "", "", False
    ran: list[Ran] = []
    for tag, first, second, third in _records(told):
        match tag:
            case "V":
                current[first] = (second, third)
            case "S":
                current = after
            case "C" if second:
                ran.append(Ran(Location(_as_written(step.path, second), int(first)), third))
            case "N":
                names = first
            case "F":
                functions = first
            case "E":
                complete = True
            case _:
                # A command of ours.
                pass
    if not complete or trouble:
        return Evaluated(None, ran=tuple(ran), said=said, status=status, trouble=trouble)
    return Evaluated(
        _shell(step.shell.variables, after, functions, frozenset(names.split()) - {f"{_OURS}tell"}),
        frozenset(name for name, found in after.items() if name not in _BASHS_OWN and before.get(name) != found),
        tuple(ran),
        said,
        status,
    )


def _shell(
    before: Mapping[str, str], after: Mapping[str, tuple[str, str]], functions: str, callable_: frozenset[str]
) -> Shell:
    # Functions of the environment are in variables that no shell shows.
    hidden = {name: value for name, value in before.items() if not name.isidentifier()}
    variables = {name: value for name, (_, value) in after.items() if name not in _BASHS_OWN}
    exported = frozenset(name for name, (attributes, _) in after.items() if "x" in attributes) | hidden.keys()
    return Shell({**hidden, **variables}, exported, functions, callable_)


def _as_written(path: str, source: str) -> str:
    return path if source == f"./{path}" else source


def _records(told: bytes) -> Iterator[tuple[str, str, str, str]]:
    fields = told.decode("utf-8", "surrogateescape").split("\0")
    for at in range(0, len(fields) - 4, 4):
        tag, first, second, third = fields[at : at + 4]
        yield tag, first, second, third
