"""Reads the operator's page: gives config.load the files that it asks for."""

import errno
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import TypeVar, cast

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.adapters.looked import Looked
from certkeeper.adapters.writers import Writer, Writers, running_as, user_id
from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange, Step
from certkeeper.config.domains import DomainList
from certkeeper.config.evaluating import Evaluate, Evaluated, Evaluator
from certkeeper.config.load import load
from certkeeper.config.reading import (
    Became,
    Become,
    Exposure,
    Exposures,
    FailureKind,
    Glob,
    Holds,
    NotBecome,
    Read,
    ReadFailure,
    ReadSecret,
    SecretText,
    Settle,
)
from certkeeper.config.settings import Configuration, Secret
from certkeeper.config.shell import Assignment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.config.check import Checked

_T = TypeVar("_T")
_MAX_FILE = 16 * 1024 * 1024
"""Octets. A list of 100,000 certificates is a tenth of that; a sparse file may be larger than any memory."""
# A named pipe in a file's place must not hold the run up: it is opened at once, and then seen to be none.
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_NULL = os.makedev(1, 3)
_HINTS = {
    errno.ELOOP: "symbolic links lead in a circle: namei {}",
    errno.ENXIO: "a socket or a device is in the place of a file: ls -l {}",
    errno.ENAMETOOLONG: "write a shorter path",
    errno.EIO: "the disk reports errors: dmesg",
}


def read_page(
    config: str | None,
    cwd: str,
    environment: Mapping[str, str],
    asked: DomainList | None = None,
    typed: tuple[Assignment, ...] = (),
    fallback: str | None = None,
    evaluator: Evaluator = Evaluator.PARSER,
    becoming: Callable[[Become], Became | NotBecome] | None = None,
    looked: Looked | None = None,
) -> Configuration:
    """Read a whole page from this machine's files; the rest is as for `load`. `becoming` is another way to become
    DEHYDRATED_USER than for good. `looked` is told what is asked for.

    Raises:
        ConfigError: with file and line.
        OutOfDescriptors: not even that can be read.
    """
    exchange = load(
        config,
        cwd=cwd,
        environment=environment,
        asked=asked,
        typed=typed,
        fallback=fallback,
        evaluator=evaluator,
    )
    return answered(exchange, Files(becoming, looked))


def check_page(config: str | None, cwd: str, environment: Mapping[str, str], evaluator: Evaluator) -> "Checked":
    """Read a page for what is wrong with it.

    Raises:
        OutOfDescriptors: not even that can be read.
    """
    from certkeeper.config.check import examine  # noqa: PLC0415 - two commands need it

    return answered(
        examine(lambda typed: load(config, cwd=cwd, environment=environment, typed=typed, evaluator=evaluator))
    )


def answered(exchange: Exchange[_T], files: "Files | None" = None) -> _T:
    """What comes of reading, once this machine's files have been looked at. Raises as `read_page` does."""
    files = files or Files()
    try:
        step = next(exchange)
        while True:
            step = exchange.send(files.perform(step))
    except StopIteration as stop:
        return cast("_T", stop.value)


