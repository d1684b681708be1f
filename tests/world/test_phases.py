"""Two phases in whole runs: what is held is staged and not served, and a person's decision survives every kill."""

from datetime import timedelta

import pytest

from builders.plans import spec
from certkeeper.apply.result import Result
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.plan.actions import HeldTooLong
from certkeeper.plan.records import Held
from world.phases import DUE, Phased

SEEDS = range(3)
DAY = timedelta(days=1).total_seconds()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_due_is_staged_once_and_nobody_is_told(seed: int) -> None:
    life = Phased(seed)
    staged = life.stage()
    assert (life.live, life.told, life.synced) == (life.first, [life.first], 1)
    orders = len(life.world.ca.orders)
    for _ in range(3):
        life.world.clock.advance(DAY)
        assert not life.run().failed
    assert (life.live, life.waiting, len(life.world.ca.orders)) == (life.first, [staged], orders)
    assert life.world.journal.empty
    assert not life.activate().failed
    assert (life.live, life.held, life.told, life.synced) == (staged, None, [life.first, staged], 2)
    life.assert_rolling()
    life.assert_settled()


def test_a_staged_version_that_becomes_due_is_replaced_and_the_new_one_names_it_to_the_ca() -> None:
    life = Phased(key=KeySpec(KeyAlgorithm.P256))
    staged = life.stage()
    life.world.clock.advance(DUE.total_seconds())
    result = life.run()
    # What is live has expired meanwhile, and that is no secret.
    assert result.failed
    newest, *_ = life.waiting
    assert newest > staged
    assert life.live == life.first
    # The live one was replaced by the staged one already: a CA would refuse to have it replaced once more.
    assert len(set(life.world.ca.replaced)) == len(life.world.ca.replaced)
    assert not life.activate().failed
    assert life.live == newest


def test_a_held_certificate_that_soon_ends_fails_every_run_until_somebody_acts() -> None:
    life = Phased()
    life.stage()
    life.world.clock.advance(16 * DAY)
    for _ in range(2):
        (outcome,) = life.run().outcomes
        assert isinstance(outcome.error, HeldTooLong)
        assert "certkeeper activate example.org" in outcome.error.hint
    assert not life.activate().failed
    life.assert_settled()


def test_what_a_service_did_not_take_waits_for_its_time_and_is_not_ordered_again() -> None:
    life = Phased()
    second = life.renew()
    now = life.world.clock.now()
    life.world.store.activate(life.alias, life.first)
    life.world.journal.write([Held(life.alias, second, now + timedelta(hours=1), "nginx did not take it")], ())
    orders = len(life.world.ca.orders)
    result = life.run()
    assert (life.live, result.failed, result.wake_at) == (life.first, False, now + timedelta(hours=1))
    life.world.clock.advance(3600)
    result = life.run()
    assert [outcome.activated is not None for outcome in result.outcomes] == [True]
    assert (life.live, life.held, len(life.world.ca.orders)) == (second, None, orders)
    life.assert_settled()


def test_a_run_by_force_stages_where_a_person_holds_and_overtakes_what_a_service_did_not_take() -> None:
    life = Phased()
    life.hold()
    life.world.clock.advance(3600)
    assert not life.run(forced=True).failed
    assert (life.live, len(life.waiting)) == (life.first, 1)
    other = Phased()
    second = other.renew()
    other.world.store.activate(other.alias, other.first)
    later = other.world.clock.now() + timedelta(hours=5)
    other.world.journal.write([Held(other.alias, second, later, "nginx did not take it")], ())
    other.world.clock.advance(3600)
    assert not other.run(forced=True).failed
    assert (other.live > second, other.held) == (True, None)


def test_names_that_are_new_on_the_page_are_ordered_although_another_version_waits() -> None:
    life = Phased(key=KeySpec(KeyAlgorithm.P256))
    staged = life.stage()
    more = spec("example.org", "www.example.org", key=KeySpec(KeyAlgorithm.P256))
    life.world.configuration = type(life.world.configuration)(life.world.configuration.settings, (more,))
    assert not life.run().failed
    assert len(life.waiting) == 2
    assert not life.run().outcomes
    assert life.waiting[1] == staged
    assert life.live == life.first


@pytest.mark.parametrize("policy", [KeyPolicy.ROLLOVER, KeyPolicy.NEW, KeyPolicy.REUSE])
def test_a_kill_at_any_effect_of_staging_leaves_what_is_live_and_the_next_run_stages(policy: KeyPolicy) -> None:
    moment, kills = 0, 0
    while True:
        life = Phased(key=KeySpec(KeyAlgorithm.P256, policy=policy))
        life.hold()
        life.world.clock.advance(DUE.total_seconds())
        orders = len(life.world.ca.orders)
        if not life.killed(life.run, moment, seed=0):
            break
        assert life.live == life.first
        assert not life.run().failed, moment
        assert (life.live, len(life.waiting), life.told) == (life.first, 1, [life.first]), moment
        assert len(life.world.ca.orders) - orders <= 2
        life.assert_settled()
        moment, kills = moment + 1, kills + 1
    assert kills > 30


def check_finished(life: Phased, result: Result, expected: int) -> None:
    assert not result.failed
    assert life.live == expected
    assert expected in life.told
    assert life.world.journal.debts == {}
    life.assert_rolling()
    life.assert_settled()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_kill_at_any_effect_of_activating_is_finished_by_the_next_run(seed: int) -> None:
    moment = 0
    while True:
        life = Phased(seed)
        staged = life.stage()
        orders = len(life.world.ca.orders)
        if not life.killed(life.activate, moment, seed):
            break
        assert life.live in {life.first, staged}
        check_finished(life, life.run(), staged)
        assert life.held is None
        assert len(life.world.ca.orders) == orders
        moment += 1
    assert moment > 12


@pytest.mark.parametrize("seed", SEEDS)
def test_a_kill_at_any_effect_of_going_back_is_finished_by_the_next_run_and_not_undone(seed: int) -> None:
    moment = 0
    while True:
        life = Phased(seed)
        second = life.renew()
        life.world.hooks.called.clear()
        orders = len(life.world.ca.orders)
        if not life.killed(life.roll_back, moment, seed):
            break
        assert life.live in {life.first, second}
        check_finished(life, life.run(), life.first)
        assert life.held is not None
        assert (life.held.until, life.waiting, life.synced) == (None, [second], 0)
        assert len(life.world.ca.orders) == orders
        # Forward again.
        check_finished(life, life.activate(), second)
        moment += 1
    assert moment > 10


def test_a_hook_that_fails_stops_neither_switch_and_is_called_again() -> None:
    life = Phased()
    staged = life.stage()
    life.world.hooks.failing = 1
    assert life.activate().failed
    assert (life.live, life.held) == (staged, None)
    assert not life.run().failed
    assert life.told == [life.first, staged]
    life.assert_settled()
