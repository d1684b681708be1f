"""A trial in a simulated world: what is published is withdrawn, whatever happens in between."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders.dnsworld import NEVER, PRIMARY, SECONDARY, DnsWorld, NameServer
from builders.fakejournal import FakeJournal
from builders.fakeports import fake_ports
from builders.fakes import FakeClock, SeededExecutor
from builders.plans import settings, zone
from certkeeper.apply.effects import Effect
from certkeeper.apply.trial import Trial, trial_owner
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted
from certkeeper.base.events import Event, ZoneProven, ZoneUnproven
from certkeeper.base.names import DnsName
from certkeeper.base.wire import Step
from certkeeper.zone.rrset import Zone

ZONE = zone("example.org")
OWNER = DnsName("_certkeeper-test.www.example.org")


@pytest.mark.parametrize(
    ("written", "apex", "owner"),
    [
        ("_acme-challenge.www.example.org", "example.org", "_certkeeper-test.www.example.org"),
        ("_acme-challenge.example.org", "example.org", "_certkeeper-test.example.org"),
        # A CNAME leads there.
        ("www.acme.example.net", "acme.example.net", "_certkeeper-test.www.acme.example.net"),
        # Challenges of the name have a zone of their own: that one is tried out.
        (
            "_acme-challenge.www.example.org",
            "_acme-challenge.www.example.org",
            "_certkeeper-test._acme-challenge.www.example.org",
        ),
    ],
)
def test_the_record_stands_in_the_zone_of_the_challenges(written: str, apex: str, owner: str) -> None:
    assert trial_owner(DnsName(written), DnsName(apex)).text == owner


class Tried:
    """One trial in a world whose secondary lags."""

    def __init__(self, lag: float, *, zone_: Zone = ZONE, stop_at: float | None = None, bound: int = 20) -> None:
        clock = FakeClock()
        self.dns = DnsWorld(clock, [zone_], {PRIMARY: NameServer(), SECONDARY: NameServer(lag)})
        self.journal = FakeJournal()
        self.events: list[Event] = []
        ports = replace(fake_ports(clock, self.dns), dns={zone_.provider: self.dns}, journal=self.journal)

        def perform(step: Step) -> object:
            assert isinstance(step, Effect), step
            if stop_at is not None and clock.seconds >= stop_at:
                trial.interrupt(Interrupted(ExitCode.INTERRUPTED))
            return step.perform(ports)

        trial = Trial(
            zone_,
            OWNER,
            "value",
            settings(propagation=timedelta(seconds=bound)),
            executor=SeededExecutor(perform, clock),
            clock=clock,
            tell=self.events.append,
        )
        self.troubles: tuple[CertkeeperError, ...] = trial.run()

    @property
    def served_after(self) -> dict[str, float | None]:
        """When each server had it, in seconds from the change."""
        (told,) = [event for event in self.events if isinstance(event, ZoneProven | ZoneUnproven)]
        return {seen.server: seen.seconds for seen in told.servers}

    @property
    def clean(self) -> bool:
        return self.journal.empty and [done.publishes for done in self.dns.done] == [True, False]


def test_each_server_is_told_with_its_own_time() -> None:
    tried = Tried(lag=5.0)
    assert tried.troubles == ()
    first, second = tried.served_after[str(PRIMARY)], tried.served_after[str(SECONDARY)]
    assert first is not None
    assert second is not None
    assert first < 1
    assert 5 <= second < 8
    assert tried.clean


def test_a_server_that_never_has_it_is_the_error() -> None:
    tried = Tried(lag=NEVER)
    (error,) = tried.troubles
    assert str(SECONDARY) in str(error)
    assert tried.served_after[str(SECONDARY)] is None
    assert tried.served_after[str(PRIMARY)] is not None
    assert tried.clean


def test_an_interruption_is_the_first_trouble_and_the_record_goes() -> None:
    tried = Tried(lag=NEVER, stop_at=3.0)
    assert isinstance(tried.troubles[0], Interrupted)
    assert len(tried.troubles) == 1
    assert tried.clean
