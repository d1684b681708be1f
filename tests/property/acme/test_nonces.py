"""Nonces under interleaving: requests of one session run side by side, and a CA takes each nonce once, or loses it."""

import heapq
from collections.abc import Callable, Generator
from itertools import count as count_up
from itertools import cycle
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from builders.ca import DIRECTORY, ORIGIN, Reply, new_session, problem, signed
from builders.certificates import NOW
from certkeeper.acme.session import Session
from certkeeper.base.wire import Request, Response, Sleep, Step, TransportError

Choose = Callable[[int], int]


class OnceOnly:
    """A CA that hands out nonces, takes each once, and forgets some (`forgets` says which, in turn)."""

    def __init__(self, forgets: list[bool]) -> None:
        self._forgets = cycle(forgets)
        self._valid: set[str] = set()
        self._issued = 0
        self.seen: list[str] = []
        self.refused = 0
        self.asked_for_nonces = 0

    def answer(self, request: Request) -> Response:
        reply = Reply(200, DIRECTORY, nonce=False) if request.url.endswith("/directory") else Reply(200, b"ok")
        if request.method == "HEAD":
            self.asked_for_nonces += 1
        if request.method == "POST":
            nonce = signed(request).nonce
            self.seen.append(nonce)
            if nonce not in self._valid:
                self.refused += 1
                reply = problem("badNonce")
            self._valid.discard(nonce)
        return reply.at(NOW, self._new_nonce())

    def _new_nonce(self) -> str:
        self._issued += 1
        nonce = f"n{self._issued}"
        if not next(self._forgets):
            self._valid.add(nonce)
        return nonce


def side_by_side(session: Session, count: int, ca: OnceOnly, choose: Choose) -> list[object]:
    """Run that many reads; `choose` says whose answer comes next, and who pauses waits for an answer to somebody."""
    results: list[object] = []
    running: list[tuple[Generator[Step, object, object], Step]] = []
    for number in range(count):
        exchange = cast("Generator[Step, object, object]", session.read(f"{ORIGIN}/authz/{number}"))
        running.append((exchange, next(exchange)))
    for _ in range(10_000):
        if not running:
            return results
        asking = [index for index, (_, step) in enumerate(running) if isinstance(step, Request)]
        turn = choose(len(asking) + 1)
        # One turn in so many is for whoever has paused the longest.
        exchange, step = running.pop(asking[turn] if turn < len(asking) else 0)
        assert isinstance(step, Request | Sleep)
        result = ca.answer(step) if isinstance(step, Request) else None
        try:
            running.append((exchange, exchange.send(result)))
        except StopIteration as stop:
            results.append(stop.value)
    raise AssertionError("no end after 10 000 steps")


@given(
    st.integers(1, 6),
    st.lists(st.integers(0, 2**16), min_size=1, max_size=40),
    # One in two at most, since a CA that forgets nearly everything is given up, and that is tested elsewhere.
    st.lists(st.booleans(), min_size=1, max_size=3).map(lambda forgets: [*forgets, *[False] * len(forgets)]),
)
def test_no_nonce_is_sent_twice_and_every_request_gets_through(
    count: int, choices: list[int], forgets: list[bool]
) -> None:
    turns = cycle(choices)
    session, ca = new_session(), OnceOnly(forgets)
    for round_ in (1, 2):
        results = side_by_side(session, count, ca, lambda waiting: next(turns) % waiting)
        assert [cast("Response", result).body for result in results] == [b"ok"] * count
        assert len(ca.seen) == len(set(ca.seen)) == round_ * count + ca.refused


@given(st.integers(1, 12), st.lists(st.integers(0, 2**16), min_size=1, max_size=40))
def test_a_ca_that_forgets_nothing_is_asked_for_one_nonce_per_request_under_way(count: int, choices: list[int]) -> None:
    turns = cycle(choices)
    session, ca = new_session(), OnceOnly([False])
    side_by_side(session, count, ca, lambda waiting: next(turns) % waiting)
    assert (ca.refused, len(ca.seen)) == (0, count)
    assert ca.asked_for_nonces <= count
    # What came back is used up before another one is asked for.
    side_by_side(session, count, ca, lambda waiting: next(turns) % waiting)
    assert ca.refused == 0
    assert ca.asked_for_nonces <= count


def test_a_ca_that_falls_silent_is_given_up_once_and_not_by_each_name() -> None:
    clock, asked, errors = 0.0, 0, []
    turns: list[tuple[float, int, Generator[Step, object, object], object]] = []
    session, tickets = new_session(), count_up()

    def advance(exchange: Generator[Step, object, object], value: object) -> None:
        nonlocal asked
        try:
            step = exchange.throw(value) if isinstance(value, Exception) else exchange.send(value)
        except StopIteration:
            return
        except TransportError as error:
            errors.append(error)
            return
        result: object = None
        seconds = step.seconds if isinstance(step, Sleep) else 0.05
        if isinstance(step, Request):
            asked += 1
            # The directory and eight nonces, and then nothing more.
            answers, silent = Reply(200, DIRECTORY if step.url.endswith("/directory") else b""), asked > 9
            result = TransportError("timed out") if silent else answers.at(NOW, f"n{asked}")
            seconds = 30.0 if silent else 0.05
        heapq.heappush(turns, (clock + seconds, next(tickets), exchange, result))

    for number in range(1000):
        advance(cast("Generator[Step, object, object]", session.read(f"{ORIGIN}/authz/{number}")), None)
    while turns:
        clock, _, exchange, value = heapq.heappop(turns)
        advance(exchange, value)
    assert len(errors) + asked >= 1000
    assert asked < 60
    assert all(error.hint for error in errors if "not asked any more" in str(error))
    assert clock < 600
