"""Runs with two CAs, in many orders of events."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders.fakemanners import Refusal
from builders.plans import CA, spec, zone
from certkeeper.base.events import LineageFailed, Noted
from certkeeper.base.names import DnsName
from certkeeper.config.settings import Purpose
from certkeeper.lineage.model import Origin
from certkeeper.plan.backoff import CaLimited
from certkeeper.plan.records import Backoff, ChallengeIntent, HookDebt, OrderIntent
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


@pytest.mark.parametrize("seed", range(5))
def test_a_ca_that_has_had_enough_stops_its_own_alone(seed: int) -> None:
    world = Simulation(SPECS, ZONES, seed=seed)
    until = world.clock.now().replace(microsecond=0) + timedelta(hours=1)
    world.cas[OTHER].manners.refuses_at["new-order"] = Refusal("rateLimited", "too many new orders", until=until)
    assert issued(world.run()) == FIRST
    assert set(world.journal.limits) == {OTHER}
    assert world.journal.backoffs == {}
    world.cas[OTHER].manners.refuses_at.clear()
    asked = sum(world.cas[OTHER].requests.values())
    found = errors(world.run())
    assert {type(error) for error in found.values()} == {CaLimited}
    assert set(found) == SECOND
    assert sum(world.cas[OTHER].requests.values()) == asked
    world.clock.advance(3600)
    assert issued(world.run()) == SECOND
    assert world.journal.empty


def test_a_limit_on_accounts_is_remembered_of_that_ca_alone() -> None:
    world = Simulation(SPECS, ZONES)
    until = world.clock.now().replace(microsecond=0) + timedelta(hours=1)
    refusal = Refusal("rateLimited", "too many registrations for this IP", until=until)
    world.cas[OTHER].manners.refuses_at["account"] = refusal
    result = world.run()
    assert (issued(result), set(errors(result)), result.fatal) == (FIRST, SECOND, None)
    assert set(world.journal.limits) == {OTHER}


def test_each_cas_clock_is_compared_with_ours() -> None:
    world = Simulation(SPECS, ZONES)
    for ca, ahead in ((CA, 0), (OTHER, 7200)):
        world.cas[ca].manners.clock_ahead = timedelta(seconds=ahead)
    world.run()
    (noted,) = [event for event in world.events if isinstance(event, Noted) and event.subject == "clock"]
    assert f"120 min behind that of {OTHER}" in noted.message


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("works", [True, False])
def test_a_rehearsal_leaves_what_the_journal_has_of_the_certificate(seed: int, *, works: bool) -> None:
    live = SPECS[0]
    world = Simulation([live, SPECS[3]], ZONES, seed=seed)
    kept = Backoff(live.alias, 2, world.clock.now() + timedelta(hours=1), "inputs", "it failed")
    order = OrderIntent(live.alias, "https://ca.test/order/99", CA, live.identifiers, "", False, str(live.key), 1)
    debt = HookDebt(live.alias, "deploy_cert", 1)
    world.journal.write([kept, order, debt], [])
    test = replace(live, ca=OTHER, purpose=Purpose.REHEARSE, hook="/hook.sh")
    world.configuration = replace(world.configuration, certificates=(test,))
    if not works:
        world.cas[OTHER].manners.refuses.add("example.org")
    for _ in range(2):
        assert issued(world.run(forced=[test.alias])) == ({"example.org"} if works else set())
    assert world.journal.backoffs[live.alias] == kept
    assert world.journal.orders == {live.alias: order}
    assert world.journal.debts == {live.alias: debt}
    assert (test.entry in world.journal.backoffs) is not works
