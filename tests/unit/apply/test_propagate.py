from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from builders.dnsworld import NEVER, PRIMARY, SECONDARY, DnsWorld, NameServer
from builders.fakes import FakeClock, SeededExecutor
from builders.plans import zone
from certkeeper.apply.effects import AskServer
from certkeeper.apply.propagate import Proof, Unproven
from certkeeper.apply.scheduler import Scheduler
from certkeeper.base.errors import CertkeeperError, OutOfDescriptors
from certkeeper.base.events import Event, Noted, ServersWaited, ZoneProven
from certkeeper.base.names import DnsName
from certkeeper.base.wire import Step
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.propagation import PATIENCE, Server, ServerSet
from certkeeper.zone.rrset import txt_rdata

ORG = zone("example.org")
A, B = DnsName("_acme-challenge.a.example.org"), DnsName("_acme-challenge.b.example.org")
WANTED = {A: frozenset({"1"}), B: frozenset({"2", "3"})}
BOUND = timedelta(seconds=30)
THIRD = Server("ns2.test", "2001:db8::2")


@dataclass(slots=True)
class Ended:
    """A proof that has ended: what it found, when servers were asked (seconds), and what was told."""

    unproven: Unproven
    seconds: float
    asked: list[tuple[Server, float]]
    events: list[Event]

    def times(self, server: Server) -> list[float]:
        return [round(at, 3) for asked, at in self.asked if asked == server]


@dataclass(slots=True)
class Scene:
    servers: dict[Server, NameServer]
    skipped: tuple[str, ...] = ()
    bound: timedelta = BOUND
    answers: Mapping[Server, float] = field(default_factory=dict)
    unaskable: Mapping[Server, int] = field(default_factory=dict)
    """How often nothing is left here to ask that server with."""
    asked: list[tuple[Server, float]] = field(default_factory=list)

    def run(self) -> Ended:
        clock = FakeClock()
        world = DnsWorld(clock, [ORG], self.servers)
        changes = [
            RecordChange(owner, "TXT", add=frozenset(txt_rdata(value) for value in values))
            for owner, values in WANTED.items()
        ]
        world.change(ORG, ChangeSet.of(changes))

        def perform(step: Step) -> object:
            assert isinstance(step, AskServer)
            self.asked.append((step.server, clock.seconds))
            if sum(server == step.server for server, _ in self.asked) <= self.unaskable.get(step.server, 0):
                raise OutOfDescriptors(str(step.server))
            return world.ask_txt(step.server, step.owners)

        scheduler = Scheduler(SeededExecutor(perform, clock, latency=self._seconds), clock)
        events: list[Event] = []
        ended: list[object] = []
        servers = ServerSet(tuple(self.servers), self.skipped)
        exchange = Proof(scheduler, ORG.name, servers, self.bound, events.append).of(WANTED)
        decided: list[float] = []

        def done(value: object, error: Exception | None) -> None:
            ended.append(value if error is None else error)
            decided.append(clock.seconds)

        scheduler.spawn(exchange, done)
        scheduler.run()
        (unproven,) = ended
        assert isinstance(unproven, Unproven)
        return Ended(unproven, decided[0], self.asked, events)

    def _seconds(self, step: Step) -> float:
        assert isinstance(step, AskServer)
        return self.answers.get(step.server, 0.0)


def texts(events: list[Event], kind: type[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, kind)]


def test_servers_that_serve_it_at_once_are_asked_once() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer()}).run()
    assert proof.unproven.owners == frozenset()
    assert sorted(proof.asked) == [(PRIMARY, 0.0), (SECONDARY, 0.0)]
    assert texts(proof.events, ZoneProven) == [
        "zone example.org: served by ns1.test (192.0.2.1), ns2.test (192.0.2.2) after 0.0 s"
    ]


def test_polls_come_at_doubling_distances_up_to_two_seconds() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=9)}).run()
    assert proof.unproven.owners == frozenset()
    assert proof.times(SECONDARY) == [0.0, 0.1, 0.3, 0.7, 1.5, 3.1, 5.1, 7.1, 9.1]


def test_a_server_that_confirmed_is_not_asked_again() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=5)}).run()
    assert proof.times(PRIMARY) == [0.0]


def test_a_lagging_secondary_is_told_once() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=20)}).run()
    assert texts(proof.events, ServersWaited) == ["zone example.org: waiting for ns2.test (192.0.2.2)"]
    assert proof.seconds < 22.5


