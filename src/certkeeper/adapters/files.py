"""Files that are old or new at any moment, never half of either, and private from their first byte.

Everything that is written goes through a Folder: a folder held open, whose names are single components. A name that
somebody exchanges for a link cannot lead a write out of it. A file is written under a temporary name, fsynced, renamed;
the renames last once the folder is fsynced (`sync`). Temporary names carry the writer's process id, so that what a
killed run left behind is recognised and swept.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.adapters.errnohints import hint_on
from certkeeper.adapters.ownership import Ownership
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.patterns import pattern

T = TypeVar("T")
FILE_MODE = 0o600
FOLDER_MODE = 0o700
MAX_FILE = 1 << 20  # far above any certificate; what is larger is no file of this program's

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# A FIFO in a file's place must not hold the run up.
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_TEMPORARY = pattern(r"\.(.+)\.([0-9]{1,7})\.certkeeper-tmp")
_NO_HARD_LINKS = {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS}

FileId: TypeAlias = tuple[int, int]
"""Device and inode: the same for all hard links of one file."""


class FileTrouble(CertkeeperError):
    """The file system refused something, or a file is not what it has to be."""

    label = "file-trouble"
    fault = Fault.OPERATOR
    local = True


class FileMissing(FileTrouble):
    """There is nothing of that name, or a link to nothing."""


@contextlib.contextmanager
def explained(path: str, purpose: str) -> Iterator[None]:
    """Turn the system's errors into ours; `purpose` completes "cannot …".

    Raises:
        FileMissing: ENOENT.
        OutOfDescriptors: EMFILE, ENFILE.
        FileTrouble: any other.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise FileMissing(f"{path}: cannot {purpose}: no such file or folder") from error
    except OSError as error:
        if (starved := out_of_descriptors(f"{path}: cannot {purpose}", error)) is not None:
            raise starved from error
        reason = (error.strerror or str(error)).lower()
        raise FileTrouble(f"{path}: cannot {purpose}: {reason}", hint=hint_on(error.errno, path)) from error


def read_file(path: str) -> bytes:
    """A regular file's content, links followed.

    Raises:
        FileMissing: there is none.
        FileTrouble: it cannot be read, is no regular file, or is larger than 1 MiB.
    """
    return _read(path, path, None)


def temporary_name(name: str) -> str:
    return f".{name}.{os.getpid()}.certkeeper-tmp"


