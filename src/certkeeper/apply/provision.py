"""Standing records (dns-persist-01) written or taken away on a person's command, then waited for at every name server.

They are nobody's challenge: no run withdraws them, and the journal knows nothing of them. Writing is safe to do twice.
"""

from collections.abc import Callable, Mapping

from certkeeper.apply.changing import Done, change_zone
from certkeeper.apply.effects import FindServers, do
from certkeeper.apply.ports import Clock, Executor
from certkeeper.apply.propagate import Proof, Terms
from certkeeper.apply.scheduler import Scheduler
from certkeeper.apply.unproven import refuse_unreachable
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Tell
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import Settings
from certkeeper.zone.changes import ChangeSet
from certkeeper.zone.rrset import Zone


@dataclass(frozen=True, slots=True)
class ZoneOrder:
    """What is to become of one zone. `wanted` are the values that have to be served then, as text."""

    zone: Zone
    changes: ChangeSet
    wanted: Mapping[DnsName, frozenset[str]]


class Provision:
    """All zones side by side."""

    def __init__(
        self, orders: tuple[ZoneOrder, ...], settings: Settings, *, executor: Executor, clock: Clock, tell: Tell
    ) -> None:
        self._orders = orders
        self._settings = settings
        self._scheduler = Scheduler(executor, clock)
        self._tell = tell
        self._errors: dict[Zone, CertkeeperError] = {}

    def interrupt(self, error: CertkeeperError) -> None:
        """End early: nothing is taken back, and what was written stays. Safe in a signal handler."""
        self._scheduler.interrupt(error)

    def run(self) -> tuple[CertkeeperError, ...]:
        """Change and wait; what went wrong, at most one error per zone."""
        for order in self._orders:
            self._scheduler.spawn(self._carry(order), self._ended(order.zone))
        self._scheduler.run()
        return tuple(self._errors.values())

    def _carry(self, order: ZoneOrder) -> Exchange[None]:
        zone = order.zone
        terms = Terms(self._settings.propagation, self._settings.demand)
        servers = None
        if order.wanted:
            # Nothing is written that could not be proven then.
            servers = yield from do(FindServers(zone.name))
            refuse_unreachable(zone.name, servers, terms.demand)
        yield from change_zone(self._scheduler, zone, order.changes, self._tell, Done.CHANGED)
        if servers is not None:
            failed = yield from Proof(self._scheduler, zone.name, servers, terms, self._tell).of(order.wanted)
            if failed.owners:
                raise failed.error(sorted(failed.owners))

    def _ended(self, zone: Zone) -> Callable[[object, Exception | None], None]:
        def ended(_value: object, error: Exception | None) -> None:
            if isinstance(error, CertkeeperError):
                self._errors[zone] = error
            elif error is not None:
                raise error

        return ended
