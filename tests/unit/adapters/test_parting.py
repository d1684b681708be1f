"""Root beside a child that is another user: whatever the child does, root ends, and shares no file with it."""

import io
import os
import pwd
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest

from certkeeper.adapters.keeper import Keeper, NoDelivery
from certkeeper.adapters.parting import Parted, Parting, Root
from certkeeper.adapters.relay import MOST_OCTETS, Relay
from certkeeper.config.reading import Became, Become

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


def child(work: Callable[[Root, int], int], shown: io.StringIO | None = None) -> Keeper:
    """`work` gets the pipe that root hears, too. What it prints on descriptor 1 goes to `shown`."""
    (heard, told), (answered, answering), (seen, showing) = os.pipe(), os.pipe(), os.pipe()
    if not (pid := os.fork()):
        for fd in (heard, answering, seen):
            os.close(fd)
        os.dup2(showing, 1)
        os.close(showing)
        try:
            os._exit(work(Root(told, answered), told))
        finally:
            os._exit(99)
    for fd in (told, answered, showing):
        os.close(fd)
    return Keeper("keeper", pid, heard, answering, Relay({seen: shown or io.StringIO()}), last_words=0.05)


def test_what_is_said_comes_whole_and_is_answered() -> None:
    said = bytes(range(256)) * 5000

    def work(root: Root, _: int) -> int:
        root.deliver(said)
        return 7 if root.answer(10**7) == said else 8

    with child(work) as keeper:
        assert keeper.hear(10**7) == said
        keeper.tell(said)
        assert keeper.end() == 7


def test_more_than_root_takes_is_refused_while_it_comes() -> None:
    def endless(_: Root, told: int) -> int:
        while True:
            os.write(told, b"x" * 65536)

    with child(endless) as keeper, pytest.raises(NoDelivery, match="more than 100000 octets"):
        keeper.hear(100_000)


def silent(_root: Root, _told: int) -> int:
    signal.pause()
    return 0


def test_who_says_nothing_is_waited_for_no_longer_than_that() -> None:
    with child(silent) as keeper, pytest.raises(NoDelivery, match=r"within 0\.05 s"):
        keeper.hear(100, seconds=0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(keeper.pid, 0)


def test_who_does_not_listen_is_not_told_for_ever() -> None:
    with child(silent) as keeper:
        keeper.tell(b"x" * (1 << 22), seconds=0.05)
        assert keeper.end(seconds=0.05) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_is_killed_has_failed(how: signal.Signals) -> None:
    def work(_root: Root, _told: int) -> int:
        # Another test in this process may have left a handler.
        if how is not signal.SIGKILL:
            signal.signal(how, signal.SIG_DFL)
        os.kill(os.getpid(), how)
        return 0

    with child(work) as keeper:
        assert keeper.hear(100) == b""
        assert keeper.end() == 1


def test_no_exit_code_of_the_child_s_is_taken_for_done() -> None:
    with child(lambda _root, _told: 255) as keeper:
        assert (keeper.hear(100), keeper.end()) == (b"", 1)


def test_a_child_that_root_leaves_finds_out_and_gives_back_what_it_holds() -> None:
    reading, writing = os.pipe()

    def work(root: Root, _: int) -> int:
        root.deliver(b"said")
        os.write(writing, b"left" if not root.answer(100) else b"answered")
        return 0

    with child(work) as keeper:
        assert keeper.hear(100) == b"said"
    assert os.read(reading, 100) == b"left"
    os.close(reading)
    os.close(writing)


def printing(text: bytes) -> str:
    """What root shows of it."""
    shown = io.StringIO()

    def work(_root: Root, _told: int) -> int:
        left = text
        while left:
            left = left[os.write(1, left) :]
        return 0

    with child(work, shown) as keeper:
        assert keeper.hear(100) == b""
        assert keeper.end() == 0
    return shown.getvalue()


def test_what_it_prints_is_text_and_no_command_to_a_terminal() -> None:
    assert printing("plain\n  hint: für\n".encode()) == "plain\n  hint: für\n"
    assert printing(b"without an end") == "without an end\n"
    for text in (b"\x1b]0;title\x07 \x1b[2J", "\x9b2J \u202e".encode(), b"\xff\r\x00\n"):
        assert all(char.isprintable() or char == "\n" for char in printing(text))


def test_what_it_prints_has_an_end() -> None:
    shown = printing(b"x" * 70 * 1000 + b"\n" * (MOST_OCTETS + 100_000))
    assert len(shown) < MOST_OCTETS + 100
    assert shown.endswith("(more was printed, and is not shown)\n")
    assert shown.count("more was printed") == 1


def test_who_prints_for_ever_and_says_nothing_is_not_waited_for() -> None:
    def endless(_root: Root, _told: int) -> int:
        while True:
            os.write(1, b"x" * 65536)

    begun = time.monotonic()
    with child(endless) as keeper, pytest.raises(NoDelivery, match=r"within 0\.1 s"):
        keeper.hear(100, seconds=0.1)
    assert time.monotonic() - begun < 5


def test_what_it_leaves_running_is_not_waited_for() -> None:
    """It has the pipes open still."""

    def work(_root: Root, _told: int) -> int:
        if not os.fork():
            signal.alarm(20)
            signal.pause()
        return 0

    begun = time.monotonic()
    with child(work) as keeper, pytest.raises(NoDelivery):
        keeper.hear(100, seconds=0.1)
    assert time.monotonic() - begun < 5


@root
def test_the_child_has_nothing_of_root_s(tmp_path: Path) -> None:
    """Two pipes, two to print to, and nothing to read from; no terminal, and none of root's groups."""
    with (tmp_path / "secret").open("w+") as secret:
        os.set_inheritable(secret.fileno(), True)
        here = Parting(needed=tuple)
        with typed_at():
            keeper = parted(here)
            if keeper is None:
                _tell(here.root)
    user = pwd.getpwnam("nobody")
    groups = list(dict.fromkeys(os.getgrouplist("nobody", user.pw_gid)))
    with keeper:
        said = keeper.hear(10_000).decode()
    kinds = [*zip(range(3), ["device", "pipe", "pipe"], strict=True), "pipe", "pipe"]
    assert said == repr((kinds, True, (user.pw_uid,) * 3, (user.pw_gid,) * 3, groups))


@contextmanager
def typed_at() -> Iterator[None]:
    """Somebody's input is there to be read."""
    before, (reading, writing) = os.dup(0), os.pipe()
    os.dup2(reading, 0)
    try:
        yield
    finally:
        os.dup2(before, 0)
        for fd in (before, reading, writing):
            os.close(fd)


def _tell(to: Root | None) -> NoReturn:
    """In the child: what is open there, and who it is."""
    kinds: list[object] = []
    for fd in range(1024):
        with suppress(OSError):
            mode = os.fstat(fd).st_mode
            kind = "pipe" if stat.S_ISFIFO(mode) else "device" if stat.S_ISCHR(mode) else "another"
            kinds.append((fd, kind) if fd < 3 else kind)
    leads = os.getsid(0) == os.getpid()
    if to is not None:
        to.deliver(repr((kinds, leads, os.getresuid(), os.getresgid(), os.getgroups())).encode())
    os._exit(0)


def parted(here: Parting) -> Keeper | None:
    """None in the child."""
    try:
        answer = here.become(Become("nobody", ""))
    except Parted as us:
        return us.keeper
    # It ends here, and never gets to pytest.
    if not isinstance(answer, Became):
        os._exit(98)
    return None