def test_at_the_bound_a_server_without_the_values_fails_them() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=NEVER)}).run()
    assert proof.unproven.owners == {A, B}
    assert BOUND.total_seconds() <= proof.seconds < BOUND.total_seconds() + 0.5
    error = proof.unproven.error([A])
    assert str(error) == (
        "zone example.org: ns2.test (192.0.2.2) still answers without _acme-challenge.a.example.org after 30 s"
    )
    assert "WAIT" in error.hint


def test_a_silent_name_server_is_waited_for_until_the_bound_and_then_noted() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(silent=True)}).run()
    assert proof.unproven.owners == frozenset()
    assert proof.seconds >= BOUND.total_seconds()
    (note,) = texts(proof.events, Noted)
    assert note.startswith("zone example.org: ns2.test (192.0.2.2) did not answer (")
    assert note.endswith("); others serve the records")


def test_a_silent_address_beside_one_that_confirms_is_asked_patience_times() -> None:
    servers = {PRIMARY: NameServer(), SECONDARY: NameServer(), THIRD: NameServer(silent=True)}
    proof = Scene(servers).run()
    assert proof.unproven.owners == frozenset()
    assert len(proof.times(THIRD)) == PATIENCE
    assert proof.seconds < 1


def test_nobody_answers() -> None:
    proof = Scene({PRIMARY: NameServer(silent=True), SECONDARY: NameServer(silent=True)}).run()
    assert proof.unproven.owners == {A, B}
    error = proof.unproven.error([A, B])
    assert "no name server confirms _acme-challenge.a.example.org, _acme-challenge.b.example.org within 30 s" in str(
        error
    )
    assert "ns1.test (192.0.2.1): " in str(error)
    assert "NAMESERVERS" in error.hint
    assert texts(proof.events, ZoneProven) == []


def test_addresses_that_are_left_out_are_told() -> None:
    proof = Scene({PRIMARY: NameServer()}, skipped=("ns1.test (2001:db8::1): no IPv6 route",)).run()
    assert texts(proof.events, Noted) == ["zone example.org: ns1.test (2001:db8::1): no IPv6 route"]


def test_slow_answers_do_not_stretch_the_bound() -> None:
    proof = Scene({PRIMARY: NameServer(lag=NEVER)}, answers={PRIMARY: 4.0}).run()
    assert proof.seconds == BOUND.total_seconds()


def test_a_server_that_takes_its_time_to_stay_silent_holds_no_other_one_up() -> None:
    servers = {PRIMARY: NameServer(), SECONDARY: NameServer(lag=1), THIRD: NameServer(silent=True)}
    proof = Scene(servers, answers={THIRD: 5.0}).run()
    assert proof.times(SECONDARY) == [0.0, 0.1, 0.3, 0.7, 1.5]
    assert proof.unproven.owners == frozenset()


def test_what_a_server_says_after_the_verdict_does_not_count() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer()}, answers={SECONDARY: 31.0}).run()
    assert proof.unproven.owners == frozenset()
    assert proof.unproven.verdict.confirmed == (PRIMARY,)
    assert dict(proof.unproven.verdict.silent) == {SECONDARY: "not asked yet"}


def test_many_missing_names_are_cut() -> None:
    proof = Scene({PRIMARY: NameServer(lag=NEVER)}).run()
    many = [DnsName(f"n{at}.example.org") for at in range(7)]
    error: CertkeeperError = proof.unproven.error([A, *many])
    assert str(error).count("example.org") == 1 + 5
    assert "n3.example.org …" in str(error)


def test_a_server_that_cannot_be_asked_from_here_is_no_silent_one() -> None:
    ended = Scene({PRIMARY: NameServer()}, unaskable={PRIMARY: 10_000}).run()
    assert ended.unproven.owners == {A, B}
    error = ended.unproven.error([A])
    assert isinstance(error, OutOfDescriptors)
    assert ended.unproven.error([B]) is error, "one reason, told once"


def test_it_is_asked_again() -> None:
    ended = Scene({PRIMARY: NameServer()}, unaskable={PRIMARY: 5}).run()
    assert ended.unproven.owners == frozenset()


def test_a_server_that_lacks_a_record_is_what_is_told_where_another_one_cannot_be_asked() -> None:
    ended = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=NEVER)}, unaskable={PRIMARY: 10_000}).run()
    error = ended.unproven.error([A])
    assert isinstance(error, ZoneError)
    assert not error.local


def test_and_one_that_turned_silent_since_is_a_silent_one() -> None:
    ended = Scene({PRIMARY: NameServer(silent=True)}, unaskable={PRIMARY: 2}).run()
    assert isinstance(ended.unproven.error([A]), ZoneError)
