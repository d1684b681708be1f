"""What to do about the errors of a file system."""

import errno
import os


def hint_on(number: int | None, path: str) -> str:
    """A command that mends it or shows more; empty where there is none."""
    folder = os.path.dirname(path) or "."  # noqa: PTH120 - text, not a path on this disk
    match number:
        case errno.ENOSPC | errno.EDQUOT:
            return f"make room: df -h {folder}; df -i {folder}"
        case errno.EROFS:
            return f"the file system is mounted read-only: findmnt -T {folder}"
        case errno.EACCES | errno.EPERM:
            return f"run as the owner or as root, or see who may: namei -l {path}"
        case errno.EISDIR | errno.ENOTDIR:
            return f"move it away: ls -ld {path}"
        case errno.ELOOP:
            return f"a symbolic link is in the way: ls -l {path}"
        case errno.EIO:
            return "the disk reports errors: dmesg"
        case _:
            return ""
