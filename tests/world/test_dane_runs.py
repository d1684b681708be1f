"""Runs of a page with TLSA records: whatever a cache may hold matches whatever a service shows, at every instant."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from builders.dnsworld import PRIMARY, SECONDARY, NameServer
from builders.fakedane import Broken
from certkeeper.apply.tlsa.view import View
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import replace
from certkeeper.config.settings import Configuration
from certkeeper.dane.face import chain_face
from certkeeper.dane.facts import Trust
from certkeeper.dane.owner import TlsaOwner, Transport
from certkeeper.dane.tlsa import Tlsa, TlsaType
from certkeeper.plan.gates import Allowed, Gate
from certkeeper.plan.records import TlsaTurn, TurnKind
from certkeeper.zone.apex import ZoneError
from world.danerun import DAY, EE, PLACE, DaneRuns, Machine, Watched, mailed

MAIL, MX = Alias("mail.example.org"), Alias("mx.example.org")
TWO = {PRIMARY: NameServer(), SECONDARY: NameServer(lag=5.0)}
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 30))]


def records(world: DaneRuns) -> frozenset[Tlsa]:
    return world.dns.tlsa(PRIMARY, PLACE.name)[0]


def shared() -> DaneRuns:
    """Two certificates behind one owner: each at one address of the host."""
    world = DaneRuns(mailed("mail.example.org"), mailed("mx.example.org"), servers=dict(TWO))
    first, second = world.addresses[MAIL]
    world.addresses = {MAIL: (first,), MX: (second,)}
    return world


# --- how it goes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "types", [(EE, TlsaType(2, 1, 1)), pytest.param((EE,), marks=pytest.mark.long)], ids=["311+211", "311"]
)
def test_quiet_months_roll_the_key_at_every_renewal(types: tuple[TlsaType, ...]) -> None:
    world = DaneRuns(mailed("mail.example.org", types=types))
    world.days(300, every=24)
    world.assert_never_wrong()
    issued = len({live.stamp for _, live in world.sim.store.shown})
    assert world.keys(MAIL) == issued >= 5
    assert not any(phase.failed for phase in world.said)
    # The first publication; and for each roll the next key's record, and the old one's end.
    assert len([done for done in world.dns.done if "_tcp" in done.changes.changes[0].owner.text]) <= 1 + 2 * issued


def test_certificates_behind_one_owner_share_its_set() -> None:
    world = shared()
    world.days(130, every=24)
    world.assert_never_wrong()
    assert world.keys(MAIL) == world.keys(MX) == 3
    world.days(5)
    assert len(records(world)) == 4


def test_a_renewal_that_is_due_before_the_gate_opens_keeps_the_key() -> None:
    world = DaneRuns()
    world.run()
    world.run()
    world.run(forced=[MAIL])
    assert len({live.stamp for _, live in world.sim.store.shown}) == 2
    assert world.keys(MAIL) == 1
    world.days(3)
    world.run(forced=[MAIL])
    assert world.keys(MAIL) == 2
    world.assert_never_wrong()


def test_a_first_run_that_finds_nobody_who_validates_keeps_the_key_for_ever() -> None:
    world = DaneRuns()
    world.tlsa.trust = Trust.UNPROVEN
    world.days(130, every=24)
    assert len({live.stamp for _, live in world.sim.store.shown}) >= 3
    assert world.keys(MAIL) == 1
    world.assert_never_wrong()


def test_a_person_s_roll_waits_for_the_gate_and_happens_then() -> None:
    world = DaneRuns()
    world.days(0.9)
    key = world.sim.store.lineage(MAIL).key_id or ""
    world.sim.journal.write([TlsaTurn(MAIL, TurnKind.ROLL, key, world.sim.clock.now())], [])
    world.run()
    world.days(2)
    assert world.keys(MAIL) == 2
    world.assert_never_wrong()


def test_records_that_are_retired_go_and_the_key_is_free_once_no_cache_has_one() -> None:
    world = DaneRuns()
    world.days(2)
    world.sim.journal.write([TlsaTurn(MAIL, TurnKind.RETIRE, "", world.sim.clock.now())], [])
    world.run()
    assert records(world) == frozenset()
    world.run(forced=[MAIL])
    assert world.keys(MAIL) == 1, "caches have the record still"
    world.days(2)
    assert world.sim.journal.tlsa == {}
    world.run(forced=[MAIL])
    assert world.keys(MAIL) == 2
    world.assert_never_wrong()


# --- what goes wrong --------------------------------------------------------------------------------------------------


def secondary_stops(world: DaneRuns) -> None:
    world.dns.stop(world.random.choice(list(world.dns.servers)[1:]), world.random.choice([DAY / 4, DAY, 5 * DAY]))


def secondary_is_silent(world: DaneRuns) -> None:
    world.dns.servers[SECONDARY].silent = True


def deployment_misses_an_address(world: DaneRuns) -> None:
    world.broken = {world.random.choice(world.addresses[MAIL])}


def service_is_down(world: DaneRuns) -> None:
    world.hosts.down = {world.random.choice(world.addresses[MAIL])}


def trust_is_lost(world: DaneRuns) -> None:
    world.tlsa.trust = world.random.choice(list(Trust))


def journal_is_lost(world: DaneRuns) -> None:
    world.sim.journal.tlsa.clear()


def key_ahead_is_lost(world: DaneRuns) -> None:
    world.sim.store.next_keys.clear()


def zone_is_refused(world: DaneRuns) -> None:
    world.dns.refused["example.org"] = ZoneError("HTTP 500")


def a_person_renews(world: DaneRuns) -> None:
    if MAIL in world.sim.store.live:
        world.run(forced=[MAIL])


def all_is_well(world: DaneRuns) -> None:
    world.dns.servers[SECONDARY].silent = False
    world.broken, world.hosts.down, world.tlsa.trust = set(), set(), Trust.SECURE
    world.dns.refused.clear()


def nothing(_: DaneRuns) -> None:
    pass


MISFORTUNES: Mapping[Callable[[DaneRuns], None], int] = {
    secondary_stops: 3,
    secondary_is_silent: 2,
    deployment_misses_an_address: 2,
    service_is_down: 2,
    trust_is_lost: 2,
    journal_is_lost: 1,
    key_ahead_is_lost: 1,
    zone_is_refused: 1,
    a_person_renews: 4,
    all_is_well: 14,
    nothing: 40,
}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_time_in_which_everything_happens(seed: int) -> None:
    world = DaneRuns(seed=seed)
    for _ in range(150):
        world.random.choices(list(MISFORTUNES), list(MISFORTUNES.values()))[0](world)
        moment = world.random.choice([-1, -1, -1, *range(10)])
        world.killed(**{world.random.choice(["publishing", "last"]): moment})
        world.rest(world.random.choice([1, 6, 12, 24]))
    all_is_well(world)
    world.days(70, every=24)
    world.assert_never_wrong()
    assert world.keys(MAIL) >= 3
    assert len(records(world)) == 2, "old records go in the end"


def test_a_certificate_that_is_not_on_the_page_any_more_keeps_its_records() -> None:
    world = shared()
    world.days(2)
    page = world.sim.configuration
    before = records(world)
    world.use(replace(page, certificates=page.certificates[:1]))
    world.run(forced=[MAIL])
    world.days(3)
    assert world.keys(MAIL) == 2
    assert before <= records(world), "what a service may still show is not known"
    (memory,) = world.sim.journal.tlsa.values()
    assert {item.alias for item in memory.known} == {MAIL, MX}
    note = world.look().seats[PLACE.name].decision.notes[-1]
    assert note.startswith(f"{MX} is not in domains.txt")
    assert f"certkeeper tlsa retire {MX}" in note
    world.use(page)
    world.days(3)
    assert len(records(world)) == 4, "put back, it is known whose records they are"
    world.assert_never_wrong()


def test_one_that_is_gone_for_good_is_forgotten_once_a_person_retires_it() -> None:
    world = shared()
    world.days(2)
    page = world.sim.configuration
    world.use(replace(page, certificates=page.certificates[:1]))
    world.addresses.pop(MX)
    world.hosts.addresses[PLACE.host].pop("AAAA")  # type: ignore[attr-defined]
    world.days(1)
    assert len(records(world)) == 4
    world.sim.journal.write([TlsaTurn(MX, TurnKind.RETIRE, "", world.sim.clock.now())], [])
    world.days(1)
    assert len(records(world)) == 2
    (memory,) = world.sim.journal.tlsa.values()
    assert [item.alias for item in memory.known] == [MAIL]


def test_an_only_certificate_that_leaves_the_page_leaves_its_records_there() -> None:
    world = DaneRuns(servers=dict(TWO))
    world.days(2)
    before = records(world)
    world.use(Configuration(world.sim.configuration.settings, ()))
    world.days(3)
    assert records(world) == before


def test_a_certificate_that_cannot_be_read_keeps_its_records() -> None:
    world = DaneRuns(servers=dict(TWO))
    world.days(2)
    before, live = records(world), world.sim.store.live[MAIL]
    pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    world.sim.store.live[MAIL] = replace(live, files=replace(live.files, cert=pem))
    view = world.look()
    assert MAIL in view.unread
    seat = view.seats[PLACE.name]
    assert (seat.decision.add, seat.decision.remove) == (frozenset(), frozenset())
    assert seat.memory.age.ours == before


def test_a_host_whose_cname_still_leads_here_keeps_its_records_though_its_page_wants_none() -> None:
    other = DnsName("mx.example.org")
    world = DaneRuns(mailed("mail.example.org"), mailed("mx.example.org", host=other), servers=dict(TWO))
    place = DnsName("_dane.example.org")
    world.tlsa.aliases = {PLACE.name: place, TlsaOwner(25, Transport.TCP, other).name: place}
    world.days(2)
    before = world.dns.tlsa(PRIMARY, place)[0]
    assert len(before) == 4
    page = world.sim.configuration
    world.use(replace(page, certificates=(page.certificates[0], replace(page.certificates[1], tlsa=None))))
    world.days(3)
    assert chain_face(world.chain(MX), [EE]).records <= world.dns.tlsa(PRIMARY, place)[0]
    world.use(page)
    world.assert_never_wrong()


# --- killed -----------------------------------------------------------------------------------------------------------


def rolled() -> DaneRuns:
    """The next run orders with the next key."""
    world = begun()
    world.days(0.9, every=7)
    assert world.look().seats[PLACE.name].decision.stages[0].order.value == Allowed.NEXT.value
    return world


def begun() -> DaneRuns:
    """The next run is the first one."""
    return DaneRuns(servers={PRIMARY: NameServer(), SECONDARY: NameServer(lag=0.7)})


def ageing() -> DaneRuns:
    """The next run takes the old key's record away."""
    world = rolled()
    world.run(forced=[MAIL])
    world.rest(6)
    return world


