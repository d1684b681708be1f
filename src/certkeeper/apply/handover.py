"""Challenge records for another program that is the CA's client: published and proven now, withdrawn when it says so.

The process ends in between, so nobody of ours stands for the records then. They are in the journal only while they
are published and waited for: a call that is killed there is one whose records the next run takes away. What fails is
withdrawn at once, since dehydrated asks for no cleaning after a deploy_challenge that failed.
"""

from collections.abc import Callable, Mapping

from certkeeper.apply.changing import Done, change_zone
from certkeeper.apply.effects import FindServers, WriteJournal, do
from certkeeper.apply.ports import Clock, Executor
from certkeeper.apply.propagate import Proof, Terms
from certkeeper.apply.scheduler import Scheduler, shield
from certkeeper.apply.unproven import refuse_unreachable
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Noted, Tell, count
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import Settings
from certkeeper.plan.records import ChallengeIntent
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone, txt_rdata

_TTL = 60


@dataclass(frozen=True, slots=True)
class ZoneTask:
    """The values of one zone by owner name, and what a killed call left there."""

    zone: Zone
    values: Mapping[DnsName, frozenset[str]]
    left: tuple[ChallengeIntent, ...] = field(default=())

    @property
    def records(self) -> ChangeSet:
        return ChangeSet(
            tuple(
                RecordChange(owner, "TXT", add=frozenset(map(txt_rdata, values)), ttl=_TTL)
                for owner, values in sorted(self.values.items())
            )
        )

    @property
    def intents(self) -> tuple[ChallengeIntent, ...]:
        return tuple(
            ChallengeIntent(self.zone.name, change.owner, rdata, provider=self.zone.provider)
            for change in self.records.changes
            for rdata in sorted(change.add)
        )

    @property
    def publication(self) -> ChangeSet:
        """One change: what is wanted, without what a killed call left."""
        gone = (RecordChange(item.owner, "TXT", remove=frozenset({item.rdata})) for item in self.left)
        return ChangeSet.of((*self.records.changes, *gone))


class _Work:
    """All zones side by side; at most one error for each."""

    def __init__(
        self, tasks: tuple[ZoneTask, ...], settings: Settings, *, executor: Executor, clock: Clock, tell: Tell
    ) -> None:
        self._tasks = tasks
        self._terms = Terms(settings.propagation, settings.demand)
        self._scheduler = Scheduler(executor, clock)
        self._tell = tell
        self._errors: list[CertkeeperError] = []
        self._touched: list[ZoneTask] = []

    def interrupt(self, error: CertkeeperError) -> None:
        """End early; what was published is withdrawn. Safe in a signal handler."""
        self._scheduler.interrupt(error)

    def _each(self, exchange: Callable[[ZoneTask], Exchange[None]]) -> None:
        for task in self._tasks:
            self._scheduler.spawn(exchange(task), self._ended)
        self._scheduler.run()

    def _ended(self, _value: object, error: Exception | None) -> None:
        if isinstance(error, CertkeeperError):
            self._errors.append(error)
        elif error is not None:
            raise error

    def _withdraw(self, zone: Zone, changes: ChangeSet, done: Done) -> Exchange[None]:
        yield from shield()
        yield from change_zone(self._scheduler, zone, changes, self._tell, done)


class Deploy(_Work):
    """Publish all values, one change per zone, and wait until the name servers serve them."""

    def run(self) -> tuple[CertkeeperError, ...]:
        """What went wrong. Where anything did, nothing stays published."""
        self._each(self._publish)
        if self._errors:
            self._each(self._undo)
        else:
            self._each(self._hand_over)
        return tuple(self._errors)

    def _publish(self, task: ZoneTask) -> Exchange[None]:
        zone = task.zone
        servers = yield from do(FindServers(zone.name))
        refuse_unreachable(zone.name, servers, self._terms.demand)
        yield from do(WriteJournal(put=task.intents))
        self._touched.append(task)
        yield from change_zone(self._scheduler, zone, task.publication, self._tell, Done.PUBLISHED)
        if task.left:
            yield from do(WriteJournal(drop=task.left))
            self._tell(Noted(f"zone {zone.name}", f"{count(len(task.left), 'record')} of an earlier call withdrawn"))
        failed = yield from Proof(self._scheduler, zone.name, servers, self._terms, self._tell).of(task.values)
        if failed.owners:
            raise failed.error(sorted(failed.owners))

    def _undo(self, task: ZoneTask) -> Exchange[None]:
        if task not in self._touched:
            return
        yield from self._withdraw(task.zone, task.records.invert(), Done.UNDONE)
        yield from do(WriteJournal(drop=task.intents))

    def _hand_over(self, task: ZoneTask) -> Exchange[None]:
        """From here on the records are those of whoever asked for them."""
        yield from shield()
        yield from do(WriteJournal(drop=task.intents))


class Clean(_Work):
    """Take away these values and nobody else's."""

    def run(self) -> tuple[CertkeeperError, ...]:
        """What went wrong."""
        self._each(self._clean)
        return tuple(self._errors)

    def _clean(self, task: ZoneTask) -> Exchange[None]:
        yield from self._withdraw(task.zone, task.records.invert(), Done.WITHDRAWN)
