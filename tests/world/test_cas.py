"""Runs with two CAs, in many orders of events."""

from dataclasses import replace

import pytest

from builders.plans import CA, spec, zone
from certkeeper.base.events import LineageFailed
from certkeeper.base.names import DnsName
from certkeeper.lineage.model import Origin
from certkeeper.plan.records import ChallengeIntent
from certkeeper.zone.rrset import txt_rdata
from world.simulation import Simulation, errors, issued

SEEDS = range(15)
OTHER = "https://other.test/directory"
ZONES = [zone("example.org"), zone("example.net")]
SPECS = [
    spec("example.org", "*.example.org"),
    spec("b.example.org", "b.example.net", ca=OTHER),
    spec("c.example.org"),
    spec("d.example.net", ca=OTHER),
]
FIRST, SECOND = {"example.org", "c.example.org"}, {"b.example.org", "d.example.net"}


@pytest.mark.parametrize("seed", SEEDS)
def test_each_ca_is_asked_for_its_own_and_no_more_than_alone(seed: int) -> None:
    world = Simulation(SPECS, ZONES, seed=seed)
    assert issued(world.run()) == FIRST | SECOND
    world.assert_live(*(item.alias for item in SPECS))
    for ca, expected in ((CA, FIRST), (OTHER, SECOND)):
        asked = world.cas[ca]
        assert {order.first.removeprefix("*.") for order in asked.orders.values()} == expected
        assert (asked.requests["directory"], asked.requests["account"]) == (1, 1)
        assert len(asked.accounts) == 1
    assert set(world.accounts.kids) == {CA, OTHER}
    assert {item.alias: live.files.origin for item in SPECS for live in [world.store.live[item.alias]]} == {
        item.alias: Origin(item.ca) for item in SPECS
    }
    assert world.dns.txt() == {}
    assert world.journal.empty
    # Once the accounts are known, the certificates of both share the change of their zone.
    before = world.dns.counts()["example.net"]
    assert issued(world.run(forced=[item.alias for item in SPECS])) == FIRST | SECOND
    assert world.dns.counts()["example.net"] == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("down", [CA, OTHER])
def test_a_ca_that_is_down_fails_its_own_alone(seed: int, down: str) -> None:
    world = Simulation(SPECS, ZONES, seed=seed)
    world.cas[down].manners.down = True
    lost, kept = (FIRST, SECOND) if down == CA else (SECOND, FIRST)
    result = world.run()
    assert (issued(result), set(errors(result)), result.fatal) == (kept, lost, None)
    assert {event.lineage for event in world.events if isinstance(event, LineageFailed)} == lost
    assert world.dns.txt() == {}
    # Nobody is to blame but the CA: the next run tries at once.
    world.cas[down].manners.down = False
    assert issued(world.run()) == lost
    world.assert_live(*(item.alias for item in SPECS))


@pytest.mark.parametrize("seed", range(5))
def test_where_both_are_down_each_failure_is_told_for_its_own(seed: int) -> None:
    world = Simulation(SPECS, ZONES, seed=seed)
    for ca in world.cas.values():
        ca.manners.down = True
    found = errors(world.run())
    assert {name: str(error).partition(":")[2].partition(":")[0] for name, error in found.items()} == {
        name: "//ca.test" if name in FIRST else "//other.test" for name in FIRST | SECOND
    }


@pytest.mark.parametrize("seed", range(5))
def test_a_killed_runs_records_are_withdrawn_where_nobody_can_order(seed: int) -> None:
    world = Simulation(SPECS, ZONES, seed=seed)
    assert issued(world.run()) == FIRST | SECOND
    owner = "_acme-challenge.d.example.net"
    world.dns.put(owner, {"left"})
    world.journal.write([ChallengeIntent(DnsName("example.net"), DnsName(owner), txt_rdata("left"))], [])
    world.journal.die()
    world.cas[OTHER].manners.down = True
    forced = [item.alias for item in SPECS if item.alias.text != "b.example.org"]
    result = world.run(forced=forced)
    assert issued(result) == FIRST
    assert world.dns.txt() == {}


def test_a_certificate_moves_to_another_ca_at_once_and_stays() -> None:
    world = Simulation([SPECS[0], SPECS[3]], ZONES)
    assert issued(world.run()) == {"example.org", "d.example.net"}
    moved = replace(SPECS[0], ca=OTHER)
    world.configuration = replace(world.configuration, certificates=(moved, SPECS[3]))
    assert issued(world.run()) == {"example.org"}
    live = world.store.live[moved.alias].files.origin
    assert live is not None
    assert live.ca == OTHER
    result = world.run()
    assert (issued(result), result.failed) == (set(), False)


def test_of_one_ca_that_is_down_is_told_once() -> None:
    world = Simulation([SPECS[1]], ZONES)
    world.cas[OTHER].manners.down = True
    result = world.run()
    assert result.fatal is not None
    assert "other.test" in str(result.fatal)