@pytest.mark.parametrize("kind", ["publishing", "last", "issuing"])
@pytest.mark.parametrize("scene", [begun, rolled, ageing], ids=lambda scene: scene.__name__)
def test_a_run_that_is_killed_anywhere_is_gone_on_with(scene: Callable[[], DaneRuns], kind: str) -> None:
    moment, forced = 0, [MAIL] if scene is rolled else []
    while True:
        world = scene()
        # Of issuing only its end is about TLSA records.
        died = world.killed(forced=forced, **{kind: moment})
        world.rest(1)
        world.days(1.2, every=7)
        world.assert_never_wrong()
        assert len(records(world)) == 2, moment
        world.run(forced=[MAIL])
        assert not world.said[-1].failed
        assert world.keys(MAIL) >= 2, "the gate opens after all"
        world.assert_never_wrong()
        if not died:
            break
        moment += 1 if kind != "issuing" else 7
    assert moment or scene is ageing or kind == "publishing"


def test_what_is_remembered_is_written_before_the_zone_is_changed() -> None:
    world = begun()
    writes: list[str] = []
    change, write = world.dns.change, world.sim.journal.write

    def changed(*what: object) -> None:
        writes.append("zone")
        change(*what)  # type: ignore[arg-type]

    def written(put: object, drop: object) -> None:
        if any(type(item).__name__ == "TlsaMemory" for item in put):  # type: ignore[attr-defined]
            writes.append("journal")
        write(put, drop)  # type: ignore[arg-type]

    world.dns.change, world.sim.journal.write = changed, written  # type: ignore[method-assign, assignment]
    world.run()
    del writes[: writes.index("journal")]
    assert writes == ["journal", "zone", "journal"]


