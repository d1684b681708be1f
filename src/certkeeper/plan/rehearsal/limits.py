"""What a CA would say of orders that are played: its limits, as buckets that fill at their rates."""

from collections.abc import Iterator
from datetime import datetime

from certkeeper.base.names import IdentifierType
from certkeeper.base.value import dataclass
from certkeeper.config.rate import OrderRate
from certkeeper.lineage.model import Leaf
from certkeeper.plan.actions import Order
from certkeeper.plan.budget import left_now, ready_at, spent
from certkeeper.plan.records import OrderBudget
from certkeeper.plan.rehearsal.ca import LIMITS, SAME_NAMES_WITHIN, Limited, registered_domain


@dataclass(frozen=True, slots=True)
class Touched:
    """One limit of one CA over all days. `key` is whom it came closest for: a domain, names, nothing for the account.

    `least` is how many orders were left there, at `at`; `refused` are orders that went beyond, for anybody.
    """

    ca: str
    limit: Limited
    rate: OrderRate
    key: str
    least: int
    at: datetime
    counted: int
    refused: int


class CaLimits:
    """All limits of one CA's. Nothing is known of most CAs', which take everything."""

    def __init__(self, ca: str) -> None:
        self._ca = ca
        self._rates = LIMITS.get(ca, {})
        self._buckets: dict[tuple[Limited, str], OrderBudget] = {}
        self._touched: dict[Limited, Touched] = {}
        self.exempt = 0

    def refuses(self, order: Order, present: Leaf | None, now: datetime, *, in_window: bool) -> datetime | None:
        """When the order would be taken, where that is not now; None where it is, and then it counts."""
        if in_window:
            self.exempt += 1
            return None
        keys = list(self._keys(order, present, now))
        waits = [
            (limit, ready_at(self._buckets.get((limit, key)), self._rates[limit], now, 1))
            for limit, key in keys
            if left_now(self._buckets.get((limit, key)), self._rates[limit], now) < 1 - 1e-6
        ]
        if waits:
            for limit in dict.fromkeys(limit for limit, _ in waits):
                self._count(limit, "", now, refused=1)
            return max(at for _, at in waits)
        for limit, key in keys:
            self._buckets[limit, key] = spent(self._buckets.get((limit, key)), self._ca, self._rates[limit], now)
            self._count(limit, key, now, counted=1)
        return None

    def touched(self) -> Iterator[Touched]:
        """The limits that anything counted for."""
        yield from self._touched.values()

    def _keys(self, order: Order, present: Leaf | None, now: datetime) -> Iterator[tuple[Limited, str]]:
        if not self._rates:
            return
        names = frozenset(order.identifiers)
        yield Limited.NAMES, " ".join(sorted(str(name) for name in names))
        if present is None or present.identifiers != names or now - present.not_before > SAME_NAMES_WITHIN:
            yield Limited.ORDERS, ""
            domains = {registered_domain(name.value) for name in names if name.type is IdentifierType.DNS}
            for domain in sorted(domains):
                yield Limited.DOMAIN, domain

    def _count(self, limit: Limited, key: str, now: datetime, *, counted: int = 0, refused: int = 0) -> None:
        rate, before = self._rates[limit], self._touched.get(limit)
        left = int(left_now(self._buckets.get((limit, key)), rate, now) + 1e-6) if counted else rate.orders
        if before is None:
            self._touched[limit] = Touched(self._ca, limit, rate, key, left, now, counted, refused)
            return
        closer = counted and left < before.least
        self._touched[limit] = Touched(
            self._ca,
            limit,
            rate,
            key if closer else before.key,
            left if closer else before.least,
            now if closer else before.at,
            before.counted + counted,
            before.refused + refused,
        )
