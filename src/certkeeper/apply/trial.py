"""A trial of DNS without a CA: one record is published, waited for at every name server, and withdrawn.

It goes the way of a challenge (apply/challenges.py): written down before, and withdrawn by the next run if this one
is killed.
"""

from certkeeper.apply.challenges import Waves
from certkeeper.apply.ports import Clock, Executor
from certkeeper.apply.propagate import terms_of
from certkeeper.apply.scheduler import Scheduler
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import Settings
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.zone.rrset import Zone

TEST_LABEL = "_certkeeper-test"
"""No CA looks below this name, and no challenge goes there."""
_NOBODY = Alias("test")


def trial_owner(written: DnsName, zone: DnsName) -> DnsName:
    """Where the record goes: beside the challenges that are written at that name, in the same zone as these."""
    named = written.parent if written.labels[:1] == (CHALLENGE_LABEL,) else written
    beside = named.child(TEST_LABEL)
    return beside if beside.is_within(zone) else written.child(TEST_LABEL)


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
        self._waves = Waves(self._scheduler, tell, *terms_of(settings))
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
