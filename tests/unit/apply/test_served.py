from dataclasses import dataclass, field, replace

from builders.dnsworld import DnsWorld
from builders.fakejournal import FakeJournal
from builders.fakeports import fake_ports
from builders.fakes import FakeClock, FakeFiles, SeededExecutor, through
from certkeeper.apply.effects import RemoveFile
from certkeeper.apply.ports import ServedFile
from certkeeper.apply.scheduler import Scheduler
from certkeeper.apply.served import Served
from certkeeper.base.events import Event, Noted
from certkeeper.base.names import Alias
from certkeeper.base.wire import Exchange, Step, pause

WEB = "/var/www/dehydrated"
FILE = ServedFile(WEB, "token", b"token.print", 0o644)


def slow_removal(step: Step) -> float:
    return 5.0 if isinstance(step, RemoveFile) else 0.01


@dataclass
class Bench:
    """Lineages that publish, look whether it is there for as long as they hold it, and let go."""

    clock: FakeClock = field(default_factory=FakeClock)
    files: FakeFiles = field(default_factory=FakeFiles)
    journal: FakeJournal = field(default_factory=FakeJournal)
    events: list[Event] = field(default_factory=list)
    looks: list[tuple[str, bool]] = field(default_factory=list)
    scheduler: Scheduler = field(init=False)
    served: Served = field(init=False)

    def __post_init__(self) -> None:
        world = DnsWorld(self.clock, [], {})
        ports = replace(fake_ports(self.clock, world), journal=self.journal, files=self.files)
        self.scheduler = Scheduler(SeededExecutor(through(ports), self.clock, latency=slow_removal), self.clock)
        self.served = Served(self.scheduler, self.events.append)

    def start(self, name: str, file: ServedFile, *, after: float, holds: float) -> None:
        self.scheduler.spawn(self._lineage(name, file, after, holds), self._ended)

    def _ended(self, _value: object, error: Exception | None) -> None:
        assert error is None

    def _lineage(self, name: str, file: ServedFile, after: float, holds: float) -> Exchange[None]:
        yield from pause(after)
        yield from self.served.publish(Alias(name), [file])
        for _ in range(10):
            yield from pause(holds / 10)
            self.looks.append((name, self.files.content.get((file.folder, file.name)) == file.content))
        self.served.release(Alias(name))

    def assert_served(self, *names: str) -> None:
        assert {name for name, _ in self.looks} == set(names)
        assert all(there for _, there in self.looks), self.looks
        assert self.files.content == {}
        assert self.journal.empty


def test_nothing_is_published_before_what_a_killed_run_left_is_gone() -> None:
    bench = Bench()
    bench.files.put(FILE)
    bench.journal.write((FILE.intent,), ())
    bench.journal.die()
    bench.served.clean(bench.journal.records().files)
    bench.start("a", FILE, after=1.0, holds=10.0)
    bench.scheduler.run()
    bench.assert_served("a")
    assert Noted("challenge files", "1 file of a killed run removed") in bench.events


def test_what_two_lineages_need_goes_with_the_last_of_them() -> None:
    bench = Bench()
    bench.served.clean(())
    bench.start("a", FILE, after=0.0, holds=3.0)
    bench.start("b", FILE, after=1.0, holds=10.0)
    bench.scheduler.run()
    bench.assert_served("a", "b")


def test_who_needs_what_is_being_removed_waits_until_it_is_gone() -> None:
    bench = Bench()
    bench.served.clean(())
    bench.start("a", FILE, after=0.0, holds=3.0)
    bench.start("b", FILE, after=4.0, holds=10.0)
    bench.scheduler.run()
    bench.assert_served("a", "b")


def test_who_needs_something_else_under_the_name_waits_too() -> None:
    bench = Bench()
    bench.served.clean(())
    bench.start("a", FILE, after=0.0, holds=3.0)
    bench.start("b", ServedFile(WEB, "token", b"another", 0o644), after=1.0, holds=10.0)
    bench.scheduler.run()
    bench.assert_served("a", "b")
