"""One round of questions: how many, how many at once, for how long, and what silence costs."""

import json
from collections.abc import Callable
from datetime import timedelta

from builders.certificates import NOW
from builders.fakes import FakeClock, SeededExecutor
from builders.plans import CA
from certkeeper.apply.inquire import AT_ONCE, SECONDS, Inquiry
from certkeeper.base.errors import OutOfDescriptors
from certkeeper.base.names import Alias
from certkeeper.base.wire import Request, Response, Step, TransportError
from certkeeper.plan.advice import Advice

BASE = "https://ca.test/ari"
DIRECTORY = {name: f"https://ca.test/{name}" for name in ("newNonce", "newAccount", "newOrder")}
MINUTE = timedelta(minutes=1)
Answer = Callable[[Request], Response]


def reply(document: object, status: int = 200) -> Response:
    return Response(status, NOW, (), json.dumps(document).encode())


def directory(**members: object) -> Response:
    return reply({**DIRECTORY, "renewalInfo": BASE, **members})


def window(_: Request) -> Response:
    span = {"start": (NOW + timedelta(days=5)).isoformat(), "end": (NOW + timedelta(days=6)).isoformat()}
    return reply({"suggestedWindow": span})


class Ca:
    """Answers the directory with `home`, everything else with `answer`; every answer takes `latency` seconds."""

    def __init__(self, answer: Answer = window, home: Answer = lambda _: directory(), latency: float = 0.1) -> None:
        self.clock = FakeClock()
        self.requests: list[Request] = []
        self.answer = answer
        self.home = home
        self.executor = SeededExecutor(self._perform, self.clock, latency=lambda _: latency)

    def _perform(self, step: Step) -> Response:
        assert isinstance(step, Request)
        self.requests.append(step)
        return self.home(step) if step.url == CA else self.answer(step)

    def ask(self, number: int) -> dict[str, Advice]:
        asked = {Alias(f"n{at}"): Advice(CA, f"aa.{at}", NOW) for at in range(number)}
        inquiry = Inquiry(asked, CA, executor=self.executor, clock=self.clock, user_agent="certkeeper/test")
        return {str(alias): advice for alias, advice in inquiry.run().items()}


def refuse(request: Request) -> Response:
    raise TransportError(f"{request.url}: cannot connect")


def test_one_unsigned_get_for_the_directory_and_one_per_certificate() -> None:
    ca = Ca()
    found = ca.ask(3)
    assert [(item.method, item.url) for item in ca.requests[:1]] == [("GET", CA)]
    assert sorted((item.method, item.url) for item in ca.requests[1:]) == [
        ("GET", f"{BASE}/aa.{at}") for at in range(3)
    ]
    assert {(item.headers, item.body) for item in ca.requests} == {((("user-agent", "certkeeper/test"),), b"")}
    assert [advice.suggestion is not None for advice in found.values()] == [True] * 3
    # An answer that came is not waited for any longer.
    assert ca.clock.seconds < 1


def test_some_go_side_by_side() -> None:
    ca = Ca(latency=0.1)
    ca.ask(5 * AT_ONCE)
    assert len(ca.requests) == 1 + 5 * AT_ONCE
    assert ca.clock.seconds < 0.75


def test_a_ca_without_ari_is_asked_for_its_directory_only() -> None:
    ca = Ca(home=lambda _: directory(renewalInfo=None))
    found = ca.ask(2)
    assert len(ca.requests) == 1
    assert {(advice.ask_at - NOW, advice.suggestion) for advice in found.values()} == {
        (timedelta(hours=6, seconds=0.1), None)
    }


def test_a_silent_ca_is_asked_once_and_nobody_else_is_asked() -> None:
    for home in (refuse, lambda _: reply({}, 503), lambda _: reply([])):
        ca = Ca(home=home)
        assert {advice.failures for advice in ca.ask(20).values()} == {1}
        assert len(ca.requests) == 1


def test_after_one_question_without_answer_no_other_begins() -> None:
    for answer in (refuse, lambda _: reply({}, 429), lambda _: reply({}, 500)):
        ca = Ca(answer)
        found = ca.ask(100)
        assert len(found) == 100
        assert {advice.failures for advice in found.values()} == {1}
        assert len(ca.requests) <= 1 + AT_ONCE


def test_a_machine_without_descriptors_asks_nobody_else() -> None:
    def starved(request: Request) -> Response:
        raise OutOfDescriptors(request.url)

    ca = Ca(starved)
    assert len(ca.ask(100)) == 100
    assert len(ca.requests) <= 1 + AT_ONCE


def test_a_certificate_that_the_ca_does_not_know_stops_no_other() -> None:
    ca = Ca(lambda request: reply({}, 404) if request.url.endswith("aa.0") else window(request))
    found = ca.ask(10)
    assert [name for name, advice in found.items() if advice.suggestion is None] == ["n0"]
    assert {advice.failures for advice in found.values()} == {0}


def test_time_runs_out_for_a_ca_that_is_slow() -> None:
    ca = Ca(latency=4.0)
    found = ca.ask(100)
    assert ca.clock.seconds == SECONDS
    # Those that were not asked are asked by the next run.
    assert len(found) == AT_ONCE
    assert len(ca.requests) == 1 + AT_ONCE


def test_a_ca_that_never_answers_holds_nobody_up() -> None:
    ca = Ca(latency=10_000.0)
    assert ca.ask(3) == {}
    assert ca.clock.seconds == SECONDS
