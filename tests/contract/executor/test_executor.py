"""What the scheduler relies on, whoever carries out the steps: threads, or the seeded order of the simulated worlds."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest

from builders.dnsworld import DnsWorld
from builders.fakeca import HOME, FakeCa
from builders.fakeports import fake_ports
from builders.fakes import (
    FakeClock,
    SeededExecutor,
    through,
)
from builders.plans import CA, P256
from certkeeper.adapters.pool import WIDTH, Pool
from certkeeper.apply.effects import AskResolver, AskServer, ChangeZone, Effect, MakeKey, NotifyZone, Turn
from certkeeper.apply.ports import Completion, Executor, Ports
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyPair
from certkeeper.base.wire import Request, Response, Sleep, TransportError

DEADLINE = 20.0


def ports() -> Ports:
    clock = FakeClock()
    world = DnsWorld(clock, (), {})
    return fake_ports(clock, world, FakeCa(clock, world.look))


def pool() -> Executor:
    return Pool(ports())


def seeded() -> Executor:
    return SeededExecutor(through(ports()), FakeClock())


both = pytest.mark.parametrize("make", [pool, seeded])
Make = Callable[[], Executor]


@dataclass(frozen=True, slots=True)
class Echo(Effect[str]):
    """Ends with its text, or with its error."""

    text: str
    error: Exception | None = None

    def perform(self, ports: Ports) -> str:
        assert ports.clock.monotonic() == 0.0
        if self.error is not None:
            raise self.error
        return self.text


@dataclass(frozen=True, slots=True)
class Until(Effect[None]):
    """Ends when the event is set; says when it has begun."""

    event: threading.Event
    begun: threading.Semaphore

    def perform(self, ports: Ports) -> None:
        del ports
        self.begun.release()
        assert self.event.wait(DEADLINE)


def workers() -> int:
    """Threads of all pools; they are daemons and never end."""
    return len([thread for thread in threading.enumerate() if thread.name.startswith("effect-")])


def collect(executor: Executor, number: int) -> dict[int, Completion]:
    """That many completions, by ticket; each comes once."""
    found: dict[int, Completion] = {}
    for _ in range(number):
        completion = executor.next(DEADLINE)
        assert completion is not None, f"only {len(found)} of {number} steps ended"
        assert completion.ticket not in found
        found[completion.ticket] = completion
    return found


@both
def test_each_step_ends_exactly_once_with_its_own_ticket(make: Make) -> None:
    executor = make()
    for ticket in range(200):
        executor.submit(ticket, Echo(f"step {ticket}"))
    ended = collect(executor, 200)
    assert {ticket: completion.value for ticket, completion in ended.items()} == {
        ticket: f"step {ticket}" for ticket in range(200)
    }
    assert all(completion.error is None for completion in ended.values())
    assert executor.next(0.01) is None


@both
def test_steps_may_be_submitted_while_others_are_under_way(make: Make) -> None:
    executor = make()
    executor.submit(0, Echo("first"))
    for ticket in range(1, 100):
        executor.submit(ticket, Echo("more"))
        assert executor.next(DEADLINE) is not None
    assert len(collect(executor, 1)) == 1
    assert executor.next(0.01) is None


@both
def test_an_error_comes_back_as_an_error_and_stops_nobody(make: Make) -> None:
    executor = make()
    error = TransportError("connection reset")
    executor.submit(7, Echo("", error))
    executor.submit(8, Echo("fine"))
    ended = collect(executor, 2)
    assert ended[7].error is error
    assert ended[8] == Completion(8, "fine")


@both
def test_nothing_under_way_is_none_after_the_timeout(make: Make) -> None:
    assert make().next(0.01) is None


@both
def test_requests_go_to_the_ca_and_effects_through_their_port(make: Make) -> None:
    executor = make()
    executor.submit(1, Request("GET", CA))
    executor.submit(2, Request("HEAD", f"{HOME}/nonce"))
    executor.submit(3, MakeKey(P256))
    ended = collect(executor, 3)
    directory, nonce, key = (ended[ticket].value for ticket in (1, 2, 3))
    assert isinstance(directory, Response)
    assert b"newOrder" in directory.body
    assert isinstance(nonce, Response)
    assert nonce.header("Replay-Nonce")
    assert isinstance(key, KeyPair)
    assert key.description == "prime256v1"


def test_an_unexpected_exception_in_a_thread_becomes_an_error_that_names_the_step() -> None:
    executor = Pool(ports())
    cause = ZeroDivisionError("division by zero")
    executor.submit(1, Echo("", cause))
    error = collect(executor, 1)[1].error
    assert isinstance(error, CertkeeperError)
    assert str(error).startswith("internal error in Echo: ZeroDivisionError: division by zero (perform, line ")
    assert error.__cause__ is cause
    assert "report" in error.hint


def test_a_thread_that_met_a_fault_works_on() -> None:
    executor = Pool(ports(), width=1)
    executor.submit(1, Echo("", ValueError("oops")))
    executor.submit(2, Echo("fine"))
    assert collect(executor, 2)[2].value == "fine"


# The thread must not die of it: the scheduler would wait for ever.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_step_that_is_no_effect_comes_back_as_an_error_too() -> None:
    executor = Pool(ports())
    executor.submit(1, Sleep(1.0))
    completion = executor.next(1.0)
    assert completion is not None
    assert isinstance(completion.error, CertkeeperError)


def test_the_pool_carries_out_as_many_steps_at_once_as_it_is_wide_and_no_more() -> None:
    executor = Pool(ports())
    event, begun = threading.Event(), threading.Semaphore(0)
    for ticket in range(WIDTH + 4):
        executor.submit(ticket, Until(event, begun))
    for _ in range(WIDTH):
        assert begun.acquire(timeout=DEADLINE)
    assert not begun.acquire(timeout=0.05)
    assert executor.next(0) is None
    event.set()
    assert len(collect(executor, WIDTH + 4)) == WIDTH + 4


class First(Echo):
    turn: ClassVar[Turn] = Turn.FIRST


class Look(Echo):
    turn: ClassVar[Turn] = Turn.LOOK


class LookUntil(Until):
    turn: ClassVar[Turn] = Turn.LOOK


def test_steps_go_in_the_order_of_their_turns_and_within_one_they_keep_theirs() -> None:
    executor = Pool(ports(), width=1)
    event, begun = threading.Event(), threading.Semaphore(0)
    executor.submit(0, Until(event, begun))
    assert begun.acquire(timeout=DEADLINE)
    executor.submit(1, Echo("first"))
    executor.submit(2, Echo("second"))
    executor.submit(3, Look("look"))
    executor.submit(4, First("before all"))
    executor.submit(5, Look("another"))
    event.set()
    ended = [executor.next(DEADLINE) for _ in range(6)]
    assert [completion.ticket for completion in ended if completion is not None] == [0, 4, 3, 5, 1, 2]


def test_silent_servers_do_not_take_all_threads() -> None:
    executor = Pool(ports(), width=4, looks=2)
    event, begun = threading.Event(), threading.Semaphore(0)
    for ticket in range(6):
        executor.submit(ticket, LookUntil(event, begun))
    executor.submit(6, Echo("goes on"))
    completion = executor.next(DEADLINE)
    assert completion is not None
    assert completion.ticket == 6
    for _ in range(2):
        assert begun.acquire(timeout=DEADLINE)
    assert not begun.acquire(timeout=0.05)
    event.set()
    assert set(collect(executor, 6)) == set(range(6))


def test_notify_goes_first_and_a_look_waits_for_no_other_zone() -> None:
    assert NotifyZone.turn < AskServer.turn == AskResolver.turn < ChangeZone.turn


def test_threads_start_only_where_there_is_work() -> None:
    before = workers()
    executor = Pool(ports())
    assert workers() == before
    for ticket in range(10):
        executor.submit(ticket, Echo("one at a time"))
        collect(executor, 1)
    assert workers() == before + 1


def test_the_seed_decides_the_order_and_the_same_seed_gives_the_same_one() -> None:
    def order(seed: int) -> list[int]:
        executor = SeededExecutor(through(ports()), FakeClock(), seed)
        for ticket in range(20):
            executor.submit(ticket, Echo(""))
        return list(collect(executor, 20))

    assert order(1) == order(1)
    assert order(1) != order(2)
