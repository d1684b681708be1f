"""Waves: the challenge records of all lineages in a zone, published by one change and withdrawn by another one.

A wave of a zone closes when no running lineage can still join it, when it holds WAVE_SIZE lineages, or WAVE_SECONDS
after the first one parked. Then: one change, NOTIFY beside everything else, the proof that the name servers serve
it, the answers, and when the last lineage of the wave needs its values no more, one withdrawal.

Every record is in the journal before it is published and until it is withdrawn. What a killed run left in a zone goes
with the zone's first change, which keeps what is needed again; without one it is withdrawn once that is clear.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext

from certkeeper.apply.changing import Done, change_zone
from certkeeper.apply.effects import FindServers, WriteJournal, do
from certkeeper.apply.propagate import Proof, Terms
from certkeeper.apply.scheduler import Scheduler, Signal, shield, wait
from certkeeper.apply.unproven import refuse_unreachable
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.events import Noted, ScriptTrusted, Tell, count
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import dataclass, field, replace
from certkeeper.base.wire import Exchange
from certkeeper.plan.records import ChallengeIntent
from certkeeper.zone.apex import OwnersRefused, ZoneError
from certkeeper.zone.changes import ChangeSet, Key, RecordChange
from certkeeper.zone.propagation import ServerSet
from certkeeper.zone.rrset import Zone, ZoneKind, txt_rdata

WAVE_SIZE = 100
WAVE_SECONDS = 10.0
_TTL = 60
Values = Mapping[DnsName, frozenset[str]]
Idle = Callable[[Alias], AbstractContextManager[None]]


@dataclass(slots=True)
class _Parked:
    values: Values
    proven: Signal = field(default_factory=Signal)
    released: Signal = field(default_factory=Signal)


@dataclass(slots=True)
class _Left:
    """A killed run's records in one zone. `settled`: no change of this run's is going to take them along. `gone`: they
    were withdrawn, or cannot be.
    """

    intents: tuple[ChallengeIntent, ...]
    settled: Signal = field(default_factory=Signal)
    gone: Signal = field(default_factory=Signal)


@dataclass(slots=True)
class _Queue:
    """One zone's lineages: those that may still join, and those that wait for the wave (counted) to close."""

    may_join: set[Alias] = field(default_factory=set)
    parked: dict[Alias, _Parked] = field(default_factory=dict)
    wave: int = 0
    servers: ServerSet | None = None
    servers_known: Signal = field(default_factory=Signal)


_IN_TIME = (
    "publish the records that were printed, beside what is there and at every name server; "
    "PDNS_WAIT says how many seconds there are for it"
)


def _unheeded(_alias: Alias) -> AbstractContextManager[None]:
    return nullcontext()


