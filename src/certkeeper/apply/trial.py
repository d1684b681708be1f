"""A trial of DNS without a CA: one record is published, waited for at every name server, and withdrawn.

It goes the way of a challenge (apply/challenges.py): written down before, and withdrawn by the next run if this one
is killed.
"""

from collections.abc import Collection, Mapping

from certkeeper.apply.challenges import Waves
from certkeeper.apply.ports import Clock, Executor, Nameservers
from certkeeper.apply.scheduler import Scheduler
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Event, ServerServes, Tell, ZoneChanged
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import Settings
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.zone.propagation import Server, ServerSet
from certkeeper.zone.rrset import Zone

TEST_LABEL = "_certkeeper-test"
"""No CA looks below this name, and no challenge goes there."""
_NOBODY = Alias("test")


def trial_owner(written: DnsName, zone: DnsName) -> DnsName:
    """Where the record goes: beside the challenges that are written at that name, in the same zone as these."""
    named = written.parent if written.labels[:1] == (CHALLENGE_LABEL,) else written
    beside = named.child(TEST_LABEL)
    return beside if beside.is_within(zone) else written.child(TEST_LABEL)


class Watch:
    """Implements the port Nameservers by another one, and tells when each server first serves the value."""

    def __init__(self, nameservers: Nameservers, clock: Clock, owner: DnsName, value: str, tell: Tell) -> None:
        self._nameservers = nameservers
        self._clock = clock
        self._owner = owner
        self._value = value
        self._tell = tell
        self._published = clock.monotonic()
        self._seen: set[Server] = set()

    def of(self, zone: DnsName) -> ServerSet:
        return self._nameservers.of(zone)

    def aliases(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        return self._nameservers.aliases(names)

    def ask_txt(self, server: Server, owners: Collection[DnsName]) -> Mapping[DnsName, frozenset[str]]:
        served = self._nameservers.ask_txt(server, owners)
        if self._value in served.get(self._owner, ()) and server not in self._seen:
            self._seen.add(server)
            self._tell(ServerServes(str(server), self._clock.monotonic() - self._published))
        return served

    def tell(self, event: Event) -> None:
        """To be told what happens: the time counts from when the record was published."""
        if isinstance(event, ZoneChanged) and event.action == "published":
            self._published = self._clock.monotonic()
        self._tell(event)


class Trial:
    """One record's way through one zone."""

    def __init__(
        self,
        zone: Zone,
        owner: DnsName,
        value: str,
        settings: Settings,
        *,
        executor: Executor,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._zone = zone
        self._values = {zone: {owner: frozenset({value})}}
        self._scheduler = Scheduler(executor, clock)
        self._waves = Waves(self._scheduler, tell, settings.propagation)
        self._error: Exception | None = None

    def interrupt(self, error: CertkeeperError) -> None:
        """End early: the record is withdrawn. Safe in a signal handler."""
        self._scheduler.interrupt(error)

    def run(self) -> tuple[CertkeeperError, ...]:
        """Publish, wait, withdraw; what went wrong, in that order."""
        self._waves.enter(_NOBODY, [self._zone])
        self._scheduler.spawn(self._prove(), self._ended)
        self._scheduler.run()
        if self._error is not None and not isinstance(self._error, CertkeeperError):
            raise self._error
        failed = (self._error,) if self._error is not None else ()
        return (*failed, *self._waves.leftovers())

    def _prove(self) -> Exchange[None]:
        try:
            yield from self._waves.proof(_NOBODY, self._values)
        finally:
            self._waves.release(_NOBODY)

    def _ended(self, _value: object, error: Exception | None) -> None:
        self._error = error
