"""Effects for what a CA refused, or sent in place of what was ordered."""

from datetime import datetime

from certkeeper.apply.effects import Effect
from certkeeper.apply.ports import Ports
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass, field


@dataclass(frozen=True, slots=True)
class ReadClock(Effect[datetime]):
    """What the calendar says."""

    def perform(self, ports: Ports) -> datetime:
        return ports.clock.now()


@dataclass(frozen=True, slots=True)
class KeepRejected(Effect[str]):
    """Put an answer aside that is not what was ordered, and say where."""

    alias: Alias
    answer: bytes = field(repr=False)

    def perform(self, ports: Ports) -> str:
        return ports.rejected.keep(self.alias, self.answer, int(ports.clock.now().timestamp()))
