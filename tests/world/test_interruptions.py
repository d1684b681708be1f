"""Whole runs that are told to stop at any moment: nothing new starts, and what was published is withdrawn."""

import pytest

from builders.dnsworld import NEVER, SECONDARY, NameServer
from builders.plans import spec, zone
from certkeeper.apply.effects import ChangeZone
from certkeeper.apply.result import Result
from certkeeper.base.errors import ExitCode, Interrupted
from certkeeper.base.wire import Request, Step
from world.simulation import Simulation, errors, issued

SPECS = [spec(f"n{at}.example.org", f"n{at}.example.net") for at in range(3)]
ALIASES = {item.alias.text for item in SPECS}
FOREIGN = {"_acme-challenge.n0.example.org": {"foreign"}}
STOP = Interrupted(ExitCode.TERMINATED)


def simulation(seed: int) -> Simulation:
    world = Simulation(SPECS, [zone("example.org"), zone("example.net")], seed=seed)
    for owner, values in FOREIGN.items():
        world.dns.put(owner, values)
    return world


def stopped_after(steps: int, world: Simulation) -> Result:
    """A run that is told to stop when its step of that number (from 0) is started."""
    left = iter(range(steps))

    def stop(_: Step) -> None:
        if next(left, None) is None:
            world.reconciler.interrupt(STOP)

    world.executor.latency = stop
    return world.run()


@pytest.mark.parametrize("steps", range(0, 70, 3))
def test_a_run_that_is_stopped_leaves_nothing_in_dns(steps: int) -> None:
    world = simulation(steps)
    started = world.clock.seconds
    result = stopped_after(steps, world)
    assert result.fatal is STOP
    assert result.leftovers == ()
    assert world.dns.txt() == FOREIGN
    assert world.clock.seconds - started < 60
    found = errors(result)
    assert set(found) | issued(result) == ALIASES
    assert all(error is STOP for error in found.values())
    assert {alias.text for alias in world.store.live} == issued(result)


@pytest.mark.parametrize("steps", range(0, 70, 3))
def test_the_next_run_finishes_what_was_stopped(steps: int) -> None:
    world = simulation(steps)
    before = issued(stopped_after(steps, world))
    world.executor.latency = lambda _: None
    assert issued(world.run()) == ALIASES - before
    assert {alias.text for alias in world.store.live} == ALIASES
    assert world.store.drafts == {}
    assert world.dns.txt() == FOREIGN


@pytest.mark.parametrize("steps", range(0, 70, 7))
def test_a_stopped_lineage_keeps_only_what_the_next_run_goes_on_with(steps: int) -> None:
    world = simulation(steps)
    stopped_after(steps, world)
    assert set(world.store.drafts) == set(world.journal.orders)
    opened = len(world.ca.orders)
    world.executor.latency = lambda _: None
    world.run()
    assert len(world.ca.orders) == max(opened, len(SPECS))


@pytest.mark.parametrize("steps", range(56, 74))
def test_a_version_that_is_complete_goes_live_all_the_same(steps: int) -> None:
    world = simulation(steps)
    stopped_after(steps, world)
    assert world.store.staged == {}


def test_a_run_that_waits_for_a_slow_server_stops_at_once() -> None:
    world = simulation(1)
    world.dns.servers[SECONDARY] = NameServer(lag=NEVER)
    stopped: list[float] = []

    def stop(_: Step) -> None:
        if not stopped and world.dns.done and world.clock.seconds > 5:
            stopped.append(world.clock.seconds)
            world.reconciler.interrupt(STOP)

    world.executor.latency = stop
    result = world.run()
    assert errors(result) == dict.fromkeys(ALIASES, STOP)
    assert world.dns.txt() == FOREIGN
    assert world.clock.seconds < stopped[0] + 5


def test_nothing_is_asked_of_the_ca_once_the_run_is_stopped() -> None:
    world = simulation(1)
    stopped_after(20, world)
    asked = [step for step in world.executor.performed if isinstance(step, Request)]
    assert len(asked) <= 20 + 1


def test_records_that_cannot_be_withdrawn_in_time_are_told() -> None:
    world = simulation(1)
    stuck = False

    def latency(step: Step) -> float | None:
        nonlocal stuck
        if isinstance(step, ChangeZone) and len(world.dns.done) >= 2 and not stuck:
            stuck = True
            world.reconciler.interrupt(STOP)
            return 3600.0
        return None

    world.executor.latency = latency
    result = world.run()
    assert result.fatal is STOP
    (leftover,) = result.leftovers
    assert "may still be there: no time was left" in str(leftover)
    assert world.clock.seconds < 60
