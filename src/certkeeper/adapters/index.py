"""STATEDIR/index.json: what a look at files gave, so that files that are as they were need not be opened again.

A cache: it may be deleted at any time, nothing in it is secret, and whoever cannot write it works without. An entry
counts while a stat of every file that was read for it gives what it gave then. Files that had changed in the two
seconds before are not remembered: a file can change twice within one tick of a file system's clock.

The first line says which program wrote the file and as whom, since what can be read depends on that, and a hash of the
rest. What does not fit counts as no index; `trouble` says so where somebody or something has damaged it.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable
from typing import cast

from certkeeper import __version__
from certkeeper.adapters.caches import write_cache
from certkeeper.adapters.files import FileMissing, FileTrouble, explained
from certkeeper.adapters.looked import Looked
from certkeeper.adapters.state import check_state
from certkeeper.base.errors import CertkeeperError, OutOfDescriptors
from certkeeper.base.value import dataclass

NAME = "index.json"
SCHEMA = 1
SETTLED = 2_000_000_000
"""Nanoseconds after which a change is surely in an earlier tick of the file system's clock."""
_LARGEST = 256 << 20
"""Octets; some 600 for each certificate."""
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Seen:
    """What stat says of a folder and of files in it: `facts` is a hash. `settled`: nothing of it changed lately."""

    facts: str
    settled: bool


class Index:
    """What earlier looks gave, by the kind of look and the folder that was looked at.

    `trouble` is why a file that is there does not count; empty where it does, where there is none, and where another
    version of the program wrote it. `clock` gives nanoseconds of the epoch, as file systems have them. `looked` is told
    what is looked at.
    """

    def __init__(self, statedir: str, clock: Callable[[], int] = time.time_ns, looked: Looked | None = None) -> None:
        self._looked = looked or Looked()
        self._clock = clock
        self._statedir = statedir
        self._path = f"{statedir}/{NAME}"
        self._entries: dict[str, tuple[str, object]] | None = None
        self._asked: set[str] = set()
        self._changed = False
        self.trouble = ""

    def see(self, folder: str, names: Iterable[str]) -> Seen:
        """Of each name: where it leads, if it is a link, and the file behind it; of the folder: which one, and whose.

        Folders on the way change with every file in them, and are what leads to the same files in any case.
        """
        before = self._clock() - SETTLED
        names = tuple(names)
        self._looked.at_folder(folder, names)
        try:
            status = os.stat(folder)  # noqa: PTH116 - text, as everywhere in the adapters
        except OSError as error:
            return Seen(str(error.errno), settled=False)
        facts: list[object] = [status.st_dev, status.st_ino, status.st_mode, status.st_uid, status.st_gid]
        newest = 0
        for name in names:
            path = f"{folder}/{name}"
            try:
                facts.append(os.readlink(path))  # noqa: PTH115 - as above
            except OSError as error:
                facts.append(error.errno)
            try:
                status = os.stat(path)  # noqa: PTH116 - as above
            except OSError as error:
                facts.append(error.errno)
                continue
            facts += [*status[:7], status.st_mtime_ns, status.st_ctime_ns]
            newest = max(newest, status.st_mtime_ns, status.st_ctime_ns)
        text = "\0".join(map(str, facts))
        return Seen(hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest(), newest < before)

    def known(self, kind: str, folder: str, seen: Seen) -> object | None:
        """What a look gave, where nothing that it depends on has changed since."""
        key = f"{kind}:{folder}"
        self._asked.add(key)
        facts, found = self._all().get(key, ("", None))
        return found if facts == seen.facts else None

    def learn(self, kind: str, folder: str, seen: Seen, found: object) -> None:
        """Remember what a look gave that was taken after this was seen; nothing where that may change unseen."""
        if seen.settled:
            self._all()[f"{kind}:{folder}"] = (seen.facts, found)
            self._changed = True

    def keep(self) -> None:
        """Write it down, where there is something new in it.

        Raises:
            StateRefused: STATEDIR is not ours alone.
            FileTrouble: it cannot be written; the files are opened again next time.
        """
        if not self._changed:
            return
        entries = {
            key: entry
            for key, entry in self._all().items()
            # Of another page's folders in the same STATEDIR, those that are there.
            if key in self._asked or os.path.isdir(key.partition(":")[2])  # noqa: PTH112 - text
        }
        body = json.dumps(entries, separators=(",", ":")).encode()
        write_cache(self._statedir, NAME, f"{_title()} {_digest(body)}\n".encode() + body)
        self._changed = False

    def _all(self) -> dict[str, tuple[str, object]]:
        if self._entries is None:
            self._entries = {}
            try:
                self._entries = self._read()
            except OutOfDescriptors:
                raise
            except CertkeeperError as error:
                self.trouble = str(error)
                self._changed = True
        return self._entries

    def _read(self) -> dict[str, tuple[str, object]]:
        try:
            check_state(self._statedir)
            content = self._content()
        except FileMissing:
            return {}
        title, _, body = content.partition(b"\n")
        words, _, digest = title.rpartition(b" ")
        if digest.decode("ascii", "replace") != _digest(body):
            raise FileTrouble(f"{self._path}: damaged")
        if words.decode("ascii", "replace") != _title():
            return {}
        try:
            found = cast("dict[str, list[object]]", json.loads(body))
            return {key: (str(facts), value) for key, (facts, value) in found.items()}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise FileTrouble(f"{self._path}: makes no sense") from error

    def _content(self) -> bytes:
        with explained(self._path, "read"):
            descriptor = os.open(self._path, _OPEN)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                    raise FileTrouble(f"{self._path}: no index")
                if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                    raise FileTrouble(f"{self._path}: others can change it")
                content = b""
                while chunk := os.read(descriptor, status.st_size + 1):
                    content += chunk
                return content
            finally:
                os.close(descriptor)


def _title() -> str:
    groups = ",".join(map(str, sorted(os.getgroups())))
    return f"certkeeper {__version__} index {SCHEMA} uid {os.geteuid()} gid {os.getegid()} {groups}"


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
