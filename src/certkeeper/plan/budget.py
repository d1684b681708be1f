"""How many orders may be opened at a CA now: a bucket that fills at the rate that the CA allows."""

from datetime import datetime, timedelta

from certkeeper.config.rate import OrderRate
from certkeeper.plan.records import OrderBudget


def left_now(budget: OrderBudget | None, rate: OrderRate, now: datetime) -> float:
    """Orders that are left; the bucket of somebody who ordered nothing lately is full."""
    if budget is None:
        return float(rate.orders)
    # A time to come is a clock's that was stepped back since: nothing came in meanwhile.
    passed = max(now - budget.at, timedelta(0))
    return min(float(rate.orders), max(budget.left, 0.0) + passed / rate.span * rate.orders)


def spent(budget: OrderBudget | None, ca: str, rate: OrderRate, now: datetime) -> OrderBudget:
    """The bucket after one more order. It does not go below nothing, whatever the CA granted on top."""
    return OrderBudget(ca, max(left_now(budget, rate, now) - 1.0, 0.0), now)


def ready_at(budget: OrderBudget | None, rate: OrderRate, now: datetime, orders: int) -> datetime:
    """When so many orders are left, `now` where they are already."""
    missing = orders - left_now(budget, rate, now)
    return now + max(missing, 0.0) / rate.orders * rate.span
