"""Versions that caches would refuse stay staged: what is said of them is what becomes of them."""

import re
from functools import cache

from certkeeper.base.events import Noted
from certkeeper.dane.facts import Trust
from certkeeper.plan.gates import Allowed
from world.danerun import PLACE, DaneRuns
from world.test_dane_runs import MAIL, TWO, Ungated

GOES = re.compile(r"version (\d+), which an earlier run completed, goes live")


def test_that_it_goes_live_is_said_by_the_run_in_which_it_does() -> None:
    world = DaneRuns(servers=dict(TWO))
    world.make = Ungated
    world.run()
    before, waited = world.sim.store.live[MAIL].stamp, 0
    while world.sim.store.live[MAIL].stamp == before:
        assert waited < 9
        seen = len(world.sim.events)
        result = world.run(forced=[MAIL])
        said = [event.message for event in world.sim.events[seen:] if isinstance(event, Noted)]
        waits = any("does not go live yet" in str(outcome.error) for outcome in result.outcomes)
        assert waits != any(map(GOES.fullmatch, said))
        waited += waits
        world.rest(1)
    assert waited > 1


def orders(world: DaneRuns) -> int:
    return len(world.sim.ca.orders)


def ready() -> DaneRuns:
    """The next run that orders does it with the next key, and nothing is due."""
    world = DaneRuns(servers=dict(TWO))
    world.days(3)
    assert world.look().seats[PLACE.name].decision.stages[0].order.value == Allowed.NEXT.value
    return world


def killed_when_staged() -> DaneRuns:
    """A person's order with the next key; the run is killed once the version is complete, and before it is live."""
    world = ready()
    assert world.killed([MAIL], issuing=moment())
    return world


@cache
def moment() -> int:
    for found in range(400):
        world = ready()
        key, before = world.sim.store.lineage(MAIL).key_id, orders(world)
        assert world.killed([MAIL], issuing=found)
        intent = world.sim.journal.records().orders.get(MAIL)
        staged = intent is not None and intent.stamp in [version.stamp for version in world.sim.store.versions(MAIL)]
        if staged and world.sim.store.lineage(MAIL).key_id == key and orders(world) > before:
            return found
    raise AssertionError("no such moment")


def test_a_version_with_the_next_key_that_a_killed_run_left_goes_live_without_another_order() -> None:
    world = killed_when_staged()
    before, count = world.sim.store.lineage(MAIL).next_key_id, orders(world)
    world.rest(1)
    world.run()
    assert world.sim.store.lineage(MAIL).key_id == before
    assert orders(world) == count
    world.days(2)
    world.assert_never_wrong()
    assert orders(world) == count


def test_it_waits_while_the_gate_is_shut_and_goes_live_then() -> None:
    world = killed_when_staged()
    before, key, count = world.sim.store.lineage(MAIL).next_key_id, world.sim.store.lineage(MAIL).key_id, orders(world)
    world.tlsa.trust = Trust.UNPROVEN
    world.days(2)
    assert (world.sim.store.lineage(MAIL).key_id, orders(world)) == (key, count)
    world.tlsa.trust = Trust.SECURE
    world.days(3)
    assert (world.sim.store.lineage(MAIL).key_id, orders(world)) == (before, count)
    world.assert_never_wrong()


def test_it_gives_way_where_a_renewal_is_due_and_the_gate_is_shut() -> None:
    world = killed_when_staged()
    key = world.sim.store.lineage(MAIL).key_id
    world.tlsa.trust = Trust.UNPROVEN
    world.days(80, every=24)
    assert world.sim.store.lineage(MAIL).key_id == key
    assert world.sim.store.lineage(MAIL).leaf.not_after > world.sim.clock.now()  # type: ignore[union-attr]
    world.tlsa.trust = Trust.SECURE
    world.days(80, every=24)
    world.assert_never_wrong()
    assert world.sim.store.lineage(MAIL).key_id != key
