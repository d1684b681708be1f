"""Renewals as the CA wants them, in whole runs (RFC 9773)."""

from datetime import timedelta

import pytest

from builders.plans import spec, zone
from certkeeper.base.names import Alias
from certkeeper.plan.advice import id_of
from world.simulation import Simulation, errors, issued

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SPECS = [spec("example.org", "*.example.org"), spec("www.example.org")]
ALIASES = [item.alias for item in SPECS]


def simulation(seed: int = 0) -> Simulation:
    """Two live certificates that nobody has asked about."""
    world = Simulation(SPECS, [zone("example.org")], seed=seed)
    assert issued(world.run()) == {"example.org", "www.example.org"}
    world.ca.requests.clear()
    return world


def suggest(world: Simulation, start: timedelta, end: timedelta) -> None:
    now = world.clock.now()
    world.ca.manners.suggests = (now + start, now + end)


def names(world: Simulation) -> dict[Alias, str]:
    found = {}
    for alias in ALIASES:
        leaf = world.store.lineage(alias).leaf
        assert leaf is not None
        found[alias] = id_of(leaf)
    return found


@pytest.mark.parametrize("seed", range(10))
def test_a_window_in_the_past_renews_at_once_and_names_what_is_replaced(seed: int) -> None:
    world = simulation(seed)
    before = names(world)
    suggest(world, -2 * HOUR, -HOUR)
    assert issued(world.run()) == {"example.org", "www.example.org"}
    assert sorted(world.ca.replaced) == sorted(before.values())
    assert world.ca.requests["renewal"] == 2


def test_a_window_to_come_is_waited_for_and_asked_about_as_the_ca_says() -> None:
    world = simulation()
    suggest(world, 20 * DAY, 21 * DAY)
    result = world.run()
    assert issued(result) == set()
    assert world.ca.requests["renewal"] == 2
    assert result.wake_at is not None
    assert 20 * DAY <= result.wake_at - world.clock.now() < 21 * DAY
    world.clock.advance(5 * HOUR.total_seconds())
    assert issued(world.run()) == set()
    assert world.ca.requests["renewal"] == 2
    world.clock.advance(2 * HOUR.total_seconds())
    assert issued(world.run()) == set()
    assert world.ca.requests["renewal"] == 4
    world.clock.advance(21 * DAY.total_seconds())
    assert issued(world.run()) == {"example.org", "www.example.org"}


def test_a_ca_that_is_down_for_these_questions_puts_no_renewal_off() -> None:
    world = simulation()
    suggest(world, 80 * DAY, 81 * DAY)
    world.run()
    # Nobody can be asked any more, and RENEW_DAYS alone would have renewed by now.
    world.clock.advance((60 * DAY).total_seconds())
    world.ca.manners.down = True
    assert errors(world.run()) == {}
    world.ca.manners.down = False
    # The last twentieth of its life begins before the time that the CA suggests.
    suggest(world, 40 * DAY, 41 * DAY)
    world.clock.advance((26 * DAY).total_seconds())
    assert issued(world.run()) == {"example.org", "www.example.org"}


@pytest.mark.parametrize("refusal", ["alreadyReplaced", "malformed"])
def test_a_ca_that_objects_to_what_is_replaced_is_asked_without_it(refusal: str) -> None:
    world = simulation()
    suggest(world, -2 * HOUR, -HOUR)
    world.ca.manners.refuses_replacement = refusal
    world.ca.requests.clear()
    assert issued(world.run()) == {"example.org", "www.example.org"}
    assert world.ca.replaced == []
    assert world.ca.requests["new-order"] == 4
    assert any("without saying what it replaces" in event.text for event in world.events)


def test_another_objection_is_not_argued_with() -> None:
    world = simulation()
    suggest(world, -2 * HOUR, -HOUR)
    world.ca.manners.refuses_replacement = "rejectedIdentifier"
    world.ca.manners.refusal = "not for you"
    world.ca.requests.clear()
    assert set(errors(world.run())) == {"example.org", "www.example.org"}
    assert world.ca.requests["new-order"] == 2
