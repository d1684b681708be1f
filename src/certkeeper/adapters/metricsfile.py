"""METRICS_FILE: numbers for Prometheus, in a file that node_exporter's textfile collector reads.

Everybody may read it, and it is always whole. What is there and is none of ours is left alone. The numbers of the run
come first, in lines of their own, so that a run that found nothing to do can bring these up to date alone.
"""

import os
import re
import stat
from collections.abc import Mapping

from certkeeper.adapters.files import FileMissing, Folder, explained, read_file, temporary_name, write_all
from certkeeper.base.errors import CertkeeperError, Fault

BEGIN = b"# HELP certkeeper_"
"""What the file begins with."""
MODE = 0o644
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NotOurs(CertkeeperError):
    """Something else is where METRICS_FILE is to be."""

    label = "file-trouble"
    fault = Fault.OPERATOR
    local = True


def write_metrics(path: str, text: str) -> None:
    """Put this in the place of what is there.

    Raises:
        NotOurs: what is there is not from here.
        FileTrouble: it cannot be written.
    """
    with explained(path, "look at"):
        try:
            there = os.lstat(path)
        except FileNotFoundError:
            there = None
    if there is not None and (not stat.S_ISREG(there.st_mode) or read_file(path)[: len(BEGIN)] not in {BEGIN, b""}):
        raise NotOurs(f"{path}: is no file of certkeeper's, and stays as it is", hint="name another METRICS_FILE")
    folder, name = os.path.split(path)
    # node_exporter takes what ends in .prom.
    temporary = f"{folder}/{temporary_name(name)}"
    with explained(path, "write"):
        fd = os.open(temporary, _FLAGS, 0o600)
        try:
            write_all(fd, text.encode())
            os.fchmod(fd, MODE)
            os.fsync(fd)
            os.rename(temporary, path)  # noqa: PTH104 - text, as everywhere in the adapters
        except BaseException:
            os.unlink(temporary)  # noqa: PTH108 - as above
            raise
        finally:
            os.close(fd)
    with Folder.open(folder) as held:
        held.sync()


def refresh_metrics(path: str, numbers: Mapping[str, str]) -> None:
    """Put these in the place of the numbers of these names, which stand without labels.

    Raises:
        NotOurs: what is there is not from here.
        FileTrouble: there is none, or it cannot be written.
    """
    text = read_file(path).decode(errors="replace")
    for name, number in numbers.items():
        text, done = re.subn(rf"(?m)^({re.escape(name)}) \S+$", rf"\1 {number}", text, count=1)
        if not done:
            raise FileMissing(f"{path}: holds no {name}", hint="the next run that looks at everything writes it anew")
    write_metrics(path, text)
