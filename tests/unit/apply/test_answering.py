"""Challenges answered one after the other, and proofs that are given back; a CA of a few lines."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from builders.ca import ORIGIN, Played, Reply, open_session, play, signed
from builders.certificates import NOW
from builders.fakes import FakeClock, Idle
from builders.plans import configuration, observed, settings, spec
from certkeeper.acme.challenge import Challenge
from certkeeper.acme.order import Order, OrderFailed, OrderStatus, OrderTimeout
from certkeeper.apply.anew import without_proofs
from certkeeper.apply.answering import Pending, answer_in_turn, for_scripts
from certkeeper.apply.attempt import Attempt, Issuance
from certkeeper.apply.challenges import Waves
from certkeeper.apply.limits import Limits
from certkeeper.apply.manner import USUAL, Answers, Manner, Proofs
from certkeeper.apply.propagate import Terms
from certkeeper.apply.scheduler import Scheduler
from certkeeper.apply.served import Served
from certkeeper.base.events import Event
from certkeeper.base.names import Identifier
from certkeeper.base.traces import ChallengeAnswered, ChallengeMet
from certkeeper.base.wire import Exchange
from certkeeper.config.methods import ChallengeType
from certkeeper.config.rate import OrderRate
from certkeeper.plan.planner import plan

NAMES = ("a.example.org", "b.example.org", "c.example.org")
ANEW = Manner(Answers.IN_TURN, Proofs.GIVEN_BACK)


def attempted(*, manner: Manner = USUAL, told: list[Event] | None = None) -> Attempt:
    wanted, page, events = replace(spec(*NAMES), validation_timeout=timedelta(seconds=60)), settings(), told or []
    item = plan(configuration(wanted), observed(specs=[wanted])).lineages[0]
    scheduler = Scheduler(Idle(), FakeClock())
    waves = Waves(scheduler, events.append, Terms(timedelta(seconds=1)))
    served, limits = Served(scheduler, events.append), Limits(page.ca, None, None, OrderRate())
    tell = told.append if told is not None else events.append
    return Attempt(item, Issuance(open_session(), waves, served, tell, page, limits, manner))


def challenge(number: int, status: str, **more: object) -> Reply:
    url = f"{ORIGIN}/challenge/{number}"
    return Reply(200, {"type": "dns-01", "url": url, "status": status, "token": "token", **more})


def answered(replies: Iterable[Reply], told: list[Event]) -> Played[None]:
    attempt = attempted(told=told)
    pending = [
        Pending(
            identifier, ChallengeType.DNS_01, Challenge("dns-01", f"{ORIGIN}/challenge/{number}", "pending", "token")
        )
        for number, identifier in enumerate(attempt.item.spec.identifiers, 1)
    ]
    return play(answer_in_turn(attempt, pending), replies)


@pytest.mark.row("G19")
def test_the_first_that_fails_ends_it() -> None:
    told: list[Event] = []
    error = {"type": "urn:ietf:params:acme:error:unauthorized", "detail": "no such record"}
    played = answered(
        [
            challenge(1, "pending"),
            challenge(1, "processing"),
            challenge(1, "valid"),
            challenge(2, "pending"),
            challenge(2, "invalid", error=error),
        ],
        told,
    )
    assert isinstance(played.error, OrderFailed)
    assert str(played.error) == "b.example.org: unauthorized: no such record"
    assert [str(name) for name in played.error.identifiers] == ["b.example.org"]
    assert played.urls == ["/challenge/1"] * 3 + ["/challenge/2"] * 2
    ((name, words),) = for_scripts(played.error, Answers.IN_TURN).items()
    assert (str(name), json.loads(words)) == ("b.example.org", error)
    assert told == [
        ChallengeAnswered("a.example.org", "a.example.org"),
        ChallengeMet("a.example.org", "a.example.org"),
        ChallengeAnswered("a.example.org", "b.example.org"),
    ]


def test_scripts_are_told_of_all_that_failed_or_of_the_first_in_json() -> None:
    said = {Identifier.parse(name): f"{name}: no" for name in NAMES}
    error = OrderFailed("no", said=said)
    assert for_scripts(error, Answers.AT_ONCE) == said
    first = Identifier.parse(NAMES[0])
    assert for_scripts(error, Answers.IN_TURN) == {first: '{"detail": "a.example.org: no"}'}


def test_the_ca_decides_the_pace_and_the_bound_holds() -> None:
    slow = Reply(200, {"type": "dns-01", "url": f"{ORIGIN}/challenge/1", "status": "pending"}, {"retry-after": "25"})
    played = answered([slow] * 20, [])
    assert isinstance(played.error, OrderTimeout)
    assert sum(played.pauses) == pytest.approx(60)
    assert 25 in played.pauses


def test_a_challenge_that_is_neither_open_nor_valid_has_failed() -> None:
    played = answered([challenge(1, "deactivated")], [])
    assert str(played.error) == "a.example.org: the CA finds the challenge deactivated, and does not say why"


def order(number: int) -> Order:
    authorizations = (f"{ORIGIN}/authz/{number}",)
    return Order(f"{ORIGIN}/order/{number}", OrderStatus.READY, authorizations, f"{ORIGIN}/finalize/1", NOW)


def authorization(status: str) -> Reply:
    return Reply(200, {"identifier": {"type": "dns", "value": NAMES[0]}, "status": status, "challenges": []})


def cleared(attempt: Attempt, replies: Iterable[Reply]) -> Played[Order]:
    numbers = iter(range(2, 9))

    def again() -> Exchange[Order]:
        yield from ()
        return order(next(numbers))

    return play(without_proofs(attempt, order(1), again), replies)


def test_a_proof_is_given_back_and_another_order_opened() -> None:
    attempt = attempted(manner=ANEW)
    played = cleared(attempt, [authorization("valid"), authorization("deactivated"), authorization("pending")])
    assert played.value == order(2)
    assert played.urls == ["/authz/1", "/authz/1", "/authz/2"]
    assert signed(played.posts[1]).payload == b'{"status":"deactivated"}'
    assert [str(name) for name in attempt.given_back] == [NAMES[0]]


def test_a_ca_that_goes_on_taking_names_as_proven_is_not_asked_for_ever() -> None:
    played = cleared(attempted(manner=ANEW), [authorization("valid")] * 20)
    assert isinstance(played.error, OrderFailed)
    assert "after 3 orders" in str(played.error)
    assert played.error.hint
    assert len(played.requests) == 6


def test_proofs_count_where_nobody_says_otherwise() -> None:
    assert cleared(attempted(), []).value == order(1)
