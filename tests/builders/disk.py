"""A disk that loses what was not made to last: operations on files are recorded, power cuts are worked out from them.

What lasts is what POSIX promises and no more. A file's content lasts from its fsync on; before, what is found may be
what lasted before, a part, or all. A name lasts from the fsync of its folder on; before, each operation on names may
be found done or not, by itself: a journal that keeps their order leaves some of these states (prefixes), btrfs, which
logs what is fsynced and little else, leaves others. One operation, such as a rename, is found whole or not at all.
"""

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import pytest

# No process has this number: it is above the kernel's limit.
GONE = 4_194_305


class PlugPulled(BaseException):
    """Stands for a kill: nothing in the code under test catches it."""


class Kind(Enum):
    FILE = auto()
    FOLDER = auto()
    LINK = auto()


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """An inode. Its names and its content are the disk's."""

    kind: Kind
    mode: int = 0
    target: str = ""
    modified: int | None = None
    """When it was written (ns), of what was there at the beginning."""


@dataclass(frozen=True, slots=True)
class Named:
    """Names of one folder have changed; None is no name any more."""

    call: str
    folder: Node
    changes: Mapping[str, Node | None]

    def apply(self, names: dict[Node, dict[str, Node]]) -> None:
        found = names.setdefault(self.folder, {})
        for name, node in self.changes.items():
            if node is None:
                found.pop(name, None)
            else:
                found[name] = node


@dataclass(frozen=True, slots=True)
class Wrote:
    """`content` is all that the file has afterwards."""

    node: Node
    content: bytes = field(repr=False)
    call: str = "write"


@dataclass(frozen=True, slots=True)
class Synced:
    node: Node
    call: str = "fsync"


Operation: TypeAlias = Named | Wrote | Synced


class Content(Enum):
    """What is found of a content that was not fsynced."""

    LOST = auto()
    HALF = auto()
    WHOLE = auto()


@dataclass(frozen=True, slots=True)
class Item:
    """One path of a state. Files with the same number are one file."""

    kind: Kind
    mode: int = 0
    said: bytes = b""
    number: int = 0
    modified: int | None = None


State: TypeAlias = tuple[tuple[str, Item], ...]


