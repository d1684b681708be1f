"""Whole runs in which something fails: nobody else is harmed, nothing is left in DNS, one clear error per failure."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders.dnsworld import NEVER, PRIMARY, SECONDARY, NameServer
from builders.fakeca import TERMS
from builders.fakestore import FakeStore
from builders.plans import CA, spec, zone
from certkeeper.acme.account import TermsNotAccepted
from certkeeper.acme.order import OrderFailed, OrderTimeout
from certkeeper.acme.problem import Problem
from certkeeper.apply.account import BindingRequired
from certkeeper.apply.effects import ChangeZone, HoldLineage
from certkeeper.base.errors import CertkeeperError, Fault, OutOfDescriptors
from certkeeper.base.events import LineageFailed
from certkeeper.base.names import Alias
from certkeeper.base.wire import Step, TransportError
from certkeeper.lineage.model import Lineage
from certkeeper.zone.apex import ZoneError
from world.simulation import BOUND, Simulation, errors, issued

SEEDS = range(10)
ORG, NET = zone("example.org"), zone("example.net")
SPECS = [spec(f"n{at}.example.org", f"n{at}.example.net") for at in range(4)] + [
    spec("only.example.org"),
    spec("only.example.net"),
]
ALIASES = {item.alias.text for item in SPECS}
OF_ORG = ALIASES - {"only.example.net"}


def simulation(seed: int) -> Simulation:
    world = Simulation(SPECS, [ORG, NET], seed=seed)
    world.dns.put("_acme-challenge.n0.example.org", ["foreign"])
    return world


def assert_only(world: Simulation, failed: set[str]) -> dict[str, CertkeeperError]:
    """Run: these fail with one error each that is told once, all others are live, and DNS is as it was."""
    result = world.run()
    found = errors(result)
    assert set(found) == failed
    assert issued(result) == ALIASES - failed
    world.assert_live(*(Alias(text) for text in ALIASES - failed))
    assert world.dns.txt() == {"_acme-challenge.n0.example.org": {"foreign"}}
    assert result.fatal is None
    assert result.leftovers == ()
    told = [event.lineage for event in world.events if isinstance(event, LineageFailed)]
    assert sorted(told) == sorted(failed)
    assert not [error for error in found.values() if "internal error" in str(error)]
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_one_invalid_authorization_among_ten(seed: int) -> None:
    hosts = [f"h{at}.example.org" for at in range(10)]
    world = Simulation([spec(*hosts), spec("good.example.org")], [ORG], seed=seed)
    world.ca.manners.refuses = {"h7.example.org"}
    result = world.run()
    (error,) = errors(result).values()
    assert isinstance(error, OrderFailed)
    assert str(error) == ("h7.example.org: unauthorized: Incorrect TXT record found at _acme-challenge.h7.example.org")
    assert issued(result) == {"good.example.org"}
    assert world.dns.counts() == {"example.org": (1, 1)}
    assert world.dns.txt() == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_zone_whose_change_is_refused(seed: int) -> None:
    world = simulation(seed)
    world.dns.refused["example.org"] = ZoneError("zone example.org: HTTP 422")
    result = world.run()
    assert issued(result) == {"only.example.net"}
    assert {str(error) for error in errors(result).values()} == {"zone example.org: HTTP 422"}
    assert world.dns.txt() == {"_acme-challenge.n0.example.org": {"foreign"}}
    # The change may have been applied all the same, so its withdrawal is owed, and it is told that it failed too.
    (leftover,) = result.leftovers
    assert str(leftover).startswith("zone example.org: challenge records may still be there")
    assert [not changes.invert() for zone_name, changes in world.dns.tried if zone_name == "example.org"] == [False] * 2


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_whose_answer_is_lost_is_tried_again(seed: int) -> None:
    world = simulation(seed)
    world.dns.lost["example.org"] = 2
    assert assert_only(world, set()) == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_without_a_descriptor_is_tried_again_and_its_failure_imposes_no_wait(seed: int) -> None:
    world = simulation(seed)
    world.dns.starved["example.org"] = 2
    assert assert_only(world, set()) == {}
    world = simulation(seed)
    world.dns.starved["example.org"] = 4
    found = assert_only(world, OF_ORG)
    assert all(isinstance(error, OutOfDescriptors) for error in found.values())
    assert world.journal.backoffs == {}
    assert issued(world.run()) == OF_ORG


class Unseen(FakeStore):
    def lineage(self, alias: Alias) -> Lineage:
        raise OutOfDescriptors(alias.text)


def test_a_lineage_that_cannot_be_looked_at_is_not_kept_claimed() -> None:
    world = simulation(0)
    with pytest.raises(OutOfDescriptors):
        HoldLineage(Alias("x")).perform(replace(world.ports, store=Unseen()))
    assert world.claims.held == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_that_was_applied_but_never_answered_is_withdrawn(seed: int) -> None:
    world = simulation(seed)
    world.dns.lost["example.org"] = 4
    found = assert_only(world, OF_ORG)
    assert all(isinstance(error, TransportError) for error in found.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_secondary_that_never_catches_up_fails_its_zone_only(seed: int) -> None:
    world = simulation(seed)
    world.dns.slow["example.org", SECONDARY] = NEVER
    found = assert_only(world, OF_ORG)
    assert all(isinstance(error, ZoneError) for error in found.values())
    assert "ns2.test (192.0.2.2) still answers without" in str(found["only.example.org"])
    assert "_acme-challenge.only.example.org" in str(found["only.example.org"])
    assert world.clock.seconds < BOUND.total_seconds() * 1.5
    # No name of the zone was ever answered for.
    assert all(
        authorization.checked_at is None
        for order in world.ca.orders.values()
        for authorization in order.authorizations
        if authorization.value.endswith(".example.org")
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_no_server_of_a_zone_can_be_found(seed: int) -> None:
    world = simulation(seed)
    world.dns.hidden = {"example.org"}
    found = assert_only(world, OF_ORG)
    assert all("does not find its name servers" in str(error) for error in found.values())
    assert [name for name, _ in world.dns.tried if name == "example.org"] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_no_server_answers(seed: int) -> None:
    servers = {PRIMARY: NameServer(silent=True), SECONDARY: NameServer(silent=True)}
    world = Simulation(SPECS[:2], [ORG, NET], seed=seed, servers=servers)
    result = world.run()
    assert len(errors(result)) == 2
    assert all("no name server confirms" in str(error) for error in errors(result).values())
    assert world.dns.txt() == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_order_stuck_in_processing_times_out_alone(seed: int) -> None:
    world = simulation(seed)
    world.ca.manners.stuck = {"n1.example.org"}
    (error,) = assert_only(world, {"n1.example.org"}).values()
    assert isinstance(error, OrderTimeout)
    assert "still processing after 5 min" in str(error)
    assert error.fault is Fault.REMOTE
    # Its values were withdrawn when its names were proven, not five minutes later.
    assert max(done.at for done in world.dns.done) < 60


def test_an_order_timeout_of_the_page_counts() -> None:
    stuck = replace(spec("stuck.example.org"), order_timeout=timedelta(seconds=40))
    world = Simulation([stuck], [ORG])
    world.ca.manners.stuck = {"stuck.example.org"}
    assert str(errors(world.run())["stuck.example.org"]).endswith("still processing after 40 s")
    assert 40 <= world.clock.seconds < 60


@pytest.mark.parametrize("seed", SEEDS)
def test_validation_that_never_ends_times_out_and_its_values_go(seed: int) -> None:
    world = Simulation([spec("example.org"), spec("example.net")], [ORG, NET], seed=seed)
    world.ca.manners.validation = 10**6
    result = world.run()
    assert {str(error).partition(": still ")[2] for error in errors(result).values()} == {"pending after 5 min"}
    assert world.dns.txt() == {}
    assert world.dns.counts() == {"example.org": (1, 1), "example.net": (1, 1)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_folder_that_cannot_be_written_to_costs_no_order_and_holds_no_wave(seed: int) -> None:
    world = simulation(seed)
    said = CertkeeperError("/etc/dehydrated/certs/n2.example.org: permission denied")
    world.store.broken = {Alias("n2.example.org"): said}
    assert assert_only(world, {"n2.example.org"}) == {"n2.example.org": said}
    assert len(world.ca.orders) == len(SPECS) - 1
    assert world.dns.counts() == {"example.org": (1, 1), "example.net": (1, 1)}
    assert world.clock.seconds < 10


def test_terms_that_nobody_accepted_stop_the_run_before_anything_happens() -> None:
    world = simulation(0)
    result = world.run(terms=False)
    assert isinstance(result.fatal, TermsNotAccepted)
    assert TERMS in str(result.fatal)
    assert "--accept-terms" in result.fatal.hint
    assert result.failed
    assert world.ca.accounts == {}
    assert world.accounts.keys == {}
    assert world.dns.done == []
    assert world.store.drafts == {}


def test_a_ca_that_is_down_stops_the_run_with_one_error() -> None:
    world = simulation(0)
    world.ca.manners.down = True
    result = world.run()
    assert isinstance(result.fatal, TransportError)
    assert result.outcomes == ()
    assert world.dns.done == []
    assert world.clock.seconds < 30
    world.ca.manners.down = False
    assert_only(world, set())


def test_a_ca_that_binds_accounts_says_so() -> None:
    world = simulation(0)
    world.ca.manners.binds = True
    result = world.run()
    assert isinstance(result.fatal, BindingRequired)
    assert world.accounts.keys == {}


def test_a_registration_that_was_lost_on_the_way_is_made_by_the_next_run() -> None:
    world = simulation(0)
    world.ca.manners.drops_registration = True
    assert isinstance(world.run().fatal, TransportError)
    world.ca.manners.drops_registration = False
    assert_only(world, set())
    assert set(world.accounts.kids) == {CA}


def test_an_account_that_the_ca_has_forgotten_is_one_error() -> None:
    world = simulation(0)
    world.run()
    world.ca.accounts.clear()
    world.ca.thumbprints.clear()
    result = world.run(forced=[item.alias for item in SPECS])
    assert issued(result) == set()
    assert {error.type for error in errors(result).values() if isinstance(error, Problem)} == {"accountDoesNotExist"}
    assert all("account folder" in error.hint for error in errors(result).values())


@pytest.mark.parametrize("steps", range(10, 150, 7))
def test_a_ca_that_goes_down_half_way_leaves_nothing_in_dns(steps: int) -> None:
    world = simulation(steps)
    left = iter(range(steps))

    def goes_down(_: Step) -> None:
        world.ca.manners.down = next(left, None) is None

    world.executor.latency = goes_down
    result = world.run()
    found = errors(result)
    assert result.fatal is not None or set(found) | issued(result) == ALIASES
    assert all(isinstance(error, TransportError) for error in found.values())
    assert world.dns.txt() == {"_acme-challenge.n0.example.org": {"foreign"}}
    world.assert_live(*(Alias(text) for text in issued(result)))


def test_a_withdrawal_that_fails_is_told_with_what_is_left() -> None:
    world = Simulation([spec("example.org")], [ORG])

    def refuses(step: Step) -> None:
        if isinstance(step, ChangeZone) and world.dns.done:
            world.dns.refused["example.org"] = ZoneError("zone example.org: HTTP 500")

    world.executor.latency = refuses
    result = world.run()
    assert issued(result) == {"example.org"}
    (leftover,) = result.leftovers
    assert "HTTP 500" in str(leftover)
    (value,) = world.dns.txt()["_acme-challenge.example.org"]
    assert f'_acme-challenge.example.org TXT "{value}"' in leftover.hint
    assert result.failed


def test_what_a_wait_was_asked_for_decides_when_to_wake() -> None:
    world = Simulation([spec("example.org"), spec("example.net")], [ORG, NET])
    later = world.clock.now() + timedelta(hours=1)
    world.store.broken = {Alias("example.net"): CertkeeperError("busy", retry_at=later)}
    assert world.run().wake_at == later


def test_a_run_that_was_stopped_before_any_order_wakes_when_the_ca_says() -> None:
    world = simulation(0)
    later = world.clock.now() + timedelta(hours=3)
    world.ca.manners.busy_until = later
    result = world.run()
    assert isinstance(result.fatal, Problem)
    assert result.fatal.retry_at == later
    assert result.wake_at == later
