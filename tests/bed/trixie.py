"""Programs of Debian 13, which scripts/lib/trixie.sh unpacks: in a mount namespace where its /usr is this machine's.

They start others and load modules by their full paths, so that their own loader alone would not do. All else is this
machine's: /etc with its users, folders for temporary files, the network.
"""

import os
import subprocess
from collections.abc import Collection
from pathlib import Path

from bed import binaries

_INSIDE = 'mount --bind "$0" /usr && exec "$@"'
_COVERED = 'for path in "$0"/*; do mount --bind "$path" "/usr/bin/${path##*/}" || exit; done; exec "$@"'


def usr() -> Path:
    """The unpacked /usr."""
    found = binaries.cache_folder() / "trixie/usr"
    if not found.is_dir():
        binaries.missing(f"{found} is not here", "scripts/test unpacks it with the Debian package mmdebstrap")
    return found


def program(path: str) -> tuple[str, ...]:
    """The command for a program of Debian 13, by its full path there."""
    found = usr()
    if not (found.parent / path.lstrip("/")).exists():
        binaries.missing(f"{path} is not in {found.parent}", "scripts/test unpacks it anew")
    unshare = binaries.require("unshare")
    if os.geteuid() != 0 or subprocess.run([unshare, "--mount", "true"], capture_output=True, check=False).returncode:
        binaries.missing("no mount namespace can be made", "this needs root, in a container CAP_SYS_ADMIN, too")
    return (unshare, "--mount", "sh", "-c", _INSIDE, str(found), path)


def found_by(folder: Path, names: Collection[str]) -> tuple[str, ...]:
    """A prefix for a command of this machine's that is to find these programs of Debian 13 in /usr/bin.

    It runs in a mount namespace in which scripts of `folder` are in their places, which have to be there.
    """
    folder.mkdir(mode=0o755)
    for name in names:
        script = folder / name
        words = " ".join(f"'{word}'" for word in program(f"/usr/bin/{name}"))
        script.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return (binaries.require("unshare"), "--mount", "sh", "-c", _COVERED, str(folder))
