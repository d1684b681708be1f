"""How many orders in which time."""

from datetime import timedelta

from certkeeper.base.events import count
from certkeeper.base.times import duration_text
from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class OrderRate:
    """At most that many orders in that time; 0 means that there is no bound."""

    orders: int = 0
    span: timedelta = timedelta(hours=1)

    @property
    def bounded(self) -> bool:
        return self.orders > 0

    def __str__(self) -> str:
        return f"{count(self.orders, 'order')} in {duration_text(self.span)}" if self.bounded else "no bound"