class Files:
    """Reads files, and remembers who else can change them."""

    def __init__(
        self, becoming: Callable[[Become], Became | NotBecome] | None = None, looked: Looked | None = None
    ) -> None:
        self._becoming = becoming or _become
        self._looked = looked or Looked()
        self._writers = Writers()
        self._began_as = running_as()
        self._user = ""
        self._seen: list[tuple[str, Holds, Writer]] = []
        self._settled = False

    def perform(self, step: Step) -> object:
        answer = self._answer(step)
        if isinstance(step, Become) and isinstance(answer, Became):
            self._user = step.user
        if self._user and isinstance(answer, ReadFailure) and answer.kind is FailureKind.UNREADABLE and not answer.hint:
            fix = f"DEHYDRATED_USER is {self._user}, who has to get there: namei -l {answer.path}"
            return replace(answer, hint=fix)
        return answer

    def _answer(self, step: Step) -> object:
        match step:
            case Read(path, holds):
                self._looked.at_file(path)
                return self._read(path, holds)
            case ReadSecret(path):
                self._looked.at_file(path)
                return self._secret(path)
            case Glob(directory, suffix):
                self._looked.at_list(directory, suffix)
                return _glob(directory, suffix)
            case Exposures(trusted, programs):
                return self._exposures(user_id(trusted), programs)
            case Become():
                return self._becoming(step)
            case Settle(user, group):
                return self._settle(user, group)
            case Evaluate(path) if (guilty := self._unsettled(path)) is not None:
                # Whom the file itself trusts is not known before it has run.
                trouble = f"{guilty.who} can change it, and so would have bash run commands as root"
                return Evaluated(None, trouble=trouble, hint=guilty.fix)
            case Evaluate():
                # What bash looks at, nobody knows.
                self._looked.beyond = True
                from certkeeper.adapters.bash import evaluate  # noqa: PLC0415 - few pages need it

                return evaluate(step)
            case _:
                raise TypeError(step)

    def _read(self, path: str, holds: Holds) -> str | ReadFailure:
        found = _content(path)
        if isinstance(found, ReadFailure):
            return found
        content, status = found
        return self._refused(path, holds, status) or _decoded(path, content)

    def _secret(self, path: str) -> SecretText | ReadFailure:
        found = _content(path)
        if isinstance(found, ReadFailure):
            return found
        content, status = found
        text = self._refused(path, Holds.KEY, status) or _decoded(path, content)
        return text if isinstance(text, ReadFailure) else SecretText(Secret(text), bool(status.st_mode & stat.S_IROTH))

    def _refused(self, path: str, holds: Holds, status: os.stat_result) -> ReadFailure | None:
        """Why that file does not count; who else can change it is remembered."""
        if not stat.S_ISREG(status.st_mode):
            return None
        writers = self._writers.of(path, status)
        everybody = next((writer for writer in writers if writer.everybody), None)
        others = next((writer for writer in writers if writer.root_refuses()), None) if self._settled else None
        strict = writers[0] if writers and holds is Holds.TARGETS else None
        guilty = everybody or strict or others
        if guilty is not None and holds is not Holds.NAMES:
            return _open_to_others(path, guilty, holds, self._began_as)
        # A key that stands in the page itself is in a file that decides more.
        if holds is not Holds.KEY or path not in {seen for seen, _, _ in self._seen}:
            self._seen += [(path, holds, writer) for writer in ([everybody] if everybody else writers)]
        return None

    def _settle(self, user: str, group: str) -> ReadFailure | None:
        from certkeeper.adapters.trust import outside, trusted  # noqa: PLC0415 - only where somebody can change it

        self._settled = True
        for path, holds, writer in self._seen:
            if writer.root_refuses() and not trusted(writer, user, group):
                found = _open_to_others(path, writer, holds, self._began_as)
                way = f"; or take DEHYDRATED_GROUP out: {user} is not in {group}" if outside(user, group) else ""
                return replace(found, hint=f"{found.hint}{way}")
        return None

    def _unsettled(self, path: str) -> Writer | None:
        """Who can change a file that root has read before it knew whom the page trusts."""
        if self._settled:
            return None
        return next((writer for seen, _, writer in self._seen if seen == path and writer.root_refuses()), None)

    def _exposures(self, trusted: int | None, programs: Sequence[str]) -> tuple[Exposure, ...]:
        from certkeeper.adapters.scripts import program_files  # noqa: PLC0415 - few questions name any

        run = [
            (path, Holds.PROGRAM, writer)
            for program in programs
            for path in program_files(program)
            for writer in self._writers.of_path(path)
        ]
        return tuple(
            Exposure(path, holds, writer.who, writer.place, writer.fix, running_as(), writer.everybody)
            for path, holds, writer in dict.fromkeys((*self._seen, *run))
            if writer.uid is None or writer.uid != trusted
        )


