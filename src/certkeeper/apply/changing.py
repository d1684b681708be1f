"""One change of one zone: tried again where it failed in passing, told, and followed by a NOTIFY."""

from enum import StrEnum

from certkeeper.apply.effects import ChangeZone, NotifyZone, do
from certkeeper.apply.scheduler import Scheduler
from certkeeper.base.errors import CertkeeperError, OutOfDescriptors
from certkeeper.base.events import Noted, Tell, ZoneChanged
from certkeeper.base.wire import Exchange, TransportError, pause
from certkeeper.zone.changes import ChangeSet
from certkeeper.zone.rrset import Zone, ZoneKind

_TRIES = 4
_TLSA = "TLSA"


class Done(StrEnum):
    """What is told of records that were changed."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    UNDONE = "made sure to be gone, as the change failed"
    CHANGED = "changed"


_BY_HAND = {
    Done.PUBLISHED: "to be published by you",
    Done.WITHDRAWN: "to be removed by you",
    Done.UNDONE: "to be removed by you, if any of them is there",
    Done.CHANGED: "to be changed by you",
}
"""The same of a zone that a person writes."""


def change_zone(
    scheduler: Scheduler, zone: Zone, changes: ChangeSet, tell: Tell, done: Done, lineages: int = 0
) -> Exchange[None]:
    """Have the provider change it; nothing where there is nothing to change. `done` is how that is told.

    Raises:
        CertkeeperError: as the port's `change`, after bounded tries.
    """
    if not changes:
        return
    taken: int | None = None
    for attempt in range(_TRIES):
        try:
            seen = yield from do(ChangeZone(zone, changes))
            # A try whose answer was lost may have taken them away.
            taken = seen if not attempt else None
            break
        except (TransportError, OutOfDescriptors) as error:
            if attempt == _TRIES - 1 or not error.transient:
                raise
            yield from pause(0.25 * 4**attempt)
    said = _BY_HAND[done] if zone.kind is ZoneKind.BY_HAND else done.value
    tell(ZoneChanged(zone.name.text, said, _counted(changes, taken, done), lineages, _what(changes)))
    if zone.kind is ZoneKind.PRIMARY:
        _notify(scheduler, zone, tell)


def _counted(changes: ChangeSet, taken: int | None, done: Done) -> int:
    """How many records that is said of: what a killed run left, or somebody took away before, is none of them."""
    added = sum(len(change.add) for change in changes.changes)
    if done is Done.PUBLISHED and added:
        return added
    if done is Done.WITHDRAWN and taken is not None:
        return taken
    return sum(len(change.add | change.remove) for change in changes.changes)


def _what(changes: ChangeSet) -> str:
    return "TLSA record" if all(change.type == _TLSA for change in changes.changes) else "challenge record"


def _notify(scheduler: Scheduler, zone: Zone, tell: Tell) -> None:
    def notified(_value: object, error: Exception | None) -> None:
        if isinstance(error, CertkeeperError):
            tell(Noted(f"zone {zone.name}", f"secondaries were not notified: {error}"))
        elif error is not None:
            raise error

    scheduler.detach(NotifyZone(zone), notified)
