"""Two years of certificates under TLSA records, in a world where everything goes wrong but what is served."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from certkeeper.base.value import replace
from certkeeper.dane.facts import Trust
from certkeeper.dane.rollover import Decision, Order, State
from certkeeper.dane.tlsa import Tlsa
from certkeeper.dane.transitions import FROM_ANY, USUAL
from world.dane import EE, EE512, Broken, Killed, World, face

ALLOWED = {(way.before, way.after) for way in USUAL}
ALWAYS = {after for _, after in FROM_ANY}


SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 20))]


def assert_known_ways(world: World) -> None:
    # Between two looks more than one thing may happen, so a way may be a walk of them.
    reach = set(ALLOWED) | {(state, after) for state in State for after in ALWAYS}
    for _ in range(len(State)):
        reach |= {(a, d) for a, b in reach for c, d in ALLOWED if b == c}
    assert world.ways <= reach, world.ways - reach


@pytest.mark.parametrize("certs", [1, 2])
@pytest.mark.parametrize("types", [frozenset({EE}), frozenset({EE, EE512})])
def test_two_quiet_years_roll_at_every_renewal(certs: int, types: frozenset) -> None:  # type: ignore[type-arg]
    world = World(1, certs, types=types)
    for _ in world.days(730 // certs):
        world.run()
    assert world.rolls >= 22
    assert_known_ways(world)
    assert len(world.servers[0].records) == 2 * certs * len(types), "old records go, and nothing else is left"


@pytest.mark.parametrize("seed", SEEDS)
def test_two_years_in_which_everything_happens(seed: int) -> None:
    world = World(seed, certs=1 + seed % 2)
    for _ in world.days(730, timedelta(hours=world.random.choice([6, 12]))):
        misfortune(world)
        world.budget = world.random.choice([-1, -1, -1, *range(9)])
        try:
            world.run()
        except Killed:
            world.budget = -1
    heal(world)
    for _ in world.days(130):
        world.run()
    assert world.rolls >= 3
    assert_known_ways(world)


def misfortune(world: World) -> None:
    """Now and then one thing, at random."""
    what = world.random.choices(list(MISFORTUNES), list(MISFORTUNES.values()))[0]
    what(world)


def server_dies(world: World) -> None:
    world.random.choice(world.servers[1:]).dead = True


def server_freezes(world: World) -> None:
    world.random.choice(world.servers[1:]).frozen = True


def servers_mend(world: World) -> None:
    server = world.random.choice(world.servers[1:])
    server.dead = server.frozen = False


def ttl_is_changed(world: World) -> None:
    world.change(frozenset(), frozenset(), ttl=world.random.choice([60, 3600, 86400]))


def record_is_removed_by_hand(world: World) -> None:
    cert = world.random.choice(world.certs)
    if cert.next:
        world.change(frozenset(), face(cert.next, world.types).records)


def next_key_is_lost(world: World) -> None:
    world.random.choice(world.certs).next = None


def ca_fails(world: World) -> None:
    world.ca_fails = True


def trust_is_lost(world: World) -> None:
    world.trust = world.random.choice(list(Trust))


def deployment_fails(world: World) -> None:
    world.broken = {world.random.choice(list(world.random.choice(world.certs).endpoints))}


def clock_jumps(world: World) -> None:
    world.skew = timedelta(hours=world.random.choice([-48, 48]))


def journal_is_deleted(world: World) -> None:
    world.age = None


def strangers_publish(world: World) -> None:
    world.change(frozenset({Tlsa(9, 9, 9, b"x"), Tlsa(3, 1, 1, b"y" * 32)}), frozenset())


def nothing(_: World) -> None:
    pass


def all_is_well(world: World) -> None:
    world.trust, world.skew, world.ca_fails, world.broken = Trust.SECURE, timedelta(), False, set()


MISFORTUNES: dict[Callable[[World], None], int] = {
    server_dies: 2,
    server_freezes: 2,
    servers_mend: 8,
    ttl_is_changed: 2,
    record_is_removed_by_hand: 2,
    next_key_is_lost: 1,
    ca_fails: 2,
    trust_is_lost: 2,
    deployment_fails: 2,
    clock_jumps: 1,
    journal_is_deleted: 1,
    strangers_publish: 1,
    all_is_well: 12,
    nothing: 62,
}


def heal(world: World) -> None:
    world.budget = -1
    for server in world.servers:
        server.dead = server.frozen = False
    all_is_well(world)


@pytest.mark.parametrize("budget", range(16))
def test_a_run_that_is_killed_anywhere_is_finished_by_the_next_one(budget: int) -> None:
    world = World(3)
    for _ in world.days(200):
        world.budget = budget if world.certs[0].due <= world.now or world.random.random() < 0.2 else -1
        try:
            world.run()
        except Killed:
            world.budget = -1
    world.budget = -1
    for _ in world.days(70):
        world.run()
    assert world.rolls >= 2
    assert len(world.servers[0].records) == 2


class TestMutants:
    """Wrong ways to roll a key. A world that lets one pass proves nothing."""

    def roll(self, world: World, judge: object) -> None:
        for _ in world.days(40, timedelta(hours=1)):
            world.run(judge)  # type: ignore[arg-type]

    @pytest.mark.parametrize("share", [0, 1])
    def test_no_wait_and_a_wait_of_one_ttl_are_caught(self, share: int) -> None:
        def hasty(decision: Decision) -> Decision:
            return early(decision, timedelta(seconds=share * 3600))

        world = World(5, servers=2)
        world.servers[1].lag = timedelta()
        prepared(world, timedelta(hours=share))
        with pytest.raises(Broken):
            self.roll(world, hasty)

    def test_a_first_roll_to_a_key_that_was_never_published_is_caught(self) -> None:
        world = World(5, servers=1)
        world.run()
        world.run()
        world.certs[0].due = world.now
        with pytest.raises(Broken):
            self.roll(world, lambda decision: early(replace(decision, add=frozenset()), timedelta()))

    def test_the_old_record_taken_away_before_the_deployment_is_caught(self) -> None:
        world = World(5, servers=1)
        for _ in world.days(2):
            world.run()
        live = face(world.certs[0].live, world.types).records
        with pytest.raises(Broken):
            self.roll(world, lambda decision: replace(decision, remove=live))

    def test_an_address_that_was_left_out_keeps_the_old_record(self) -> None:
        world = World(5, servers=1)
        world.broken = {"[::0]:25"}
        for _ in world.days(40):
            decision = world.run()
        assert world.rolls == 1
        assert decision.stages[0].state is State.REPLACING
        assert decision.kept == "[::0]:25 shows another key"
        world.broken = set()
        for _ in world.days(40):
            world.run()
        assert world.rolls == 2

    def test_the_true_way_passes_where_the_mutants_do_not(self) -> None:
        world = World(5, servers=2)
        prepared(world)
        self.roll(world, lambda decision: decision)
        assert world.rolls >= 1


def prepared(world: World, due: timedelta = timedelta()) -> None:
    """The current key is published and old; the next one was published just now; a certificate is due after that."""
    world.rollover = False
    for _ in world.days(2):
        world.run()
    world.rollover = True
    world.run()
    world.run()
    world.certs[0].due = world.now + due


def early(decision: Decision, wait: timedelta) -> Decision:
    """The gate opens that long after the next key's record was published."""
    opened = []
    for stage, bearer in zip(decision.stages, decision.place.bearers, strict=True):
        face_ = bearer.next or bearer.staged
        records = face_.records if face_ is not None else frozenset()
        stands = [decision.age.standing[record] for record in records if record in decision.age.standing]
        since = max((item.since for item in stands), default=None)
        ripe = (wait == timedelta() and not decision.add) or (since is not None and decision.age.at >= since + wait)
        staged = replace(stage.staged, reason="") if stage.staged is not None and ripe else stage.staged
        opened.append(replace(stage, order=Order.NEXT if ripe and face_ else stage.order, staged=staged))
    return replace(decision, stages=tuple(opened))