def _become(step: Become) -> Became | NotBecome:
    from certkeeper.adapters.users import become, parts  # noqa: PLC0415 - few pages need it

    return become(step, parts())


def _open_to_others(path: str, writer: Writer, holds: Holds, began_as: str) -> ReadFailure:
    through = "" if writer.place == path else f", through {writer.place}"
    who = "everybody on this machine" if writer.everybody else writer.who
    comes = {
        Holds.KEY: "decide which key is shown to its server",
        Holds.TARGETS: f"decide which files are written and what is run as {began_as}",
    }.get(holds, f"have programs run as {running_as()}")
    return ReadFailure(path, FailureKind.EXPOSED, f"{who} can change it{through}, and so {comes}", writer.fix)


def _content(path: str) -> tuple[bytes, os.stat_result] | ReadFailure:
    """What a regular file holds, links followed; /dev/null is an empty one."""
    try:
        # Before it is opened: opening alone sets a watchdog off, or rewinds a tape.
        if (odd := _no_file(path, os.stat(path))) is not None:  # noqa: PTH116
            return odd
        descriptor = os.open(path, _READ)
        with FileIO(descriptor) as file:
            status = os.fstat(descriptor)
            if (odd := _no_file(path, status)) is not None:
                return odd
            content = b""
            # One call may bring less than there is.
            while len(content) <= _MAX_FILE and (more := file.read(_MAX_FILE + 1 - len(content))):
                content += more
    except (OSError, ValueError) as error:
        return _failure(path, error)
    if len(content) > _MAX_FILE:
        return ReadFailure(path, FailureKind.UNREADABLE, f"larger than {_MAX_FILE} octets", "is it the right file?")
    return content, status


def _decoded(path: str, content: bytes) -> str | ReadFailure:
    try:
        return content.decode()
    except UnicodeDecodeError:
        for number, line in enumerate(content.split(b"\n"), start=1):
            if not (line.lstrip().startswith(b"#") or _is_utf8(line)):
                return ReadFailure(path, FailureKind.NOT_UTF8, f"line {number} is not UTF-8")
        # Comments are in whatever their author's editor wrote.
        return content.decode(errors="replace")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _no_file(path: str, status: os.stat_result) -> ReadFailure | None:
    """What stands in the place of a regular file; None where it is one, or /dev/null, which is an empty one."""
    mode = status.st_mode
    if stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and status.st_rdev == _NULL):
        return None
    if stat.S_ISDIR(mode):
        return ReadFailure(path, FailureKind.DIRECTORY, "is a directory")
    kind = "named pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
    return ReadFailure(path, FailureKind.UNREADABLE, f"a {kind}, and not a file", "write the text into a file")


def _glob(directory: str, suffix: str) -> tuple[str, ...] | ReadFailure:
    try:
        entries = [entry for entry in Path(directory).iterdir() if entry.name.endswith(suffix)]
    except (OSError, ValueError) as error:
        return _failure(directory, error)
    return tuple(sorted(f"{directory}/{entry.name}" for entry in entries if not entry.name.startswith(".")))


def _failure(path: str, error: OSError | ValueError) -> ReadFailure:
    if not isinstance(error, OSError):
        return ReadFailure(path, FailureKind.UNREADABLE, "not a path", "write a path without NUL characters")
    # ENOTDIR: a parent is a plain file, so nothing of that name is there either.
    kinds = {
        errno.ENOENT: FailureKind.MISSING,
        errno.ENOTDIR: FailureKind.MISSING,
        errno.EISDIR: FailureKind.DIRECTORY,
    }
    if (starved := out_of_descriptors(f"{path}: cannot read", error)) is not None:
        raise starved from error
    reason = (error.strerror or "unreadable").lower()
    hint = _HINTS.get(error.errno or 0, "").format(path)
    return ReadFailure(path, kinds.get(error.errno or 0, FailureKind.UNREADABLE), reason, hint)
