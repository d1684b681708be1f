"""The real world of the daemon's loop: processes, signals, files and clocks."""

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from certkeeper.base.nextdue import due_heard
from certkeeper.daemon.loop import Asked, Child
from certkeeper.daemon.notify import OURS
from certkeeper.daemon.wakes import Moment

_ASKED = {
    signal.SIGTERM: Asked.STOP,
    signal.SIGINT: Asked.STOP,
    signal.SIGHUP: Asked.RELOAD,
    signal.SIGUSR1: Asked.RUN,
}
_HANDLED = (*_ASKED, signal.SIGCHLD)
_PIECE = 1 << 16
_READING = 60.0
"""Seconds that the page has to be read."""
_COULD_NOT_START = 127


class Process:
    """Implements Child: a command whose standard output is passed on, and heard."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], out: Callable[[bytes], object]) -> None:
        self._out = out
        self._line = b""
        self.due: float | None = None
        self._code: int | None = None
        self.pipe, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._pid = _spawn(command, environment, theirs)
        except OSError as error:
            out(f"certkeeper: error: {command[0]}: cannot start: {(error.strerror or str(error)).lower()}\n".encode())
            self._pid, self._code = 0, _COULD_NOT_START
        finally:
            os.close(theirs)

    def hear(self) -> None:
        """Pass on what it has printed so far."""
        while piece := self._piece():
            self._out(piece)
            *lines, self._line = (self._line + piece).split(b"\n")
            self._line = self._line[-_PIECE:]
            for line in lines:
                heard = due_heard(line.decode(errors="replace"))
                self.due = heard.timestamp() if heard is not None else self.due

    def _piece(self) -> bytes:
        try:
            return os.read(self.pipe, _PIECE) if self.pipe >= 0 else b""
        except BlockingIOError:
            return b""

    def ended(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self._code = code if code >= 0 else 128 - code
        if self._code is not None and self.pipe >= 0:
            # What a hook left running holds the pipe, and has nothing more to say that matters.
            self.hear()
            os.close(self.pipe)
            self.pipe = -1
        return self._code

    def stop(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self._code is None:
            os.kill(self._pid, number)


def _spawn(command: Sequence[str], environment: Mapping[str, str], out: int) -> int:
    """A process in a group of its own: Ctrl-C is for us, who end it in order."""
    return os.posix_spawn(
        command[0],
        list(command),
        environment,
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, out, 1)],
        setpgroup=0,
        setsigmask=(),
        setsigdef=_HANDLED,
    )


class RealWorld:
    """Implements World. `run` are the words of a run, `page` those of the program that names the page's files."""

    def __init__(self, run: Sequence[str], page: Sequence[str]) -> None:
        self._run = run
        self._page = page
        self._environment = {name: value for name, value in os.environ.items() if name not in OURS}
        self._files: list[str] = []
        self._lists: list[tuple[str, str]] = []
        self._woken, waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        for number in _HANDLED:
            signal.signal(number, _nothing)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def now(self) -> Moment:
        # The time that a machine sleeps passes, too.
        return Moment(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))

    def wait(self, seconds: float, child: Child | None) -> Collection[Asked]:
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        process = child if isinstance(child, Process) else None
        if process is not None and process.pipe >= 0:
            poll.register(process.pipe, select.POLLIN)
        ready = dict(poll.poll(seconds * 1000))
        if process is not None and process.pipe in ready:
            if ready[process.pipe] & select.POLLIN:
                process.hear()
            elif process.ended() is None:
                # It has closed its output and goes on: there is nothing to wait for but its end.
                select.poll().poll(100)
        return [_ASKED[signal.Signals(number)] for number in self._signals() if number in _ASKED]

    def _signals(self) -> bytes:
        try:
            return os.read(self._woken, _PIECE)
        except BlockingIOError:
            return b""

    def start(self) -> Child:
        return Process(self._run, self._environment, _passed_on)

    def read_page(self) -> None:
        """What cannot be read is told by the next run; what is known of the files stays."""
        printed: list[bytes] = []
        reader = Process(self._page, self._environment, printed.append)
        until = self.now().steady + _READING
        while reader.ended() is None:
            if self.now().steady > until:
                reader.kill()
            poll = select.poll()
            poll.register(reader.pipe, select.POLLIN)
            poll.poll(1000)
            reader.hear()
        named = b"".join(printed).decode(errors="surrogateescape").split("\0")[:-1]
        files = [text[1:] for text in named if text[0] == "F"]
        if files:
            self._files = files
            self._lists = [_folder_of(text[1:]) for text in named if text[0] == "L"]

    def seen(self) -> object:
        facts: dict[str, object] = {path: _facts(path) for path in self._files}
        for folder, suffix in self._lists:
            facts[f"{folder}/*{suffix}"] = _names(folder, suffix)
        return facts

    def changed(self, before: object) -> str:
        now = self.seen()
        if isinstance(before, dict) and isinstance(now, dict):
            return next((str(name) for name in now if now[name] != before.get(name)), "the page")
        return "the page"

    def say(self, text: str) -> None:
        _passed_on(f"certkeeper: {text}\n".encode(errors="surrogateescape"))


def _nothing(_number: int, _frame: object) -> None:
    """The signal's number comes through the pipe."""


def _passed_on(octets: bytes) -> None:
    """Where our own output goes; that it went away ends no daemon."""
    try:
        sys.stdout.flush()
        while octets:
            octets = octets[os.write(1, octets) :]
    except (OSError, ValueError):
        pass


def _folder_of(text: str) -> tuple[str, str]:
    suffix, _, folder = text.partition("/")
    return f"/{folder}", suffix


def _facts(path: str) -> tuple[int, ...] | None:
    """What is another where its content is; None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - text
    except OSError:
        return None
    return status.st_ino, status.st_ctime_ns, status.st_size


def _names(folder: str, suffix: str) -> tuple[str, ...] | None:
    try:
        return tuple(sorted(name for name in os.listdir(folder) if name.endswith(suffix)))  # noqa: PTH208 - text
    except OSError:
        return None
