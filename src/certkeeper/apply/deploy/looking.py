"""Looking at services: at which addresses, before and after, and until what is to be seen is seen."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from certkeeper.apply.deploy.effects import AddressesHere, LookAtServices
from certkeeper.apply.effects import do
from certkeeper.apply.refused import ReadClock
from certkeeper.apply.scheduler import monotonic
from certkeeper.base.value import dataclass, field, replace
from certkeeper.base.wire import Exchange, pause, together
from certkeeper.plan.showing import Looks, Showing, Watched, Wish, compare
from certkeeper.service.endpoint import Endpoint
from certkeeper.service.handshake import Contact, KeyFamily, Look

PATIENCE = 15.0
"""Seconds that a service has after its reload to show the new certificate everywhere."""
_HOPE = 3.0
"""Seconds that are waited where nothing is wrong, and nothing was seen either."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0


@dataclass(slots=True)
class Addresses:
    """This machine's addresses of names, asked for once each."""

    found: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def contacts(self, wishes: Sequence[Wish], keys: KeyFamily) -> Exchange[Mapping[Contact, Wish]]:
        """The handshakes to make, with the wish that each is for; `keys` are asked for."""
        names = dict.fromkeys(wish.endpoint.name for wish in wishes if wish.here)
        missing = [name for name in names if name not in self.found]
        self.found.update(
            zip(missing, (yield from together([do(AddressesHere(name)) for name in missing])), strict=True)
        )
        return {Contact(endpoint, keys): wish for wish in wishes for endpoint in self._endpoints(wish)}

    def _endpoints(self, wish: Wish) -> Iterator[Endpoint]:
        if not wish.here:
            yield wish.endpoint
        else:
            yield from (replace(wish.endpoint, host=address) for address in self.found[wish.endpoint.name])


def look_at(watched: Sequence[Watched]) -> Exchange[Looks]:
    """One look, or more, at each place that any of them is to be seen at."""
    contacts = tuple(dict.fromkeys(contact for item in watched for contact in item.contacts))
    looks: Mapping[Contact, list[Look]] = {contact: [] for contact in contacts}
    for look in (yield from do(LookAtServices(contacts))) if contacts else ():
        looks[look.target].append(look)
    return looks


def look_until_seen(watched: Sequence[Watched], before: Looks) -> Exchange[tuple[Showing, ...]]:
    """Look until all is as it should be, or patience ends; what was to be seen at the end, in order."""
    began = yield from monotonic()
    now = yield from do(ReadClock())
    after: dict[Contact, Sequence[Look]] = {}
    rest = _FIRST_PAUSE
    left = tuple(watched)
    while True:
        after.update((yield from look_at(left)))
        showings = {id(item): compare(item, before, after, now) for item in watched}
        spent = (yield from monotonic()) - began
        left = tuple(
            _unsettled(item, showings[id(item)], before, after, now)
            for item in watched
            if _worth_waiting(showings[id(item)], spent)
        )
        if not left or spent >= PATIENCE:
            return tuple(showings[id(item)] for item in watched)
        yield from pause(rest)
        rest = min(rest * 1.6, _LONGEST_PAUSE)


def _worth_waiting(showing: Showing, spent: float) -> bool:
    return bool(showing.failed) or (not showing.seen and bool(showing.unproven) and spent < _HOPE)


def _unsettled(item: Watched, showing: Showing, before: Looks, after: Looks, now: datetime) -> Watched:
    """Where it is worth looking again. What is seen is seen, and a place that hangs takes its whole time each time."""

    def open_at(contact: Contact) -> bool:
        one = compare(replace(item, contacts=(contact,)), before, after, now)
        return bool(one.failed or (one.unproven and not showing.failed))

    return replace(item, contacts=tuple(contact for contact in item.contacts if open_at(contact)))


def seen_now(watched: Watched, looks: Looks, now: datetime) -> Showing:
    """What one look alone says."""
    return compare(watched, looks, looks, now)