def test_a_secondary_that_does_not_follow_costs_no_more_than_the_bound() -> None:
    world = DaneRuns(servers=dict(TWO))
    world.run()
    world.days(3)
    world.dns.stop(SECONDARY, 30 * DAY)
    before = world.sim.clock.monotonic()
    world.run(forced=[MAIL])
    bound = world.sim.configuration.settings.propagation
    assert bound <= timedelta(seconds=world.sim.clock.monotonic() - before) < bound + timedelta(minutes=2)
    assert not world.said[-1].failed


# --- wrong ways -------------------------------------------------------------------------------------------------------


class Hasty(Watched):
    """The gate is open as soon as there is a next key."""

    def gates(self) -> Mapping[Alias, Gate]:
        return dict.fromkeys(super().gates(), Gate(Allowed.NEXT))

    def check(self, alias: Alias, stamp: int) -> None:
        pass


class Ungated(Watched):
    """Whoever chooses the key does not ask."""

    def gates(self) -> Mapping[Alias, Gate]:
        return dict.fromkeys(super().gates(), Gate(Allowed.ANY))


class Unpublished(Hasty):
    """And the next key has no record before it is live."""

    def look(self) -> View:
        view = super().look()
        seats = {}
        for name, seat in view.seats.items():
            ahead = [item.next.records for item in seat.decision.place.bearers if item.next is not None]
            add = seat.decision.add.difference(*ahead)
            seats[name] = replace(seat, decision=replace(seat.decision, add=add))
        return replace(view, seats=seats)


