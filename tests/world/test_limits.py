"""Whole runs against a CA that has had enough, of everything or of one certificate: what is asked, now and later."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from builders.fakemanners import Refusal
from builders.plans import CA, spec, zone
from certkeeper.acme.problem import Problem
from certkeeper.apply.berths import AT_ONCE
from certkeeper.apply.fulfil import RejectedAnswer
from certkeeper.apply.limits import NameFailedMeanwhile
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import LineageFailed, OrdersPostponed
from certkeeper.base.names import Alias
from certkeeper.base.wire import Request, Step
from certkeeper.config.rate import OrderRate
from certkeeper.config.settings import CertSpec
from certkeeper.plan.backoff import BackedOff, CaLimited
from certkeeper.plan.records import OrderBudget
from world.simulation import Simulation, errors, issued

SEEDS = range(5)
ORG = zone("example.org")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SPECS = [spec(f"n{at}.example.org") for at in range(5)]
ALIASES = {item.alias.text for item in SPECS}
TOO_MANY = "too many new orders (300) from this account in the last 3h0m0s"


def simulation(specs: Collection[CertSpec] = SPECS, seed: int = 0) -> Simulation:
    return Simulation(specs, [ORG], seed=seed)


def asked(world: Simulation) -> int:
    return sum(world.ca.requests.values())


def assert_nothing_is_asked(world: Simulation) -> dict[str, CertkeeperError]:
    before = asked(world)
    result = world.run()
    assert asked(world) == before
    assert issued(result) == set()
    return errors(result)


def later(world: Simulation, wait: timedelta) -> None:
    world.clock.advance(wait.total_seconds())


# --- the whole CA -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_limit_of_the_account_ends_ordering_until_its_time(seed: int) -> None:
    world = simulation(seed=seed)
    until = world.clock.now().replace(microsecond=0) + HOUR
    world.ca.manners.refuses_at["new-order"] = Refusal("rateLimited", TOO_MANY, until=until)
    result = world.run()
    assert set(errors(result)) == ALIASES
    assert result.wake_at == until
    assert world.journal.limits[CA].retry_at == until
    assert world.journal.backoffs == {}, "it is no failure of any lineage's"
    assert world.store.drafts == {}
    assert world.dns.done == []
    world.ca.manners.refuses_at.clear()
    # The next runs leave the CA alone, and say until when.
    for _ in range(2):
        found = assert_nothing_is_asked(world)
        assert {type(error) for error in found.values()} == {CaLimited}
        assert all(
            "not asked for certificates before" in str(error) and TOO_MANY in str(error) for error in found.values()
        )
        assert world.run().wake_at == until
    later(world, HOUR)
    assert issued(world.run()) == ALIASES
    assert world.journal.empty


def test_force_asks_all_the_same() -> None:
    world = simulation()
    world.ca.manners.refuses_at["new-order"] = Refusal("rateLimited", TOO_MANY, until=world.clock.now() + HOUR)
    world.run()
    world.ca.manners.refuses_at.clear()
    assert issued(world.run(forced=[SPECS[0].alias])) == {"n0.example.org"}
    # The CA has taken an order, so its limit is gone.
    assert world.journal.limits == {}


def test_who_is_not_under_way_yet_does_not_ask() -> None:
    world = simulation([spec(f"n{at}.example.org") for at in range(AT_ONCE + 40)])
    world.ca.manners.refuses_at["new-order"] = Refusal("rateLimited", TOO_MANY, until=world.clock.now() + HOUR)
    result = world.run()
    assert world.ca.requests["new-order"] <= AT_ONCE
    found = errors(result)
    assert len(found) == AT_ONCE + 40
    waiting = [error for error in found.values() if isinstance(error, CaLimited)]
    assert len(waiting) >= 40
    assert len({id(error) for error in waiting}) == 1, "one reason, which is told once"


@pytest.mark.parametrize("path", ["nonce", "new-order", "directory"])
def test_a_load_balancer_that_is_busy_is_left_alone(path: str) -> None:
    world = simulation()
    until = world.clock.now().replace(microsecond=0) + 2 * HOUR
    world.ca.manners.refuses_at[path] = Refusal("about:blank", "busy", 503, until)
    world.run()
    assert world.journal.limits[CA].retry_at == until
    assert_nothing_is_asked(world)


def test_a_limit_on_new_accounts_stops_the_run_and_those_after_it() -> None:
    world = simulation()
    until = world.clock.now() + HOUR
    world.ca.manners.busy_until = until
    result = world.run()
    assert isinstance(result.fatal, Problem)
    assert result.wake_at == until
    world.ca.manners.busy_until = None
    assert set(assert_nothing_is_asked(world)) == ALIASES


def test_without_a_retry_after_the_steps_count() -> None:
    world = simulation(SPECS[:1])
    world.ca.manners.refuses_at["new-order"] = Refusal("rateLimited", TOO_MANY)
    for wait in (MINUTE, 10 * MINUTE, 100 * MINUTE):
        result = world.run()
        left = world.journal.limits[CA].retry_at - world.clock.now()
        assert wait - timedelta(seconds=5) < left <= wait
        assert result.wake_at == world.journal.limits[CA].retry_at
        later(world, wait - 10 * timedelta(seconds=1))
        assert_nothing_is_asked(world)
        later(world, timedelta(seconds=10))


@pytest.mark.parametrize("seed", SEEDS)
def test_three_answers_that_do_not_say_whom_they_are_about_are_about_all(seed: int) -> None:
    world = simulation(seed=seed)
    world.ca.manners.refuses_at["new-order"] = Refusal("rateLimited", "slow down")
    world.run()
    assert len(world.journal.backoffs) == 2
    assert set(world.journal.limits) == {CA}
    one = simulation(SPECS[:2], seed)
    one.ca.manners.refuses_at["new-order"] = Refusal("rateLimited", "slow down")
    one.run()
    assert len(one.journal.backoffs) == 2
    assert one.journal.limits == {}


def test_orders_that_begin_together_do_not_ask_for_a_nonce_each() -> None:
    world = simulation([spec(f"n{at}.example.org") for at in range(40)])
    under_way: list[int] = []

    def look(step: Step) -> None:
        if isinstance(step, Request) and step.method == "HEAD":
            others = [item for *_, item in world.executor._open if isinstance(item, Request) and item.method == "HEAD"]
            under_way.append(len(others) + 1)

    world.executor.latency = look
    assert len(issued(world.run())) == 40
    assert max(under_way) == 2
    assert world.ca.requests["nonce"] < 40


# --- one certificate --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "detail",
    [
        "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s",
        'too many certificates (50) already issued for "example.org" in the last 168h0m0s',
        'too many failed authorizations (5) for "n2.example.org" in the last 1h0m0s',
        "slow down with n2.example.org",
    ],
)
def test_a_limit_of_one_certificate_stops_no_other(detail: str) -> None:
    world = simulation()
    until = world.clock.now().replace(microsecond=0) + 5 * HOUR
    world.ca.manners.refuses_orders_of["n2.example.org"] = Refusal("rateLimited", detail, until=until)
    result = world.run()
    assert issued(result) == ALIASES - {"n2.example.org"}
    assert world.journal.limits == {}
    assert world.journal.backoffs[Alias("n2.example.org")].retry_at == until
    assert {type(error) for error in assert_nothing_is_asked(world).values()} == {BackedOff}
    assert result.wake_at == until


@pytest.mark.parametrize("path", ["finalize", "authorization"])
def test_a_busy_answer_on_one_order_keeps_no_other_away(path: str) -> None:
    world = simulation(SPECS[:1])
    until = world.clock.now().replace(microsecond=0) + HOUR
    world.ca.manners.refuses_at[path] = Refusal("about:blank", "busy", 503, until)
    world.run()
    assert world.journal.limits == {}
    assert world.journal.backoffs[SPECS[0].alias].retry_at == until


def test_a_paused_name_asks_for_a_person_once_a_day() -> None:
    link = "https://ca.test/sfe/v1/unpause?jwt=aa.bb.cc"
    said = f"Your account is temporarily prevented from requesting certificates. Please visit: {link}"
    world = simulation()
    # Its Retry-After says nothing about when a person comes along.
    soon = world.clock.now() + MINUTE
    world.ca.manners.refuses_orders_of["n2.example.org"] = Refusal("rateLimited", said, until=soon)
    result = world.run()
    assert issued(result) == ALIASES - {"n2.example.org"}
    assert errors(result)["n2.example.org"].hint == f"open this link: {link}"
    assert world.journal.backoffs[Alias("n2.example.org")].link == link
    later(world, timedelta(hours=23))
    (error,) = assert_nothing_is_asked(world).values()
    assert str(error).startswith("for a person: the CA takes no order before somebody has opened its link")
    assert link in error.hint
    orders = world.ca.requests["new-order"]
    later(world, HOUR)
    world.run()
    assert world.ca.requests["new-order"] == orders + 1
    world.ca.manners.refuses_orders_of.clear()
    assert issued(world.run(forced=[Alias("n2.example.org")])) == {"n2.example.org"}


# --- names that fail --------------------------------------------------------------------------------------------------

BAD = "bad.example.org"


def failures(world: Simulation) -> int:
    """Of validations of the bad name."""
    return sum(
        1
        for order in world.ca.orders.values()
        for item in order.authorizations
        if item.value == BAD and item.status == "invalid"
    )


def test_a_name_that_failed_holds_back_others_that_have_it() -> None:
    first, second = spec("a.example.org", BAD), spec("b.example.org", f"*.{BAD}", alias="b")
    world = simulation([first])
    world.ca.manners.refuses = {BAD}
    world.run()
    assert failures(world) == 1
    assert world.journal.names[CA, BAD].failures == 1
    # Another certificate with that name, and one without it, are added to the page.
    world.configuration = replace(world.configuration, certificates=(first, second, spec("good.example.org")))
    orders = len(world.ca.orders)
    result = world.run()
    assert issued(result) == {"good.example.org"}
    assert len(world.ca.orders) == orders + 1
    assert f"{BAD} failed validation 1 time, next try from" in str(errors(result)["b"])
    assert result.wake_at == world.journal.names[CA, BAD].retry_at
    # When the time has come, one of them tries it.
    later(world, MINUTE)
    result = world.run()
    assert failures(world) == 2
    assert str(errors(result)["b"]) == f"{BAD} failed validation before: it is tried with a.example.org first"
    assert world.journal.names[CA, BAD].failures == 2
    # Mended: the one goes first, and then the other one.
    world.ca.manners.refuses = set()
    later(world, 10 * MINUTE)
    assert issued(world.run()) == {"a.example.org"}
    assert world.journal.names == {}
    assert issued(world.run()) == {"b"}
    assert world.journal.empty


def test_a_cron_loop_does_not_use_up_the_tries_of_an_hour() -> None:
    world = simulation([spec(f"{letter}.example.org", BAD) for letter in "abcd"])
    world.ca.manners.refuses = {BAD}
    world.run()
    # Those that were under way together could not know.
    begun = failures(world)
    for _ in range(60):
        later(world, MINUTE)
        world.run()
    assert failures(world) - begun <= 3


def test_what_was_changed_or_forced_is_tried_at_once() -> None:
    world = simulation([spec("a.example.org", BAD)])
    world.ca.manners.refuses = {BAD}
    world.run()
    world.configuration = replace(world.configuration, certificates=(spec("b.example.org", BAD),))
    assert_nothing_is_asked(world)
    world.ca.manners.refuses = set()
    settings = replace(world.configuration.settings, propagation=timedelta(seconds=61))
    changed = replace(world.configuration, settings=settings)
    before = world.configuration
    world.configuration = changed
    assert issued(world.run()) == {"b.example.org"}
    world.configuration = replace(before, certificates=(spec("c.example.org", BAD),))
    assert issued(world.run(forced=[Alias("c.example.org")])) == {"c.example.org"}


def test_a_name_that_fails_meanwhile_is_not_answered_for_again() -> None:
    # More than are under way at once: those that come later find the name failed.
    world = simulation([spec(f"n{at}.example.org", BAD) for at in range(AT_ONCE + 5)])
    world.ca.manners.refuses = {BAD}
    result = world.run()
    assert len(world.ca.orders) <= AT_ONCE + 4
    assert any(isinstance(error, NameFailedMeanwhile) for error in errors(result).values())


# --- our own rate -----------------------------------------------------------------------------------------------------


def test_orders_beyond_the_rate_wait_for_a_later_run_and_are_no_failure() -> None:
    world = simulation()
    settings = replace(world.configuration.settings, order_rate=OrderRate(3, HOUR))
    world.configuration = replace(world.configuration, settings=settings)
    began = world.clock.now()
    result = world.run()
    assert len(issued(result)) == 3
    assert not result.failed
    assert world.clock.seconds < 60, "nobody waits inside a run"
    (told,) = [event for event in world.events if isinstance(event, OrdersPostponed)]
    assert told.text.startswith("2 certificates postponed to ")
    assert "at most 3 orders in 60 min (ORDER_RATE): n3.example.org, n4.example.org" in told.text
    assert not [event for event in world.events if isinstance(event, LineageFailed)]
    assert result.wake_at == began + 20 * MINUTE
    assert_nothing_is_asked(world)
    later(world, 20 * MINUTE)
    assert len(issued(world.run())) == 1
    assert_nothing_is_asked(world)
    later(world, 20 * MINUTE)
    assert len(issued(world.run())) == 1
    world.assert_live(*(item.alias for item in SPECS))
    assert isinstance(world.journal.budgets[CA], OrderBudget)


def test_losing_the_budget_is_harmless() -> None:
    world = simulation()
    settings = replace(world.configuration.settings, order_rate=OrderRate(3, HOUR))
    world.configuration = replace(world.configuration, settings=settings)
    world.run()
    world.journal.budgets.clear()
    assert len(issued(world.run())) == 2


# --- what is no certificate -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivers", "why"),
    [
        (lambda chain: chain + chain, "is in the chain twice"),
        (lambda chain: chain[: len(chain) // 2], "incomplete PEM block"),
        (lambda _: b"<html>sorry</html>", "holds no PEM certificate"),
    ],
)
def test_an_answer_that_is_not_what_was_ordered_is_kept_and_never_goes_live(
    delivers: Callable[[bytes], bytes], why: str
) -> None:
    world = simulation(SPECS[:1])
    sent: list[bytes] = []

    def deliver(chain: bytes) -> bytes:
        sent.append(delivers(chain))
        return sent[-1]

    world.ca.manners.delivers = deliver
    result = world.run()
    (error,) = errors(result).values()
    assert isinstance(error, RejectedAnswer)
    assert why in str(error)
    assert f"; the answer is kept as /state/rejected/n0.example.org-{int(world.clock.now().timestamp())}.pem" in str(
        error
    )
    assert world.rejected.kept == [(SPECS[0].alias, sent[0])]
    assert len(world.ca.orders) == 1, "the order is not opened twice"
    assert world.store.live == {}
    assert world.store.drafts == {}
    assert world.journal.orders == {}
    assert world.journal.backoffs[SPECS[0].alias].failures == 1
