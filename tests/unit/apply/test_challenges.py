from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from builders.dnsworld import NEVER, PRIMARY, SECONDARY, DnsWorld, NameServer
from builders.fakeca import FakeCa
from builders.fakeports import fake_ports
from builders.fakes import (
    FakeClock,
    SeededExecutor,
    through,
)
from builders.plans import zone
from certkeeper.apply.challenges import WAVE_SECONDS, WAVE_SIZE, Waves
from certkeeper.apply.effects import ChangeZone, NotifyZone
from certkeeper.apply.propagate import Terms
from certkeeper.apply.scheduler import Scheduler
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Event, Noted, ZoneChanged
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.wire import Exchange, Step, TransportError, pause
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.rrset import Zone, ZoneKind

ORG, NET = zone("example.org"), zone("example.net")
BOUND = timedelta(seconds=20)


@dataclass(slots=True)
class Scene:
    """Waves in a world of two zones. Each lineage starts, works for a while, has its values proven, and holds them."""

    zones: tuple[Zone, ...] = (ORG, NET)
    clock: FakeClock = field(default_factory=FakeClock)
    proven: dict[str, tuple[float, Exception | None]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    dns: DnsWorld = field(init=False)
    executor: SeededExecutor = field(init=False)
    scheduler: Scheduler = field(init=False)
    waves: Waves = field(init=False)

    def __post_init__(self) -> None:
        self.dns = DnsWorld(self.clock, self.zones, {PRIMARY: NameServer(), SECONDARY: NameServer()})
        ca = FakeCa(self.clock, self.dns.look)
        ports = fake_ports(self.clock, self.dns, ca)
        self.executor = SeededExecutor(through(ports), self.clock, latency=lambda _: 0.01)
        self.scheduler = Scheduler(self.executor, self.clock)
        self.waves = Waves(self.scheduler, self.events.append, Terms(BOUND), Terms(BOUND))

    def start(self, name: str, *zones: Zone, after: float = 0.0, holds: float = 1.0) -> None:
        """A lineage with one value in each of these zones, that parks `after` seconds."""
        self.waves.enter(Alias(name), zones)
        self.scheduler.spawn(self._lineage(name, zones, after, holds), lambda _value, _error: None)

    def start_failing(self, name: str, *zones: Zone, after: float) -> None:
        """A lineage that ends before it needs a proof."""
        self.waves.enter(Alias(name), zones)

        def fails() -> Exchange[None]:
            yield from pause(after)
            self.waves.release(Alias(name))

        self.scheduler.spawn(fails(), lambda _value, _error: None)

    def _lineage(self, name: str, zones: tuple[Zone, ...], after: float, holds: float) -> Exchange[None]:
        yield from pause(after)
        values = {zone: {owner(name, zone): frozenset({f"{name} in {zone.name}"})} for zone in zones}
        try:
            yield from self.waves.proof(Alias(name), values)
        except CertkeeperError as error:
            self.proven[name] = (self.clock.seconds, error)
        else:
            self.proven[name] = (self.clock.seconds, None)
            assert all(self.dns.look(owner(name, zone)) == [{f"{name} in {zone.name}"}] * 2 for zone in zones)
            yield from pause(holds)
        finally:
            self.waves.release(Alias(name))

    def run(self) -> None:
        self.scheduler.run()

    @property
    def failed(self) -> dict[str, str]:
        return {name: str(error) for name, (_, error) in self.proven.items() if error is not None}

    def changes(self, zone: Zone) -> list[tuple[float, bool]]:
        """When the zone was changed, and whether the change published something."""
        return [(done.at, done.publishes) for done in self.dns.done if done.zone == zone.name.text]


def owner(name: str, zone: Zone) -> DnsName:
    return DnsName(f"_acme-challenge.{name}.{zone.name}")


def fails_at(*numbers: int, scene: Scene, error: CertkeeperError) -> Callable[[Step], float]:
    """Changes of these numbers (from 0) fail and are not applied."""
    count = iter(range(1000))

    def latency(step: Step) -> float:
        if isinstance(step, ChangeZone):
            scene.dns.refused.clear()
            if next(count) in numbers:
                scene.dns.refused[step.zone.name.text] = error
        return 0.01

    return latency


def test_a_wave_closes_when_no_running_lineage_can_still_join() -> None:
    scene = Scene()
    scene.start("a", ORG)
    scene.start("b", ORG, after=3)
    scene.run()
    assert scene.failed == {}
    assert [(round(at), publishes) for at, publishes in scene.changes(ORG)] == [(3, True), (4, False)]


def test_a_lineage_of_another_zone_holds_nobody_up() -> None:
    scene = Scene()
    scene.start("a", ORG)
    scene.start("b", NET, after=5)
    scene.run()
    assert scene.proven["a"][0] < 1
    assert scene.dns.counts() == {"example.org": (1, 1), "example.net": (1, 1)}


def test_a_lineage_that_fails_early_lets_the_wave_close() -> None:
    scene = Scene()
    scene.start("a", ORG)
    scene.start_failing("b", ORG, after=2)
    scene.run()
    assert 2 <= scene.proven["a"][0] < 2.5
    assert scene.dns.counts() == {"example.org": (1, 1)}


def test_a_wave_closes_some_seconds_after_the_first_one_parked() -> None:
    scene = Scene()
    scene.start("a", ORG, after=1)
    scene.start("b", ORG, after=2)
    scene.start("late", ORG, after=1 + WAVE_SECONDS + 5)
    scene.run()
    assert scene.failed == {}
    assert WAVE_SECONDS + 1 <= scene.proven["a"][0] < WAVE_SECONDS + 1.5
    assert scene.proven["a"][0] == scene.proven["b"][0]
    assert scene.dns.counts() == {"example.org": (2, 2)}


def test_a_wave_closes_at_its_size() -> None:
    scene = Scene()
    for at in range(WAVE_SIZE):
        scene.start(f"n{at}", ORG)
    scene.start("late", ORG, after=5)
    scene.run()
    assert scene.proven["n0"][0] < 1
    assert scene.dns.counts() == {"example.org": (2, 2)}


def test_a_second_wave_has_its_full_time_too() -> None:
    scene = Scene()
    for at in range(WAVE_SIZE):
        scene.start(f"n{at}", ORG)
    scene.start("first of the second", ORG, after=6)
    scene.start("joins", ORG, after=6 + WAVE_SECONDS - 1)
    scene.start("never parks in time", ORG, after=60)
    scene.run()
    assert scene.proven["first of the second"][0] == scene.proven["joins"][0]
    assert scene.dns.counts() == {"example.org": (3, 3)}


def test_the_values_of_a_wave_go_when_its_last_lineage_needs_them_no_more() -> None:
    scene = Scene()
    scene.start("short", ORG, holds=1)
    scene.start("long", ORG, holds=7)
    scene.run()
    ((published, _), (withdrawn, _)) = scene.changes(ORG)
    assert 7 <= withdrawn - published < 7.5
    assert scene.dns.txt() == {}


def test_a_lineage_of_two_zones_waits_for_both() -> None:
    scene = Scene()
    scene.start("both", ORG, NET)
    scene.start("slow", NET, after=4)
    scene.run()
    assert scene.proven["both"][0] >= 4
    assert scene.failed == {}
    assert scene.dns.counts() == {"example.org": (1, 1), "example.net": (1, 1)}


def test_a_change_that_is_refused_fails_its_lineages_and_is_withdrawn() -> None:
    scene = Scene()
    scene.executor.latency = fails_at(0, scene=scene, error=ZoneError("example.org: HTTP 422"))
    scene.start("a", ORG)
    scene.start("b", ORG)
    scene.run()
    assert scene.failed == {"a": "example.org: HTTP 422", "b": "example.org: HTTP 422"}
    published, withdrawn = (changes for _, changes in scene.dns.tried)
    assert withdrawn == published.invert()
    assert scene.waves.withdrawal_errors == []
    # What never went through is not told as withdrawn.
    (told,) = [event.text for event in scene.events if isinstance(event, ZoneChanged)]
    assert told == "zone example.org: 2 challenge records made sure to be gone, as the change failed"


def test_what_a_person_writes_is_told_as_asked_for_and_not_as_done() -> None:
    by_hand = replace(ORG, kind=ZoneKind.BY_HAND)
    scene = Scene((by_hand,))
    scene.dns.servers[SECONDARY].lag = NEVER
    scene.start("a", by_hand)
    scene.run()
    assert [event.text for event in scene.events if isinstance(event, ZoneChanged)] == [
        "zone example.org: 1 challenge record of 1 certificate to be published by you",
        "zone example.org: 1 challenge record to be removed by you",
    ]
    _, error = scene.proven["a"]
    assert isinstance(error, CertkeeperError)
    assert "still answers without" in str(error)
    assert error.hint.startswith("publish the records that were printed")


def test_a_change_that_fails_in_passing_is_tried_again_after_longer_and_longer_pauses() -> None:
    scene = Scene()
    scene.executor.latency = fails_at(0, 1, 2, scene=scene, error=TransportError("connection reset"))
    scene.start("a", ORG)
    scene.run()
    assert scene.failed == {}
    assert scene.changes(ORG)[0][0] == pytest.approx(0.25 + 1 + 4, abs=0.2)


def test_after_four_tries_it_is_given_up_and_withdrawn() -> None:
    scene = Scene()
    scene.executor.latency = fails_at(0, 1, 2, 3, scene=scene, error=TransportError("connection reset"))
    scene.start("a", ORG)
    scene.run()
    assert scene.failed == {"a": "connection reset"}
    assert len(scene.dns.tried) == 5


def test_a_failure_that_is_none_in_passing_is_not_tried_again() -> None:
    scene = Scene()
    error = TransportError("certificate not trusted", transient=False)
    scene.executor.latency = fails_at(0, scene=scene, error=error)
    scene.start("a", ORG)
    scene.run()
    assert scene.failed == {"a": "certificate not trusted"}
    assert len(scene.dns.tried) == 2


def test_a_withdrawal_that_fails_is_an_error_of_its_own_and_harms_no_lineage() -> None:
    scene = Scene()
    scene.executor.latency = fails_at(1, scene=scene, error=ZoneError("example.org: HTTP 500"))
    scene.start("a", ORG)
    scene.run()
    assert scene.failed == {}
    (error,) = scene.waves.withdrawal_errors
    assert str(error) == "zone example.org: challenge records may still be there: example.org: HTTP 500"
    assert '_acme-challenge.a.example.org TXT "a in example.org"' in error.hint


def test_where_no_servers_are_found_nothing_is_published() -> None:
    scene = Scene()
    scene.dns.hidden = {"example.org"}
    scene.start("a", ORG)
    scene.start("b", NET)
    scene.run()
    assert set(scene.failed) == {"a"}
    assert [name for name, _ in scene.dns.tried] == ["example.net", "example.net"]


def test_what_a_server_never_serves_fails_and_is_withdrawn() -> None:
    scene = Scene()
    scene.dns.slow["example.org", SECONDARY] = NEVER
    scene.start("a", ORG)
    scene.start("b", NET)
    scene.run()
    assert set(scene.failed) == {"a"}
    assert "_acme-challenge.a.example.org" in scene.failed["a"]
    assert scene.dns.counts() == {"example.org": (1, 1), "example.net": (1, 1)}
    assert scene.dns.txt() == {}


def test_one_failing_zone_withdraws_what_the_lineage_published_in_the_other() -> None:
    scene = Scene()
    scene.dns.slow["example.org", SECONDARY] = NEVER
    scene.start("both", ORG, NET)
    scene.run()
    assert set(scene.failed) == {"both"}
    assert scene.dns.txt() == {}


def test_values_of_one_owner_are_published_together() -> None:
    scene = Scene()
    scene.waves.enter(Alias("a"), [ORG])
    at = owner("a", ORG)

    def lineage() -> Exchange[None]:
        yield from scene.waves.proof(Alias("a"), {ORG: {at: frozenset({"one", "two"})}})
        assert scene.dns.look(at) == [{"one", "two"}] * 2
        scene.waves.release(Alias("a"))

    scene.scheduler.spawn(lineage(), lambda _value, error: scene.proven.update(a=(0.0, error)))
    scene.run()
    assert scene.proven == {"a": (0.0, None)}
    assert scene.dns.counts() == {"example.org": (1, 1)}


def test_primaries_are_asked_to_notify_after_each_change_and_others_are_not() -> None:
    native = zone("example.net", ZoneKind.NATIVE)
    scene = Scene((ORG, native))
    scene.start("a", ORG)
    scene.start("b", native)
    scene.run()
    assert scene.dns.notified == ["example.org", "example.org"]


def test_a_notify_that_hangs_holds_nobody_up() -> None:
    scene = Scene()
    scene.executor.latency = lambda step: 3600.0 if isinstance(step, NotifyZone) else 0.01
    scene.start("a", ORG)
    scene.run()
    assert scene.failed == {}
    assert scene.clock.seconds < 5


def test_a_notify_that_fails_is_noted_and_harms_nobody() -> None:
    scene = Scene()
    scene.dns.mute = {"example.org"}
    scene.start("a", ORG)
    scene.run()
    assert scene.failed == {}
    assert [event.text for event in scene.events if isinstance(event, Noted)] == [
        "zone example.org: secondaries were not notified: example.org: HTTP 500"
    ] * 2


def test_changes_are_told() -> None:
    scene = Scene()
    scene.start("a", ORG)
    scene.start("b", ORG)
    scene.run()
    assert [event.text for event in scene.events if isinstance(event, ZoneChanged)] == [
        "zone example.org: 2 challenge records of 2 certificates published",
        "zone example.org: 2 challenge records withdrawn",
    ]
    assert not [event for event in scene.events if isinstance(event, Noted)]


def test_a_value_that_two_waves_share_stays_until_both_are_done_with_it() -> None:
    scene = Scene()
    shared = owner("shared", ORG)
    seen: list[object] = []

    def holder(name: str, after: float, holds: float) -> Exchange[None]:
        yield from pause(after)
        yield from scene.waves.proof(Alias(name), {ORG: {shared: frozenset({"of both"})}})
        yield from pause(holds)
        seen.append(scene.dns.look(shared))
        scene.waves.release(Alias(name))

    for name, after, holds in (("first", 0.0, 15.0), ("second", WAVE_SECONDS + 2, 30.0)):
        scene.waves.enter(Alias(name), [ORG])
        scene.scheduler.spawn(holder(name, after, holds), lambda _value, _error: None)
    scene.run()
    assert len(scene.changes(ORG)) >= 2
    assert seen == [[{"of both"}] * 2] * 2
    assert scene.dns.txt() == {}
