"""Standing records in a simulated world: written or taken away, waited for, and never taken back."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from builders.dnsworld import NEVER, PRIMARY, SECONDARY, DnsWorld, NameServer
from builders.fakejournal import FakeJournal
from builders.fakeports import fake_ports
from builders.fakes import FakeClock, SeededExecutor
from builders.plans import settings, zone
from certkeeper.acme.persist import Standing
from certkeeper.apply.effects import Effect
from certkeeper.apply.provision import Provision, ZoneOrder
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted
from certkeeper.base.events import Event, ZoneProven
from certkeeper.base.names import DnsName
from certkeeper.base.wire import Step, TransportError
from certkeeper.plan.provision import Party, removing, writing
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone

ZONE, OWNER = zone("example.org"), DnsName("_validation-persist.example.org")
STANDING = Standing("ca.test", "https://ca.test/account/1")
FOREIGN = "other.test; accounturi=https://other.test/1"
PARTY = Party((STANDING.issuer,), STANDING.account)


class Faltering(DnsWorld):
    """A provider whose first change gets no answer."""

    faltered = False

    def change(self, zone: Zone, changes: ChangeSet) -> None:
        if not self.faltered:
            self.faltered = True
            raise TransportError("no answer")
        super().change(zone, changes)


class Provided:
    """One order carried out in a world whose secondary lags."""

    def __init__(
        self,
        lag: float,
        there: Iterable[str],
        change: RecordChange,
        *,
        stop_at: float | None = None,
        world: type[DnsWorld] = DnsWorld,
    ) -> None:
        clock = FakeClock()
        self.dns = world(clock, [ZONE], {PRIMARY: NameServer(), SECONDARY: NameServer(lag)})
        self.dns.put(OWNER.text, there)
        self.journal = FakeJournal()
        self.events: list[Event] = []
        ports = replace(fake_ports(clock, self.dns), dns={ZONE.provider: self.dns}, journal=self.journal)

        def perform(step: Step) -> object:
            assert isinstance(step, Effect), step
            if stop_at is not None and clock.seconds >= stop_at:
                work.interrupt(Interrupted(ExitCode.INTERRUPTED))
            return step.perform(ports)

        wanted = {OWNER: frozenset({STANDING.value})} if change.add else {}
        work = Provision(
            (ZoneOrder(ZONE, ChangeSet.of([change]), wanted),),
            settings(propagation=timedelta(seconds=20)),
            executor=SeededExecutor(perform, clock),
            clock=clock,
            tell=self.events.append,
        )
        self.troubles: tuple[CertkeeperError, ...] = work.run()

    @property
    def values(self) -> set[str]:
        """What stands there at the primary."""
        return set(self.dns.served(PRIMARY, OWNER))


def test_a_change_that_fails_in_passing_is_tried_again() -> None:
    done = Provided(0.0, [FOREIGN], writing(OWNER, STANDING, [FOREIGN]), world=Faltering)
    assert done.troubles == ()
    assert done.values == {FOREIGN, STANDING.value}


def test_a_record_is_written_beside_others_waited_for_and_left_there() -> None:
    done = Provided(5.0, [FOREIGN], writing(OWNER, STANDING, [FOREIGN]))
    assert done.troubles == ()
    (proven,) = [event for event in done.events if isinstance(event, ZoneProven)]
    assert proven.seconds >= 5
    assert done.values == {FOREIGN, STANDING.value}
    assert done.journal.empty


def test_a_server_that_never_has_it_is_told_and_the_record_stays() -> None:
    done = Provided(NEVER, [], writing(OWNER, STANDING, []))
    (error,) = done.troubles
    assert str(SECONDARY) in str(error)
    assert done.values == {STANDING.value}


def test_an_interruption_takes_nothing_back() -> None:
    done = Provided(NEVER, [], writing(OWNER, STANDING, []), stop_at=3.0)
    (error,) = done.troubles
    assert isinstance(error, Interrupted)
    assert done.values == {STANDING.value}


def test_ours_is_taken_away_and_nobody_waits() -> None:
    there = [FOREIGN, STANDING.value]
    done = Provided(NEVER, there, removing(OWNER, there, PARTY))
    assert done.troubles == ()
    assert done.values == {FOREIGN}
