"""STATEDIR: the folder for what is ours alone. It must be ours: others could put links in the way of what we write."""

import os
import stat

from certkeeper.adapters.files import FileTrouble, Folder, explained
from certkeeper.base.errors import ExitCode


class StateRefused(FileTrouble):
    """STATEDIR is somebody else's, or open to everybody."""

    exit_code = ExitCode.USAGE


def make_state(path: str) -> Folder:
    """STATEDIR, made (0700) where it is missing.

    Raises:
        StateRefused: it is not ours alone.
        FileTrouble: it cannot be made.
    """
    folder = Folder.make(path)
    try:
        check_state(path)
    except BaseException:
        folder.close()
        raise
    return folder


def make_roots_state(path: str) -> Folder:
    """A folder of root's own, which nobody else can change or put another one in the place of.

    Raises:
        StateRefused: somebody can.
        FileTrouble: it cannot be made.
    """
    from certkeeper.adapters.writers import Writers  # noqa: PLC0415 - few commands need it

    place = path
    while not os.path.lexists(place):
        place = os.path.dirname(place)  # noqa: PTH120 - text
    for writer in Writers().of_path(place):
        through = "" if writer.place == path else f", through {writer.place}"
        raise StateRefused(f"{path}: {writer.who} can change it{through}", hint=writer.fix)
    if place != path and os.stat(place).st_mode & stat.S_IWOTH:  # noqa: PTH116 - text
        # A sticky folder: what is in it is its owner's, and who is first owns it.
        raise StateRefused(f"{path}: everybody could make it first", hint=f"make it: install -d -m 0700 {path}")
    return make_state(path)


def check_state(path: str) -> None:
    """Refuse a folder that others can change.

    Raises:
        StateRefused: with who owns it.
        FileMissing: there is none.
    """
    with explained(path, "look at"):
        status = os.stat(path)  # noqa: PTH116 - text, as everywhere in the adapters
    if not stat.S_ISDIR(status.st_mode):
        raise StateRefused(f"{path}: not a folder", hint="set STATEDIR to a folder, or move the file away")
    if status.st_uid not in {os.geteuid(), 0}:
        raise StateRefused(
            f"{path}: belongs to {_owner(status.st_uid)}, and this runs as {_owner(os.geteuid())}",
            hint=f"run it as that user, or: chown -R {_owner(os.geteuid())} {path}",
        )
    if status.st_mode & stat.S_IWOTH:
        raise StateRefused(f"{path}: everybody may write there", hint=f"chmod o-w {path}")


def _owner(uid: int) -> str:
    import pwd  # noqa: PLC0415 - only for the message

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
