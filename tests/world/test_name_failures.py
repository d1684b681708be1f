"""ON_NAME_FAILURE in whole runs: a name that the CA cannot validate, and what becomes of its certificate."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders.plans import P256, spec, zone
from certkeeper.base.events import LineageFailed, Noted
from certkeeper.base.names import Alias
from certkeeper.config.settings import CertSpec, OnNameFailure
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.plan.actions import Kept
from world.kills import Killed, MortalExecutor, plainly
from world.simulation import Simulation, errors, issued

ZONES = [zone("example.org")]
BAD = "bad.example.org"
HOSTS = ("example.org", "www.example.org", BAD)
ALIAS = Alias("example.org")


def about(policy: OnNameFailure, *hosts: str, alias: str = "") -> CertSpec:
    return replace(spec(*(hosts or HOSTS), alias=alias, key=P256), on_name_failure=policy)


def simulation(policy: OnNameFailure, *hosts: str, alias: str = "", seed: int = 0) -> Simulation:
    world = Simulation([about(policy, *hosts, alias=alias)], ZONES, seed=seed)
    world.ca.manners.refuses = {BAD}
    return world


def live_names(world: Simulation, alias: Alias = ALIAS) -> set[str]:
    live = world.store.live.get(alias)
    return set() if live is None else {str(name) for name in parse_leaf(live.files.fullchain).identifiers}


def test_by_default_the_certificate_is_not_issued() -> None:
    world = simulation(OnNameFailure.BLOCK)
    assert world.run().failed
    world.clock.advance(1)
    assert world.run().failed
    assert live_names(world) == set()


def test_drop_orders_the_rest_in_the_next_round_and_is_content_then() -> None:
    world = simulation(OnNameFailure.DROP)
    assert world.run().failed
    again = world.run()
    assert issued(again) == {"example.org"}
    assert not again.failed
    assert live_names(world) == {"example.org", "www.example.org"}
    assert world.dns.txt() == {}
    opened = len(world.ca.orders)
    for _ in range(3):
        world.clock.advance(timedelta(days=2).total_seconds())
        assert not world.run().outcomes
    assert len(world.ca.orders) == opened


def test_a_dropped_name_comes_back_when_the_certificate_is_renewed() -> None:
    world = simulation(OnNameFailure.DROP)
    world.run()
    world.run()
    world.ca.manners.refuses = set()
    world.clock.advance(timedelta(days=80).total_seconds())
    assert issued(world.run()) == {"example.org"}
    assert live_names(world) == set(HOSTS)


def test_a_dropped_name_comes_back_at_once_where_it_is_proven_in_another_way() -> None:
    world = simulation(OnNameFailure.DROP)
    world.run()
    world.run()
    world.ca.manners.refuses = set()
    page = world.configuration
    world.configuration = replace(page, settings=replace(page.settings, propagation=timedelta(seconds=90)))
    assert issued(world.run()) == {"example.org"}
    assert live_names(world) == set(HOSTS)


def test_a_dropped_name_is_tried_by_force() -> None:
    world = simulation(OnNameFailure.DROP)
    world.run()
    world.run()
    world.ca.manners.refuses = set()
    assert issued(world.run(forced=[ALIAS])) == {"example.org"}
    assert live_names(world) == set(HOSTS)


def test_a_switch_back_to_block_asks_for_all_names_again() -> None:
    world = simulation(OnNameFailure.DROP)
    world.run()
    world.run()
    world.configuration = replace(world.configuration, certificates=(about(OnNameFailure.BLOCK),))
    assert world.run().failed
    assert live_names(world) == {"example.org", "www.example.org"}


def test_the_first_name_is_never_dropped_unless_an_alias_stands_for_it() -> None:
    world = simulation(OnNameFailure.DROP, BAD, "www.example.org")
    assert world.run().failed
    assert world.run().failed
    assert world.store.live == {}
    world = simulation(OnNameFailure.DROP, BAD, "www.example.org", alias=f"{BAD}.")
    assert world.run().failed
    assert world.run().failed
    world = simulation(OnNameFailure.DROP, BAD, "www.example.org", alias="web")
    assert world.run().failed
    assert issued(world.run()) == {"web"}
    assert live_names(world, Alias("web")) == {"www.example.org"}


def test_the_error_says_why_the_first_name_is_not_dropped() -> None:
    said = "is not dropped unless the line has > ALIAS"
    world = simulation(OnNameFailure.DROP, BAD, "www.example.org")
    assert f"{BAD}, the first name, {said}" in str(errors(world.run())[BAD])
    world = Simulation([about(OnNameFailure.DROP, "nowhere.example.com", "example.org")], ZONES)
    assert said in str(errors(world.run())["nowhere.example.com"])
    # Another name is dropped; and where nothing is, nobody wonders.
    world = simulation(OnNameFailure.DROP)
    assert said not in str(errors(world.run())["example.org"])
    world = simulation(OnNameFailure.BLOCK, BAD, "www.example.org")
    assert said not in str(errors(world.run())[BAD])


def test_a_name_without_a_zone_is_dropped_before_anything_is_tried() -> None:
    world = Simulation([about(OnNameFailure.DROP, "example.org", "nowhere.example.com")], ZONES)
    result = world.run()
    assert issued(result) == {"example.org"}
    assert not result.failed
    assert len(world.ca.orders) == 1
    assert live_names(world) == {"example.org"}
    assert not world.run().outcomes


def test_a_name_that_is_added_and_cannot_be_proven_leaves_the_certificate_as_it_is() -> None:
    world = Simulation([about(OnNameFailure.DROP, "example.org")], ZONES)
    assert not world.run().failed
    world.ca.manners.refuses = {BAD}
    world.configuration = replace(world.configuration, certificates=(about(OnNameFailure.DROP, "example.org", BAD),))
    assert world.run().failed
    orders = len(world.ca.orders)
    result = world.run()
    assert isinstance(errors(result)["example.org"], Kept)
    assert not result.failed
    assert len(world.ca.orders) == orders


def renewing(seed: int = 0) -> Simulation:
    """A certificate of 90 days that is renewed 32 days before its end, and whose names no longer all work."""
    world = Simulation([about(OnNameFailure.KEEP_OLD)], ZONES, seed=seed)
    assert not world.run().failed
    world.ca.manners.refuses = {BAD}
    world.events.clear()
    return world


def test_keep_old_warns_while_the_certificate_lasts_and_fails_later() -> None:
    world = renewing()
    live = world.store.live[ALIAS]
    world.clock.advance(timedelta(days=60).total_seconds())
    result = world.run()
    assert isinstance(errors(result)["example.org"], Kept)
    assert not result.failed
    assert not [event for event in world.events if isinstance(event, LineageFailed)]
    assert [event for event in world.events if isinstance(event, Noted) and BAD in event.message]
    waiting = world.run()
    assert isinstance(errors(waiting)["example.org"], Kept)
    assert not waiting.failed
    world.clock.advance(timedelta(days=20).total_seconds())
    assert world.run().failed
    assert world.store.live[ALIAS] == live


def test_keep_old_holds_for_several_names_without_a_zone() -> None:
    world = renewing()
    more = about(OnNameFailure.KEEP_OLD, *HOSTS, "a.example.com", "b.example.com")
    world.configuration = replace(world.configuration, certificates=(more,))
    found = errors(world.run())["example.org"]
    assert isinstance(found, Kept)
    assert "a.example.com, b.example.com" in str(found)


def test_keep_old_is_no_excuse_where_there_is_no_certificate() -> None:
    assert simulation(OnNameFailure.KEEP_OLD).run().failed


def test_keep_old_is_about_names_only() -> None:
    world = renewing()
    world.clock.advance(timedelta(days=60).total_seconds())
    world.ca.manners.down = True
    assert world.run().failed


@pytest.mark.parametrize("seed", range(1))
def test_a_kill_anywhere_ends_with_the_certificate_of_the_other_names(seed: int) -> None:
    moment, kills = 0, 0
    while True:
        world = simulation(OnNameFailure.DROP, seed=seed)
        world.run()
        usual = world.executor
        world.executor = MortalExecutor(usual.perform, world.clock, seed, moment, plainly())
        killed = False
        try:
            world.run()
        except Killed:
            killed = True
            world.journal.die()
        world.executor = usual
        if not killed:
            break
        kills += 1
        when = f"moment {moment}"
        result = world.run()
        assert live_names(world) == {"example.org", "www.example.org"}, when
        assert not result.failed, when
        assert world.dns.txt() == {}, when
        assert not world.store.staged, when
        assert world.journal.orders == {}, when
        assert not world.run().outcomes, when
        moment += 1
    assert kills > 30


def test_an_open_order_without_a_name_is_gone_on_with_however_late() -> None:
    for moment in range(200):
        world = simulation(OnNameFailure.DROP)
        world.run()
        usual = world.executor
        world.executor = MortalExecutor(usual.perform, world.clock, 0, moment, plainly())
        with pytest.raises(Killed):
            world.run()
        world.journal.die()
        world.executor = usual
        if world.journal.orders:
            break
    # The name's own wait has ended, and it would be tried again if nothing was open.
    world.clock.advance(600)
    orders = len(world.ca.orders)
    assert issued(world.run()) == {"example.org"}
    assert len(world.ca.orders) == orders
    assert live_names(world) == {"example.org", "www.example.org"}
