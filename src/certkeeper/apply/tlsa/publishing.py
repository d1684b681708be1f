"""TLSA records written: one change per zone, what is remembered before it, and a wait until everybody serves them."""

from collections.abc import Callable, Collection, Mapping

from certkeeper.apply.changing import Done, change_zone
from certkeeper.apply.daneports import TlsaLook
from certkeeper.apply.effects import Effect, WriteJournal, do
from certkeeper.apply.ports import Clock, Executor, Ports
from certkeeper.apply.scheduler import Scheduler
from certkeeper.apply.tlsa.view import Seat
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Noted, Tell, count
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange, pause
from certkeeper.config.settings import Settings
from certkeeper.dane.rollover import Decision
from certkeeper.dane.tlsa import publishable
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
TLSA = "TLSA"


@dataclass(frozen=True, slots=True)
class LookAtServers(Effect[Mapping[DnsName, TlsaLook]]):
    owners: tuple[DnsName, ...]

    def perform(self, ports: Ports) -> Mapping[DnsName, TlsaLook]:
        if ports.tlsa is None:
            raise TypeError("no port for TLSA records")
        return ports.tlsa.look(self.owners, ports.clock.now())


@dataclass(frozen=True, slots=True)
class ZoneRecords:
    """What is to become of the TLSA records of one zone."""

    zone: Zone
    seats: tuple[Seat, ...]

    @property
    def changes(self) -> ChangeSet:
        """Raises BadTlsa where a record would do harm."""
        return ChangeSet.of(change_of(seat) for seat in self.seats)


def change_of(seat: Seat) -> RecordChange:
    """Records of others at the place are in it neither way.

    Raises:
        BadTlsa: a record would do harm.
    """
    decision = seat.decision
    return RecordChange(
        seat.name,
        TLSA,
        frozenset(map(str, publishable(decision.add))),
        frozenset(map(str, decision.remove)),
        seat.ttl,
        new_ttl=seat.new_ttl,
    )


class Publishing:
    """All zones side by side; at most one error for each."""

    def __init__(
        self, tasks: tuple[ZoneRecords, ...], settings: Settings, *, executor: Executor, clock: Clock, tell: Tell
    ) -> None:
        self._tasks = tasks
        self._bound = settings.propagation.total_seconds()
        self._scheduler = Scheduler(executor, clock)
        self._tell = tell
        self._errors: dict[DnsName, CertkeeperError] = {}

    def interrupt(self, error: CertkeeperError) -> None:
        """End early: what was written stays, and the next run goes on from there. Safe in a signal handler."""
        self._scheduler.interrupt(error)

    def run(self) -> Mapping[DnsName, CertkeeperError]:
        """Change and wait; what went wrong, by zone."""
        for task in self._tasks:
            self._scheduler.spawn(self._carry(task), self._ended(task.zone.name))
        self._scheduler.run()
        return self._errors

    def _carry(self, task: ZoneRecords) -> Exchange[None]:
        changes = task.changes
        # Whose records they are is known before they are there: a killed run's are not taken for somebody else's.
        yield from do(WriteJournal(put=tuple(seat.memory for seat in task.seats)))
        yield from change_zone(self._scheduler, task.zone, changes, self._tell, Done.CHANGED)
        wanted = {owner: seat.decision for seat in task.seats for owner in seat.decision.place.owners}
        yield from self._until_served(task.zone.name, wanted)

    def _until_served(self, zone: DnsName, wanted: Mapping[DnsName, Decision]) -> Exchange[None]:
        """No failure where it takes longer: waits count from the look at which everybody serves what was written."""
        started, rest = self._scheduler.monotonic(), _FIRST_PAUSE
        while wanted:
            looks = yield from do(LookAtServers(tuple(wanted)))
            wanted = {owner: one for owner, one in wanted.items() if not _served(looks[owner], one)}
            if not wanted:
                return
            if self._scheduler.monotonic() - started > self._bound:
                are = "is" if len(wanted) == 1 else "are"
                text = f"{count(len(wanted), 'set')} of TLSA records {are} not served everywhere yet"
                self._tell(Noted(f"zone {zone}", f"{text}; the next run looks again"))
                return
            yield from pause(rest)
            rest = min(2 * rest, _LONGEST_PAUSE)

    def _ended(self, zone: DnsName) -> Callable[[object, Exception | None], None]:
        def ended(_value: object, error: Exception | None) -> None:
            if isinstance(error, CertkeeperError):
                self._errors[zone] = error
            elif error is not None:
                raise error

        return ended


def _served(look: TlsaLook, wanted: Decision) -> bool:
    return bool(look.answers) and all(
        answer.records is not None
        and answer.records.issuperset(wanted.add)
        and answer.records.isdisjoint(wanted.remove)
        for answer in look.answers
    )


def lines_to_publish(seats: Collection[Seat]) -> list[str]:
    """For a person: lines of a zone file to add, and those to take away. Those of live keys come first: alone, the
    others would break what is there.
    """
    lines = []
    for seat in seats:
        change = change_of(seat)
        live = {str(record) for bearer in seat.decision.place.bearers for record in bearer.live.records}
        added = sorted(change.add, key=lambda rdata: (rdata not in live, rdata))
        lines += [f"{seat.name.absolute} {seat.ttl} IN TLSA {rdata}" for rdata in added]
        lines += [f"; remove: {seat.name.absolute} IN TLSA {rdata}" for rdata in sorted(change.remove)]
    return lines