class Waves:
    """Collects the values of running lineages and carries them through DNS."""

    def __init__(
        self, scheduler: Scheduler, tell: Tell, terms: Terms, scripted: Terms | None = None, idle: Idle = _unheeded
    ) -> None:
        """`scripted` is for zones that a script writes, whose word counts in the end. `idle` is entered by lineages
        that do nothing but wait for name servers.
        """
        self._idle = idle
        self._scheduler = scheduler
        self._tell = tell
        self._terms = terms
        self._scripted = scripted or terms
        self._queues: dict[Zone, _Queue] = {}
        self._held: dict[Alias, list[_Parked]] = {}
        self._published: dict[tuple[Zone, int], ChangeSet] = {}
        self._left: dict[Zone, _Left] = {}
        self._tokens: dict[str, str] = {}
        self._trusts = False
        self.withdrawal_errors: list[CertkeeperError] = []

    def clean(self, left: Mapping[Zone, tuple[ChallengeIntent, ...]], busy: Collection[Zone]) -> None:
        """Have a killed run's records withdrawn; in `busy` zones they may go with a change of this run's."""
        for zone, intents in left.items():
            self._left[zone] = _Left(intents)
            self._scheduler.spawn(self._clean(zone, self._left[zone]), self._carried)
            if zone not in busy:
                self._left[zone].settled.set()

    def settle(self) -> None:
        """No lineage is going to publish anything."""
        for left in self._left.values():
            left.settled.set()

    def enter(self, alias: Alias, zones: Collection[Zone]) -> None:
        """A lineage starts that may join the next wave of these zones."""
        for zone in zones:
            if zone not in self._queues:
                # Whom to ask is looked up while orders are opened.
                self._queues[zone] = _Queue()
                self._scheduler.spawn(do(FindServers(zone.name)), self._found(self._queues[zone]))
            self._queues[zone].may_join.add(alias)

    def proof(
        self, alias: Alias, values: Mapping[Zone, Values], tokens: Mapping[str, str] | None = None
    ) -> Exchange[None]:
        """Have values published and wait until they are served. `tokens` are the challenges', by value.

        Raises:
            CertkeeperError: a zone could not be changed, or its servers do not serve the values within the bound.
        """
        self._tokens.update(tokens or {})
        parked = {zone: _Parked(owners) for zone, owners in values.items()}
        self._held.setdefault(alias, []).extend(parked.values())
        for zone, item in parked.items():
            queue = self._queues[zone]
            queue.parked[alias] = item
            if len(queue.parked) == 1:
                self._scheduler.later(WAVE_SECONDS, self._closer(zone, queue.wave))
        self.pass_by(alias)
        with self._idle(alias):
            for item in parked.values():
                yield from wait(item.proven)

    def cleared(self, zones: Collection[Zone]) -> Exchange[None]:
        """A killed run's records in these zones are withdrawn now: a script may be told of the same ones again."""
        for left in [self._left[zone] for zone in zones if zone in self._left]:
            left.settled.set()
            yield from wait(left.gone)

    def look(self, alias: Alias, values: Mapping[Zone, Values]) -> Exchange[None]:
        """Wait until what a script published is served; where nobody can see that, its word counts."""
        for zone, owners in values.items():
            try:
                yield from wait(self._queues[zone].servers_known)
                refuse_unreachable(zone.name, self._queues[zone].servers, self._terms.demand)
            except Interrupted:
                raise
            except CertkeeperError as error:
                self._trust(zone, error)
            else:
                yield from self._prove(zone, {alias: _Parked(owners)})

    def leftovers(self) -> tuple[CertkeeperError, ...]:
        """Records that this run published and could not withdraw, one error per wave."""
        undone = [_still_there(zone, records, "no time was left") for (zone, _), records in self._published.items()]
        undone += [_still_there(zone, _records(left.intents), "no time was left") for zone, left in self._left.items()]
        return (*self.withdrawal_errors, *undone)

    def pass_by(self, alias: Alias) -> None:
        """The lineage will join no further wave."""
        for zone, queue in self._queues.items():
            queue.may_join.discard(alias)
            if queue.parked and (not queue.may_join or len(queue.parked) >= WAVE_SIZE):
                self._close(zone)
            elif not queue.may_join and not queue.wave and zone in self._left:
                self._left[zone].settled.set()

    def release(self, alias: Alias) -> None:
        """The lineage ended or its order is decided: its values are of no use any more."""
        self.pass_by(alias)
        for item in self._held.pop(alias, ()):
            item.released.set()

    def _trust(self, zone: Zone, error: CertkeeperError) -> None:
        if not self._trusts:
            self._tell(ScriptTrusted(zone.name.text, str(error)))
        self._trusts = True

    def _closer(self, zone: Zone, wave: int) -> Callable[[], None]:
        def close() -> None:
            if self._queues[zone].wave == wave:
                self._close(zone)

        return close

    def _close(self, zone: Zone) -> None:
        queue = self._queues[zone]
        wave, queue.parked, queue.wave = queue.parked, {}, queue.wave + 1
        if wave:
            self._scheduler.spawn(self._carry(zone, wave), self._carried_through(zone))

    def _found(self, queue: _Queue) -> Callable[[object, Exception | None], None]:
        def found(value: object, error: Exception | None) -> None:
            queue.servers = value if isinstance(value, ServerSet) else None
            queue.servers_known.set(error)

        return found

    def _carried(self, _value: object, error: Exception | None) -> None:
        if error is not None:
            raise error

    def _carried_through(self, zone: Zone) -> Callable[[object, Exception | None], None]:
        def carried(value: object, error: Exception | None) -> None:
            if zone in self._left:
                self._left[zone].settled.set()
            self._carried(value, error)

        return carried

    def _clean(self, zone: Zone, left: _Left) -> Exchange[None]:
        yield from shield()
        yield from wait(left.settled)
        if zone not in self._left:
            return
        try:
            yield from self._change(zone, self._removal(zone), Done.WITHDRAWN, 0)
        except CertkeeperError as error:
            self.withdrawal_errors.append(_still_there(zone, _records(left.intents), str(error)))
            del self._left[zone]
            left.gone.set()
        else:
            yield from self._forget_left(zone)

    def _removal(self, zone: Zone) -> ChangeSet:
        """What a killed run left in the zone, but for what this run needs there."""
        left = self._left.get(zone)
        return _records(left.intents).invert().sparing(self._needed(zone, None)) if left is not None else ChangeSet()

    def _forget_left(self, zone: Zone) -> Exchange[None]:
        left = self._left.pop(zone, None)
        if left is not None:
            left.settled.set()
            self._tell(Noted(f"zone {zone.name}", f"{count(len(left.intents), 'record')} of an earlier run withdrawn"))
            yield from self._forget(zone, left.intents)
            left.gone.set()

    def _forget(self, zone: Zone, intents: Iterable[ChallengeIntent]) -> Exchange[None]:
        gone = tuple(intents)
        if not gone:
            return
        try:
            yield from do(WriteJournal(drop=gone))
        except CertkeeperError as error:
            # No harm: the next run withdraws what is not there any more.
            self._tell(Noted(f"zone {zone.name}", f"the withdrawal was not written down: {error}"))

    def _carry(self, zone: Zone, wave: dict[Alias, _Parked]) -> Exchange[None]:
        try:
            yield from wait(self._queues[zone].servers_known)
            refuse_unreachable(zone.name, self._queues[zone].servers, self._terms.demand)
        except CertkeeperError as error:
            if zone.kind is not ZoneKind.SCRIPTED:
                # Nothing could be proven, so nothing is published.
                _fail(wave, error)
                return
            self._trust(zone, error)
        published = False
        try:
            yield from self._publish(zone, wave)
            published = True
            yield from self._prove(zone, wave)
        except CertkeeperError as error:
            _fail(wave, error)
        yield from shield()
        for item in wave.values():
            yield from wait(item.released)
        # Owed also where the change failed: its answer may have been lost on the way.
        withdrawal = self._withdrawal(zone, wave)
        try:
            yield from self._change(zone, withdrawal, Done.WITHDRAWN if published else Done.UNDONE, 0)
        except CertkeeperError as error:
            self.withdrawal_errors.append(_still_there(zone, self._published[zone, id(wave)], str(error)))
        else:
            yield from self._forget(zone, _intents(zone, withdrawal.invert()))
        del self._published[zone, id(wave)]

    def _publish(self, zone: Zone, wave: dict[Alias, _Parked]) -> Exchange[None]:
        """One change; where the server cannot take some names, their lineages fail and the others go on."""
        going = dict(wave)
        while going:
            published = ChangeSet.of(
                self._record(owner, values) for item in going.values() for owner, values in item.values.items()
            )
            # Nothing is published that is not written down.
            self._published[zone, id(wave)] = ChangeSet()
            yield from do(WriteJournal(put=_intents(zone, published)))
            self._published[zone, id(wave)] = published
            whole = ChangeSet.of((*published.changes, *self._removal(zone).changes))
            try:
                yield from self._change(zone, whole, Done.PUBLISHED, len(going))
            except OwnersRefused as refused:
                unlucky = {alias: item for alias, item in going.items() if item.values.keys() & refused.owners}
                if not unlucky:
                    raise
                _fail(unlucky, refused)
                going = {alias: item for alias, item in going.items() if alias not in unlucky}
                self._published[zone, id(wave)] = ChangeSet()
                yield from self._forget(zone, _intents(zone, published))
            else:
                yield from self._forget_left(zone)
                return

    def _record(self, owner: DnsName, values: Collection[str]) -> RecordChange:
        tokens = frozenset((txt_rdata(value), self._tokens[value]) for value in values if value in self._tokens)
        return RecordChange(owner, "TXT", frozenset(txt_rdata(value) for value in values), ttl=_TTL, tokens=tokens)

    def _withdrawal(self, zone: Zone, wave: Mapping[Alias, _Parked]) -> ChangeSet:
        """What this wave published, but for what another one needs: a CA may give two orders one authorization."""
        return self._published[zone, id(wave)].invert().sparing(self._needed(zone, id(wave)))

    def _needed(self, zone: Zone, wave: int | None) -> set[tuple[Key, str]]:
        """The values of this run in the zone, but for that wave's."""
        return {
            (change.key, value)
            for (other, key), records in self._published.items()
            if other == zone and key != wave
            for change in records.changes
            for value in change.add
        }

    def _prove(self, zone: Zone, wave: dict[Alias, _Parked]) -> Exchange[None]:
        wanted: dict[DnsName, frozenset[str]] = {}
        going = [item for item in wave.values() if not item.proven.happened]
        if not going:
            return
        for item in going:
            for owner, values in item.values.items():
                wanted[owner] = wanted.get(owner, frozenset()) | values
        servers = self._queues[zone].servers
        if servers is None:
            for item in going:
                item.proven.set()
            return
        if zone.kind is ZoneKind.SCRIPTED:
            # Its name is a guess where nobody could tell it, so nothing is said about whose signatures to expect.
            servers = replace(servers, ds=frozenset())
        # What is odd about the servers is told once, not once per wave.
        self._queues[zone].servers = replace(servers, skipped=(), notes=(), ignored=())
        terms = self._scripted if zone.kind is ZoneKind.SCRIPTED else self._terms
        failed = yield from Proof(self._scheduler, zone.name, servers, terms, self._tell).of(wanted)
        for item in going:
            owners = sorted(owner for owner in item.values if owner in failed.owners)
            error = failed.error(owners) if owners else None
            if error is not None and zone.kind is ZoneKind.BY_HAND:
                error = ZoneError(str(error), hint=_IN_TIME)
            if error is not None and zone.kind is ZoneKind.SCRIPTED:
                self._tell(Noted(f"zone {zone.name}", f"the script's word counts: {error}"))
                error = None
            item.proven.set(error)

    def _change(self, zone: Zone, changes: ChangeSet, done: Done, lineages: int) -> Exchange[None]:
        return change_zone(self._scheduler, zone, changes, self._tell, done, lineages)


def _fail(wave: Mapping[Alias, _Parked], error: CertkeeperError) -> None:
    for item in wave.values():
        item.proven.set(error)


def _records(intents: Iterable[ChallengeIntent]) -> ChangeSet:
    """The change that published these."""
    return ChangeSet.of(
        RecordChange(
            item.owner,
            "TXT",
            add=frozenset({item.rdata}),
            ttl=_TTL,
            tokens=frozenset({(item.rdata, item.token)} if item.token else ()),
        )
        for item in intents
    )


def _intents(zone: Zone, published: ChangeSet) -> tuple[ChallengeIntent, ...]:
    return tuple(
        ChallengeIntent(
            zone.name, change.owner, rdata, provider=zone.provider, token=dict(change.tokens).get(rdata, "")
        )
        for change in published.changes
        for rdata in sorted(change.add)
    )


def _still_there(zone: Zone, published: ChangeSet, why: str) -> ZoneError:
    left = ", ".join(f"{change.owner} TXT {' '.join(sorted(change.add))}" for change in published.changes)
    return ZoneError(
        f"zone {zone.name}: challenge records may still be there: {why}",
        hint=f"they do no harm; to take them away by hand: {left}",
    )
