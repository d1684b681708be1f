"""Whole runs over several zones, in many orders of events: the good days."""

from dataclasses import replace

import pytest

from builders.dnsworld import PRIMARY, SECONDARY, NameServer
from builders.plans import spec, zone
from certkeeper.base.events import CertificateIssued, ZoneChanged
from certkeeper.config.settings import CertSpec
from world.simulation import Simulation, errors, issued

SEEDS = range(25)
ZONES = [zone("example.org"), zone("example.net"), zone("sub.example.net")]
FOREIGN = {
    "_acme-challenge.example.org": {"somebody else's"},
    "_acme-challenge.www.example.net": {"one", "two"},
    "www.example.org": {"v=spf1 -all"},
}


def page(number: int) -> list[CertSpec]:
    """That many lineages: of one zone, of several, with wildcards."""
    made = [
        spec("example.org", "*.example.org"),
        spec("example.net", "www.example.net", "mail.sub.example.net"),
        spec("both.example.org", "both.example.net", "both.sub.example.net"),
    ]
    made += [spec(f"n{at}.example.org", f"n{at}.example.net") for at in range(number - len(made))]
    return made[:number]


def simulation(specs: list[CertSpec], seed: int) -> Simulation:
    made = Simulation(specs, ZONES, seed=seed)
    for owner, values in FOREIGN.items():
        made.dns.put(owner, values)
    return made


@pytest.mark.parametrize("seed", SEEDS)
def test_all_are_issued_with_one_change_and_one_withdrawal_per_zone(seed: int) -> None:
    specs = page(7)
    world = simulation(specs, seed)
    result = world.run()
    assert errors(result) == {}
    assert not result.failed
    assert [outcome.alias for outcome in result.outcomes] == [item.alias for item in specs]
    world.assert_live(*(item.alias for item in specs))
    assert world.dns.counts() == {"example.org": (1, 1), "example.net": (1, 1), "sub.example.net": (1, 1)}
    assert world.dns.txt() == FOREIGN


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lineage_of_n_names_costs_at_most_2n_and_5_requests(seed: int) -> None:
    specs = page(6)
    world = simulation(specs, seed)
    assert issued(world.run()) == {item.alias.text for item in specs}
    lengths = {item.alias.text: len(item.identifiers) for item in specs}
    assert {
        order.first: order.posts <= 2 * lengths[order.first] + 5 for order in world.ca.orders.values()
    } == dict.fromkeys(lengths, True)
    assert len(world.ca.orders) == len(specs)
    others = {kind for kind in world.ca.requests if kind not in _OF_ORDERS}
    assert others == {"directory", "nonce", "account"}
    assert world.ca.requests["directory"] == 1
    assert world.ca.requests["account"] == 1


_OF_ORDERS = {"new-order", "authorization", "challenge", "finalize", "order", "certificate"}


def test_a_hundred_lineages_are_one_wave() -> None:
    specs = [spec(f"n{at}.example.org") for at in range(100)]
    world = Simulation(specs, ZONES)
    assert len(issued(world.run())) == 100
    assert world.dns.counts() == {"example.org": (1, 1)}


def test_more_than_a_hundred_are_issued_too_and_the_zone_is_clean() -> None:
    specs = [spec(f"n{at}.example.org") for at in range(130)]
    world = Simulation(specs, ZONES)
    assert len(issued(world.run())) == 130
    published, withdrawn = world.dns.counts()["example.org"]
    assert published == withdrawn
    assert published <= 5
    assert world.dns.txt() == {}


@pytest.mark.parametrize("seed", range(5))
def test_a_ca_that_refuses_a_quarter_of_all_nonces_and_is_slow(seed: int) -> None:
    specs = page(5)
    world = simulation(specs, seed)
    world.ca.manners.bad_nonces = 0.25
    world.ca.manners.validation = 3.0
    world.ca.manners.signing = 2.0
    assert errors(world.run()) == {}
    assert world.dns.counts() == {"example.org": (1, 1), "example.net": (1, 1), "sub.example.net": (1, 1)}
    assert world.dns.txt() == FOREIGN


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_published_where_the_ca_knows_the_names_already(seed: int) -> None:
    specs = page(4)
    world = simulation(specs, seed)
    world.ca.manners.reuses = True
    assert errors(world.run()) == {}
    before = len(world.dns.done)
    assert errors(world.run(forced=[item.alias for item in specs])) == {}
    assert len(world.dns.done) == before
    assert len(world.ca.orders) == 2 * len(specs)
    assert world.ca.requests["account"] == 1


def test_only_names_that_the_ca_does_not_know_yet_are_proven() -> None:
    world = simulation([spec("example.org")], 1)
    world.ca.manners.reuses = True
    world.run()
    world.configuration = replace(world.configuration, certificates=(spec("example.org", "new.example.org"),))
    assert errors(world.run()) == {}
    published = [done.changes for done in world.dns.done if done.publishes]
    assert [change.owner.text for change in published[-1].changes] == ["_acme-challenge.new.example.org"]


def test_a_second_run_finds_everything_current_and_asks_nobody() -> None:
    specs = page(3)
    world = simulation(specs, 1)
    first = world.run()
    requests = world.ca.requests.total()
    second = world.run()
    assert second.outcomes == ()
    assert second.wake_at == first.wake_at
    assert first.wake_at is not None
    assert first.wake_at > world.clock.now()
    assert world.ca.requests.total() == requests


def test_a_renewal_is_a_new_version_with_a_new_key() -> None:
    specs = page(1)
    world = simulation(specs, 1)
    world.run()
    (before,) = world.store.live.values()
    world.run(forced=[specs[0].alias])
    (after,) = world.store.live.values()
    assert after.stamp > before.stamp
    assert after.files.privkey != before.files.privkey


@pytest.mark.parametrize("lag", [0.0, 1.0, 20.0])
def test_nobody_is_answered_for_before_the_slowest_server_serves_it(lag: float) -> None:
    world = Simulation(page(4), ZONES, servers={PRIMARY: NameServer(), SECONDARY: NameServer(lag=lag)})
    assert errors(world.run()) == {}
    assert world.clock.seconds < lag + 10


def test_one_silent_server_is_no_failure() -> None:
    servers = {PRIMARY: NameServer(), SECONDARY: NameServer(silent=True)}
    world = Simulation(page(4), ZONES, servers=servers)
    assert errors(world.run()) == {}


def test_what_happened_is_told_once() -> None:
    specs = page(3)
    world = simulation(specs, 3)
    world.run()
    live = [event.lineage for event in world.events if isinstance(event, CertificateIssued)]
    assert sorted(live) == sorted(item.alias.text for item in specs)
    changes = [(event.zone, event.action, event.records) for event in world.events if isinstance(event, ZoneChanged)]
    assert sorted(changes) == [
        ("example.net", "published", 3),
        ("example.net", "withdrawn", 3),
        ("example.org", "published", 3),
        ("example.org", "withdrawn", 3),
        ("sub.example.net", "published", 2),
        ("sub.example.net", "withdrawn", 2),
    ]
