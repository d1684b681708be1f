"""Can a script be called? Seen before anything depends on it; only calling it tells for sure."""

import os
from pathlib import Path

from certkeeper.base.errors import CertkeeperError, Fault


class NoScript(CertkeeperError):
    """A hook that is not there, or that this user may not execute."""

    fault = Fault.OPERATOR
    local = True


def script_trouble(script: str) -> NoScript | None:
    """Why it cannot be called; None where nothing speaks against it. A name without a slash is looked for in PATH."""
    paths = [Path(script)] if "/" in script else [Path(folder, script) for folder in os.get_exec_path()]
    seen = [path for path in paths if os.path.lexists(path)]
    if any(path.is_file() and os.access(path, os.X_OK) for path in seen):
        return None
    if not seen:
        reason = "no such file" if "/" in script else "no such file in PATH"
    elif not any(path.is_file() for path in seen):
        reason = "it is no file, or leads to none"
    else:
        return NoScript(f"hook {script}: cannot be called: it is not executable", hint=f"chmod +x {seen[0]}")
    return NoScript(
        f"hook {script}: cannot be called: {reason}",
        hint=f"HOOK is the path of one executable file: ls -l {script}",
    )