class Folder:
    """A folder held open; its methods take single names and raise FileTrouble or FileMissing."""

    __slots__ = ("_fd", "path")

    def __init__(self, fd: int, path: str) -> None:
        self._fd = fd
        self.path = path

    @classmethod
    def open(cls, path: str) -> Self:
        """A folder, links followed: where the operator put it is the operator's choice."""
        with explained(path, "open the folder"):
            return cls(os.open(path, _FOLDER), path)

    @classmethod
    def make(cls, path: str) -> Self:
        """The same, made (0700) with its parents where it is missing."""
        try:
            return cls.open(path)
        except FileMissing:
            parent, name = os.path.split(path.rstrip("/"))
            if not name or os.path.islink(path):  # noqa: PTH114 - the house works on names and descriptors
                raise
        with cls.make(parent or ".") as folder:
            folder.make_child(name).close()
        return cls.open(path)

    @classmethod
    def make_lasting(cls, path: str) -> Self:
        """The same, and its name lasts: a run that made it may have been killed before it came to that."""
        if os.path.isdir(path):  # noqa: PTH112 - text
            with contextlib.ExitStack() as stack:
                try:
                    above = stack.enter_context(cls.open(os.path.dirname(path.rstrip("/")) or "."))  # noqa: PTH120
                except FileTrouble:
                    # What cannot be opened is no folder that a run of ours made something in.
                    return cls.open(path)
                above.sync()
        return cls.make(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._fd)

    def path_of(self, name: str) -> str:
        return f"{self.path}/{name}"

    def own_status(self) -> os.stat_result:
        with explained(self.path, "look at"):
            return os.fstat(self._fd)

    def names(self) -> list[str]:
        with explained(self.path, "list"):
            return sorted(os.listdir(self._fd))  # noqa: PTH208 - of a descriptor

    def status(self, name: str) -> os.stat_result | None:
        """Of the name itself, links not followed; None where there is none."""
        with explained(self.path_of(name), "look at"):
            try:
                return os.stat(name, dir_fd=self._fd, follow_symlinks=False)
            except FileNotFoundError:
                return None

    def leads_to_file(self, name: str) -> bool:
        """A regular file is behind the name, links followed."""
        try:
            return stat.S_ISREG(os.stat(name, dir_fd=self._fd).st_mode)
        except OSError:
            return False

    def behind(self, name: str) -> FileId | None:
        """Which regular file is behind the name, links followed; None where there is none."""
        try:
            status = os.stat(name, dir_fd=self._fd)
        except OSError:
            return None
        return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None

    def modified(self, name: str) -> int:
        """The content's mtime (epoch seconds), links followed."""
        with explained(self.path_of(name), "look at"):
            return int(os.stat(name, dir_fd=self._fd).st_mtime)

    def is_folder(self, name: str) -> bool:
        status = self.status(name)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def is_file(self, name: str) -> bool:
        status = self.status(name)
        return status is not None and stat.S_ISREG(status.st_mode)

    def target(self, name: str) -> str | None:
        """What a link says; None for what is no link."""
        with explained(self.path_of(name), "read the link"):
            try:
                return os.readlink(name, dir_fd=self._fd)
            except OSError as error:
                if error.errno in {errno.EINVAL, errno.ENOENT}:
                    return None
                raise

    def read(self, name: str, largest: int = MAX_FILE) -> bytes:
        """As `read_file`."""
        return _read(self.path_of(name), name, self._fd, largest)

    def read_here(self, name: str) -> bytes:
        """The same, not through a link."""
        return _read(self.path_of(name), name, self._fd, flags=_READ | os.O_NOFOLLOW)

    def child(self, name: str) -> "Folder":
        """A real folder inside this one, no link to one."""
        path = self.path_of(name)
        with explained(path, "open the folder"):
            return Folder(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._fd), path)

    def make_child(self, name: str) -> "Folder":
        """The same, made (0700) where it is missing."""
        with contextlib.suppress(FileMissing):
            return self.child(name)
        # Lineages start side by side, and the first ones all find their common folder missing.
        with explained(self.path_of(name), "make the folder"):
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, FOLDER_MODE, dir_fd=self._fd)
            os.fsync(self._fd)
        return self.child(name)

    def make_lasting_child(self, name: str) -> "Folder":
        """The same, and its name lasts, as in `make_lasting`."""
        if self.is_folder(name):
            self.sync()
        return self.make_child(name)

    def put(self, name: str, content: bytes, owned: Ownership | None = None) -> None:
        """A file with that content, 0600 or as it is `owned`, replacing what had the name. Lasts after `sync`."""
        temporary = temporary_name(name)
        with explained(self.path_of(name), "write"), self._removed_on_failure(temporary):
            fd = self._anew(temporary, lambda: os.open(temporary, _CREATE, FILE_MODE, dir_fd=self._fd))
            try:
                write_all(fd, content)
                if owned is not None:
                    owned.give(fd, name)
                os.fsync(fd)
            finally:
                os.close(fd)
            os.rename(temporary, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def set_mode(self, name: str, mode: int) -> None:
        """A regular file's permissions, whatever the umask says; not through a link."""
        with self._held(name, "set the permissions") as fd:
            os.fchmod(fd, mode)

    def give(self, name: str, owned: Ownership, as_name: str) -> bool:
        """Let a file be what `as_name` has to be, not through a link; whether anything was to be done."""
        with self._held(name, "set owner and permissions") as fd:
            return owned.give(fd, as_name)

    def let_in(self, owned: Ownership) -> bool:
        """Let the group through this folder; whether anything was to be done."""
        with explained(self.path, "set group and permissions"):
            return owned.let_in(self._fd)

    def point(self, name: str, target: str) -> None:
        """A symbolic link, replacing what had the name in one step. Lasts after `sync`."""
        temporary = temporary_name(name)
        with explained(self.path_of(name), "set the link"), self._removed_on_failure(temporary):
            self._anew(temporary, lambda: os.symlink(target, temporary, dir_fd=self._fd))
            os.rename(temporary, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def take(self, source: "Folder", source_name: str, name: str) -> None:
        """The source's file under a new name here: a hard link, or a copy where there are none. Lasts after `sync`.

        Raises:
            FileTrouble: the name is there with another content.
        """
        path = self.path_of(name)
        if self.status(name) is not None:
            if not self.is_file(name) or self.read(name) != source.read(source_name):
                raise FileTrouble(f"{path}: cannot take the name: there is another file", hint=f"move it away: {path}")
            return
        # Another program may have written the content and never have asked for it to last.
        source._flush(source_name)  # noqa: SLF001
        try:
            with explained(path, "link"):
                os.link(source_name, name, src_dir_fd=source._fd, dst_dir_fd=self._fd, follow_symlinks=False)  # noqa: SLF001
        except FileTrouble as error:
            if not _without_hard_links(error):
                raise
            self.put(name, source.read(source_name))

    def links_work(self, name: str) -> bool:
        """Whether a file here can have a second name; tried on this one."""
        temporary = temporary_name(name)
        try:
            with explained(self.path_of(temporary), "link"):
                os.link(name, temporary, src_dir_fd=self._fd, dst_dir_fd=self._fd, follow_symlinks=False)
        except FileTrouble as error:
            if not _without_hard_links(error):
                raise
            return False
        self.remove(temporary)
        return True

    def rename(self, old: str, new: str) -> None:
        """Lasts after `sync`."""
        with explained(self.path_of(new), "rename to"):
            os.rename(old, new, src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def remove(self, name: str) -> None:
        with explained(self.path_of(name), "remove"), contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._fd)

    def remove_child(self, name: str, contents: Iterable[str]) -> None:
        """A folder of ours and the files that we put there.

        Raises:
            FileTrouble: there is more in it.
        """
        with self.child(name) as child:
            child.sweep()
            for inner in contents:
                child.remove(inner)
        with explained(self.path_of(name), "remove the folder"):
            os.rmdir(name, dir_fd=self._fd)

    def sweep(self, of: str | None = None) -> None:
        """Remove temporary files of writers that are gone: of one name, or, where no other thread writes here, all."""
        for name in self.names():
            match = _TEMPORARY.fullmatch(name)
            if match and of in {None, match[1]} and (int(match[2]) == os.getpid() or not _alive(int(match[2]))):
                self.remove(name)

    def sync(self) -> None:
        """Make what was done to names in this folder last."""
        with explained(self.path, "write"):
            os.fsync(self._fd)

    def _anew(self, temporary: str, make: Callable[[], T]) -> T:
        """Make it, also where a killed run with our process id left the name: in a container every run has the same."""
        try:
            return make()
        except FileExistsError:
            os.unlink(temporary, dir_fd=self._fd)
            return make()

    def _flush(self, name: str) -> None:
        with self._held(name, "write") as fd:
            os.fsync(fd)

    @contextlib.contextmanager
    def _held(self, name: str, purpose: str) -> Iterator[int]:
        with explained(self.path_of(name), purpose):
            fd = os.open(name, _READ | os.O_NOFOLLOW, dir_fd=self._fd)
            try:
                yield fd
            finally:
                os.close(fd)

    @contextlib.contextmanager
    def _removed_on_failure(self, temporary: str) -> Iterator[None]:
        try:
            yield
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=self._fd)
            raise


def _without_hard_links(error: FileTrouble) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_HARD_LINKS


def write_all(fd: int, content: bytes) -> None:
    """Write everything: one call may write less (and fails only at the next)."""
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def _read(path: str, name: str, folder: int | None, largest: int = MAX_FILE, flags: int = _READ) -> bytes:
    with explained(path, "read"):
        fd = os.open(name, flags, dir_fd=folder)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise FileTrouble(f"{path}: not a regular file", hint=f"move it away: ls -ld {path}")
            if status.st_size > largest:
                raise FileTrouble(f"{path}: larger than {largest >> 20} MiB")
            return _read_all(fd, status.st_size)
        finally:
            os.close(fd)


def _read_all(fd: int, size: int) -> bytes:
    """The content; no more than there was when it was looked at, should somebody be writing."""
    content = b""
    while chunk := os.read(fd, size - len(content)):
        content += chunk
    return content


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