class Disk:
    """What lasts, and what was done since."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.names: dict[Node, dict[str, Node]] = {}
        self.lasting: dict[Node, bytes] = {}
        self.written: dict[Node, bytes] = {}
        self.pending: list[Named] = []

    def copy(self) -> "Disk":
        other = Disk(self.root)
        other.names = {folder: dict(names) for folder, names in self.names.items()}
        other.lasting, other.written, other.pending = dict(self.lasting), dict(self.written), list(self.pending)
        return other

    def do(self, operation: Operation) -> None:
        match operation:
            case Named():
                self.pending.append(operation)
            case Wrote(node, content):
                self.written[node] = content
            case Synced(node) if node.kind is Kind.FOLDER:
                for named in self.pending:
                    if named.folder is node:
                        named.apply(self.names)
                self.pending = [named for named in self.pending if named.folder is not node]
            case Synced(node):
                self.lasting[node] = self.written.get(node, b"")

    def now(self) -> State:
        """What every program sees while the power is on."""
        return self._state(self.pending, Content.WHOLE)

    def after_a_power_cut(self) -> Iterator[State]:
        """States that may be found, the worst of each sort; some come twice."""
        for content in Content:
            yield self._state(self.pending, content)
        everything = range(len(self.pending))
        for survivors in self._survivals():
            if len(survivors) < len(everything):
                yield self._state([self.pending[number] for number in survivors], Content.LOST)

    def _survivals(self) -> Iterator[Collection[int]]:
        """Which of the pending operations are found: the first ones, those of one folder, only one, all but one."""
        count = len(self.pending)
        for end in range(count):
            yield range(end)
        for folder in {named.folder: None for named in self.pending}:
            yield [number for number, named in enumerate(self.pending) if named.folder is folder]
            yield [number for number, named in enumerate(self.pending) if named.folder is not folder]
        for one in range(count):
            yield [one]
            yield [number for number in range(count) if number != one]

    def _state(self, survivors: Collection[Named], content: Content) -> State:
        names = dict(self.names)
        for folder in {named.folder for named in survivors}:
            names[folder] = dict(names.get(folder, {}))
        for named in survivors:
            named.apply(names)
        numbers: dict[Node, int] = {}
        return tuple(self._walk(self.root, "", names, content, numbers))

    def _walk(
        self,
        folder: Node,
        path: str,
        names: Mapping[Node, Mapping[str, Node]],
        content: Content,
        numbers: dict[Node, int],
    ) -> Iterator[tuple[str, Item]]:
        for name, node in sorted(names.get(folder, {}).items(), key=lambda entry: entry[0]):
            said = node.target.encode() if node.kind is Kind.LINK else self._content(node, content)
            number = numbers.setdefault(node, len(numbers))
            yield path + name, Item(node.kind, node.mode, said, number, node.modified)
            if node.kind is Kind.FOLDER:
                yield from self._walk(node, f"{path}{name}/", names, content, numbers)

    def _content(self, node: Node, content: Content) -> bytes:
        lasting, written = self.lasting.get(node, b""), self.written.get(node, b"")
        match content:
            case Content.LOST:
                return lasting
            case Content.HALF if lasting != written:
                return written[: len(written) // 2]
            case _:
                return written


def materialise(state: State, place: Path) -> None:
    """Make the folders and files of a state, in an empty folder."""
    first: dict[int, Path] = {}
    for name, item in state:
        path = place / name
        if item.kind is Kind.FOLDER:
            path.mkdir(item.mode)
        elif item.kind is Kind.LINK:
            path.symlink_to(item.said.decode())
        elif item.number in first:
            path.hardlink_to(first[item.number])
        else:
            first[item.number] = path
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, item.mode), "wb") as file:
                file.write(item.said)
            if item.modified is not None:
                os.utime(path, ns=(item.modified, item.modified))


class Recorder:
    """Stands where a module has `os`: carries operations out, and remembers those on files below `root`.

    Whatever would change a file and is not known here fails loudly. `fresh` is a folder in which nothing lasts yet:
    another program wrote there and did not fsync. Before operation `stop`, the plug is pulled.
    """

    def __init__(self, root: Path, fresh: Path | None = None, stop: int | None = None) -> None:
        self._nodes: dict[tuple[int, int], Node] = {}
        self._opened: dict[int, Node] = {}
        self.stop = stop
        self.process = GONE
        self.log: list[Operation] = []
        self.start = Disk(self._node(root.stat()))
        self._scan(root, fresh)
        for operation in self.log:
            self.start.do(operation)
        self.log.clear()

    def disks(self) -> Iterator[Disk]:
        """The disk before the first operation, after it, after the second one, …; the same object each time."""
        disk = self.start.copy()
        yield disk
        for operation in self.log:
            disk.do(operation)
            yield disk

    @contextmanager
    def instead_of_os_in(self, *modules: ModuleType) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for module in modules:
                patch.setattr(module, "os", self)
            yield

    def __getattr__(self, name: str) -> object:
        if name in _CHANGE_NOTHING or name.startswith("O_"):
            return getattr(os, name)
        raise AttributeError(f"os.{name} is not recorded")

    def getpid(self) -> int:
        return self.process

    def open(self, path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_CREAT:
            self._before()
            if dir_fd is None or not flags & os.O_EXCL:
                raise NotImplementedError("open: files are made with O_EXCL, in an open folder")
        elif flags & (os.O_WRONLY | os.O_RDWR):
            raise NotImplementedError("open: a file that is there is not written into")
        fd = os.open(path, flags, mode, dir_fd=dir_fd)
        if flags & os.O_CREAT:
            self._made("open", dir_fd, path)
        status = os.fstat(fd)
        known = self._nodes.get((status.st_dev, status.st_ino))
        if known is not None:
            self._opened[fd] = known
        return fd

    def close(self, fd: int) -> None:
        self._opened.pop(fd, None)
        os.close(fd)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        self._before()
        count = os.write(fd, data)
        node = self._opened[fd]
        self.log.append(Wrote(node, self._written(node) + bytes(data[:count])))
        return count

    def fsync(self, fd: int) -> None:
        self._before()
        os.fsync(fd)
        self.log.append(Synced(self._opened[fd]))

    def mkdir(self, path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        self._before()
        os.mkdir(path, mode, dir_fd=dir_fd)
        self._made("mkdir", dir_fd, path)

    def symlink(self, target: str, path: str, *, dir_fd: int | None = None) -> None:
        self._before()
        os.symlink(target, path, dir_fd=dir_fd)
        self._made("symlink", dir_fd, path)

    def link(self, old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int, follow_symlinks: bool) -> None:
        self._before()
        os.link(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=follow_symlinks)
        self._named("link", dst_dir_fd, {new: self._there(src_dir_fd, old)})

    def rename(self, old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        self._before()
        if self._opened[src_dir_fd] is not self._opened[dst_dir_fd]:
            raise NotImplementedError("rename: into another folder")
        node = self._there(src_dir_fd, old)
        os.rename(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        self._named("rename", dst_dir_fd, {old: None, new: node})

    def unlink(self, path: str, *, dir_fd: int | None = None) -> None:
        self._before()
        os.unlink(path, dir_fd=dir_fd)
        self._named("unlink", dir_fd, {path: None})

    def rmdir(self, path: str, *, dir_fd: int | None = None) -> None:
        self._before()
        os.rmdir(path, dir_fd=dir_fd)
        self._named("rmdir", dir_fd, {path: None})

    def _before(self) -> None:
        if len(self.log) == self.stop:
            raise PlugPulled

    def _named(self, call: str, folder: int | None, changes: Mapping[str, Node | None]) -> None:
        if folder is None or any("/" in name for name in changes):
            raise NotImplementedError(f"{call}: names are those of an open folder")
        self.log.append(Named(call, self._opened[folder], changes))

    def _made(self, call: str, folder: int | None, name: str) -> None:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        # A number that was free may have been another file's before.
        self._nodes.pop((status.st_dev, status.st_ino), None)
        target = os.readlink(name, dir_fd=folder) if stat.S_ISLNK(status.st_mode) else ""
        self._named(call, folder, {name: self._node(status, target)})

    def _there(self, folder: int, name: str) -> Node:
        return self._node(os.stat(name, dir_fd=folder, follow_symlinks=False))

    def _node(self, status: os.stat_result, target: str = "", modified: int | None = None) -> Node:
        kind = Kind.FOLDER if stat.S_ISDIR(status.st_mode) else Kind.LINK if target else Kind.FILE
        new = Node(kind, 0 if kind is Kind.LINK else stat.S_IMODE(status.st_mode), target, modified)
        return self._nodes.setdefault((status.st_dev, status.st_ino), new)

    def _written(self, node: Node) -> bytes:
        found = (entry.content for entry in reversed(self.log) if isinstance(entry, Wrote) and entry.node is node)
        return next(found, b"")

    def _scan(self, folder: Path, fresh: Path | None, *, lasts: bool = True) -> None:
        lasts = lasts and folder != fresh
        parent = self._node(folder.stat())
        for path in sorted(folder.iterdir()):
            status = path.lstat()
            node = self._node(status, str(path.readlink()) if path.is_symlink() else "", status.st_mtime_ns)
            self.log.append(Named("there", parent, {path.name: node}))
            if node.kind is Kind.FILE:
                self.log += [Wrote(node, path.read_bytes()), *([Synced(node)] if lasts else [])]
            if node.kind is Kind.FOLDER:
                self._scan(path, fresh, lasts=lasts)
        if lasts:
            self.log.append(Synced(parent))


# What the store's modules use of `os` beside the operations above.
_CHANGE_NOTHING = frozenset({"path", "stat", "fstat", "listdir", "readlink", "read", "kill", "strerror"})
