"""Which scripts are called, and can they be? Seen before anything depends on it; only calling one tells for sure."""

import itertools
import os
from pathlib import Path

from certkeeper.adapters.writers import Writers, running_as
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.patterns import pattern

_NO_SCRIPT = pattern(r"\..*|.*(~|\.(bak|orig|swp|rpmnew|rpmsave|rpmorig|dpkg-[a-z]+|disabled))")
"""Hidden files, and what editors and package managers leave beside a script."""


class NoScript(CertkeeperError):
    """A hook that is not there, or that this user may not execute."""

    label = "hook-failed"
    fault = Fault.OPERATOR
    local = True


def script_trouble(script: str) -> NoScript | None:
    """Why it cannot be called; None where nothing speaks against it. A name without a slash is looked for in PATH.

    A folder stands for the scripts in it.
    """
    if (found := _not_there(script)) is not None:
        return found
    found = open_to_others(script)
    return None if found is None else NoScript(f"hook {script}: {found}", hint=found.hint)


def open_to_others(program: str, path: str | None = None) -> NoScript | None:
    """Why it is not run: somebody else can put other words into it, or another program in its place.

    Everybody on this machine, or, where this is root, any other user.

    `path` is the PATH that counts, ours where none is given.
    """
    writers = Writers()
    for file in program_files(program, path):
        for writer in writers.of_path(file):
            if writer.root_refuses():
                through = "" if writer.place == program else f", through {writer.place}"
                who = "everybody on this machine" if writer.everybody else writer.who
                return NoScript(
                    f"is not run: {who} can change it{through}, and so have programs run as {running_as()}",
                    hint=writer.fix,
                )
    return None


def program_files(program: str, path: str | None = None) -> tuple[str, ...]:
    """The files that are run for it: the first of that name in PATH, or all in a folder, and the folder itself."""
    if _is_folder(program):
        return (program, *_members(program))
    # PATH may be root's still, with folders in it that only root gets into: there is_file raises.
    found = (str(place) for place in _places(program, path) if os.path.isfile(place))  # noqa: PTH113
    return tuple(itertools.islice(found, 1))


def _places(script: str, path: str | None = None) -> list[Path]:
    folders = os.get_exec_path(None if path is None else {"PATH": path})
    return [Path(script)] if "/" in script else [Path(folder, script) for folder in folders]


def _not_there(script: str) -> NoScript | None:
    if _is_folder(script):
        if _members(script):
            return None
        return NoScript(
            f"hook {script}: cannot be called: the folder holds no executable file",
            hint=f"make the scripts in it executable: ls -l {script}",
        )
    paths = _places(script)
    seen = [path for path in paths if os.path.lexists(path)]
    if any(path.is_file() and os.access(path, os.X_OK) for path in seen):
        return None
    if not seen:
        reason = "no such file" if "/" in script else "no such file in PATH"
    elif not any(path.is_file() for path in seen):
        reason = "it is no file, or leads to none"
    else:
        return NoScript(f"hook {script}: cannot be called: it is not executable", hint=f"chmod +x {seen[0]}")
    return NoScript(f"hook {script}: cannot be called: {reason}", hint=_where(script))


def scripts_of(script: str) -> tuple[str, ...]:
    """What is called for it: the script, or the executable files of the folder in the order of their names.

    A folder without any stands for itself, and cannot be called.
    """
    return (_members(script) if _is_folder(script) else ()) or (script,)


def _is_folder(script: str) -> bool:
    return "/" in script and os.path.isdir(script)  # noqa: PTH112 - is_dir raises where one does not get to


def _members(folder: str) -> tuple[str, ...]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names only
    except OSError:
        return ()
    paths = (Path(folder, name) for name in names if not _NO_SCRIPT.fullmatch(name))
    return tuple(str(path) for path in paths if path.is_file() and os.access(path, os.X_OK))


def _where(script: str) -> str:
    first, *more = script.split()
    if more and os.path.lexists(first):
        return f"HOOK takes no arguments: write a script that calls {script}"
    if script.startswith("/"):
        return f"HOOK is the path of one executable file: ls -l {script}"
    return "HOOK counts from the folder that the program is started in: write its whole path, starting with /"
