"""One proof in a simulated world: name servers that lag, refuse or stay silent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from builders.dnsworld import DnsWorld, NameServer
from builders.fakes import FakeClock, SeededExecutor
from builders.plans import zone
from certkeeper.apply.effects import AskResolver, AskServer
from certkeeper.apply.propagate import Proof, Terms
from certkeeper.apply.scheduler import Scheduler
from certkeeper.apply.unproven import Unproven
from certkeeper.base.errors import OutOfDescriptors
from certkeeper.base.events import Event
from certkeeper.base.names import DnsName
from certkeeper.base.wire import Step
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.propagation import (
    Demand,
    Question,
    Server,
    ServerSet,
)
from certkeeper.zone.rrset import txt_rdata

ORG = zone("example.org")


A, B = DnsName("_acme-challenge.a.example.org"), DnsName("_acme-challenge.b.example.org")
WANTED = {A: frozenset({"1"}), B: frozenset({"2", "3"})}


BOUND = timedelta(seconds=30)


THIRD = Server("ns2.test", "2001:db8::2")


RESOLVER = Server("9.9.9.9", "9.9.9.9")


MANY = {DnsName(f"_acme-challenge.n{at}.example.org"): frozenset({f"v{at}"}) for at in range(1000)}


@dataclass(slots=True)
class Ended:
    """A proof that has ended: what it found, when servers were asked (seconds), and what was told."""

    unproven: Unproven
    seconds: float
    asked: list[tuple[Server, float]]
    events: list[Event]
    questions: list[tuple[Server, Question]]

    def sizes(self, server: Server) -> list[int]:
        """How many owners each question to the server was about."""
        return [len(question.wanted) for asked, question in self.questions if asked == server]

    def times(self, server: Server) -> list[float]:
        return [round(at, 3) for asked, at in self.asked if asked == server]


@dataclass(slots=True)
class Scene:
    servers: dict[Server, NameServer]
    skipped: tuple[str, ...] = ()
    bound: timedelta = BOUND
    answers: Mapping[Server, float] = field(default_factory=dict)
    wanted: Mapping[DnsName, frozenset[str]] = field(default_factory=lambda: WANTED)
    vantage: tuple[Server, ...] = ()
    ignored: tuple[Server, ...] = ()
    demand: Demand = Demand.REACHABLE
    ds: frozenset[str] | None = None
    usual: dict[Server, float] = field(default_factory=dict)
    silence: timedelta | None = None
    unaskable: Mapping[Server, int] = field(default_factory=dict)
    """How often nothing is left here to ask that server with."""
    asked: list[tuple[Server, float]] = field(default_factory=list)
    questions: list[tuple[Server, Question]] = field(default_factory=list)

    def run(self) -> Ended:
        clock = FakeClock()
        world = DnsWorld(clock, [ORG], self.servers)
        changes = [
            RecordChange(owner, "TXT", add=frozenset(txt_rdata(value) for value in values))
            for owner, values in self.wanted.items()
        ]
        world.change(ORG, ChangeSet.of(changes))

        def perform(step: Step) -> object:
            assert isinstance(step, AskServer | AskResolver)
            server = step.server if isinstance(step, AskServer) else step.resolver
            self.asked.append((server, clock.seconds))
            self.questions.append((server, step.question))
            if sum(other == server for other, _ in self.asked) <= self.unaskable.get(server, 0):
                raise OutOfDescriptors(str(server))
            if isinstance(step, AskResolver):
                return world.ask_resolver(server, step.question)
            return world.ask(server, step.question, clock.now())

        scheduler = Scheduler(SeededExecutor(perform, clock, latency=self._seconds), clock)
        events: list[Event] = []
        ended: list[object] = []
        authoritative = tuple(server for server in self.servers if server not in self.vantage)
        servers = ServerSet(authoritative, self.skipped, ignored=self.ignored, vantage=self.vantage, ds=self.ds)
        terms = Terms(self.bound, self.demand, self.usual, self.silence)
        exchange = Proof(scheduler, ORG.name, servers, terms, events.append).of(self.wanted)
        decided: list[float] = []

        def done(value: object, error: Exception | None) -> None:
            ended.append(value if error is None else error)
            decided.append(clock.seconds)

        scheduler.spawn(exchange, done)
        scheduler.run()
        (unproven,) = ended
        assert isinstance(unproven, Unproven)
        return Ended(unproven, decided[0], self.asked, events, self.questions)

    def _seconds(self, step: Step) -> float:
        assert isinstance(step, AskServer | AskResolver)
        return self.answers.get(step.server if isinstance(step, AskServer) else step.resolver, 0.0)


def texts(events: list[Event], kind: type[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, kind)]
