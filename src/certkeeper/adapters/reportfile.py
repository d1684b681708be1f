"""The page for people who look with a browser: written whole or not at all, and never over somebody else's file."""

import os
from contextlib import suppress

from certkeeper.adapters.files import FileTrouble, Folder, temporary_name
from certkeeper.base.errors import Fault

_MODE = 0o644
_HEAD = 1024


class NotOurs(FileTrouble):
    """There is another file."""

    fault = Fault.OPERATOR


def write_report(path: str, content: str, *, mark: str) -> None:
    """Put this in the place of what is there, readable for everybody.

    Raises:
        NotOurs: what is there does not begin as ours does (`mark`).
        FileTrouble: it cannot be written.
    """
    folder_path, name = os.path.split(os.path.abspath(path))  # noqa: PTH100 - text
    with Folder.open(folder_path) as folder:
        status = folder.status(name)
        if status is not None and mark not in read_head(path):
            raise NotOurs(
                f"{path}: not replaced: it was not made by certkeeper", hint="name another file, or move that one away"
            )
        folder.sweep(name)
        new = temporary_name(name)
        try:
            folder.put(new, content.encode())
            folder.set_mode(new, _MODE)
            folder.rename(new, name)
        except BaseException:
            with suppress(FileTrouble):
                folder.remove(new)
            raise
        folder.sync()


def renew_report(path: str, content: str, head: str, *, mark: str) -> None:
    """The same, unless what is there begins with `head` already: then it shows the same.

    Raises:
        NotOurs, FileTrouble: as above.
    """
    if not read_head(path).startswith(head):
        write_report(path, content, mark=mark)


def read_head(path: str) -> str:
    """How a regular file begins; nothing where there is none, or it is a link or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _HEAD).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
