"""Root beside a child that is another user: whatever the child does, root comes to an end."""

import os
import signal
from collections.abc import Callable

import pytest

from certkeeper.adapters.parting import Keeper, NoDelivery, Root


def child(work: Callable[[Root, int], int]) -> Keeper:
    """`work` gets the pipe that root hears, too."""
    (heard, told), (answered, answering) = os.pipe(), os.pipe()
    if not (pid := os.fork()):
        os.close(heard)
        os.close(answering)
        try:
            os._exit(work(Root(told, answered), told))
        finally:
            os._exit(99)
    os.close(told)
    os.close(answered)
    return Keeper("keeper", pid, heard, answering, last_words=0.05)


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