class Blind(Watched):
    """Services are taken to show what is live, and the key before is taken to be gone at once."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self._of = machine

    def look(self) -> View:
        view = super().look()
        seats = {}
        for name, seat in view.seats.items():
            live = frozenset().union(*(item.live.records for item in seat.decision.place.bearers))
            there = frozenset().union(*(item.records or frozenset() for item in seat.decision.place.answers))
            seats[name] = replace(seat, decision=replace(seat.decision, remove=there - live - seat.decision.add))
        return replace(view, seats=seats)


class TestMutants:
    """Wrong ways to roll a key. A world that lets one pass proves nothing."""

    def rolls(self, world: DaneRuns) -> None:
        for _ in range(6):
            world.run(forced=[MAIL] if MAIL in world.sim.store.live else [])
            world.rest(0.1)
        world.days(3)

    @pytest.mark.parametrize("mutant", [Hasty, Unpublished], ids=lambda mutant: mutant.__name__)
    def test_no_wait_and_a_key_that_was_never_published_are_caught(self, mutant: type[Watched]) -> None:
        world = DaneRuns(servers=dict(TWO))
        world.make = mutant
        self.rolls(world)
        with pytest.raises(Broken):
            world.assert_never_wrong()

    def test_an_old_record_that_is_taken_away_before_the_deployment_is_caught(self) -> None:
        world = rolled()
        world.broken = set(world.addresses[MAIL][:1])
        world.make = Blind
        self.rolls(world)
        with pytest.raises(Broken):
            world.assert_never_wrong()

    def test_where_the_choice_of_the_key_ignores_the_gate_no_version_goes_live_before_its_time(self) -> None:
        world = DaneRuns(servers=dict(TWO))
        world.make = Ungated
        self.rolls(world)
        world.assert_never_wrong()

    def test_the_true_way_passes_where_the_mutants_do_not(self) -> None:
        world = rolled()
        world.broken = set(world.addresses[MAIL][:1])
        self.rolls(world)
        world.assert_never_wrong()
        assert world.keys(MAIL) == 2
