"""Effects on the OCSP responses beside certificates."""

from datetime import datetime

from certkeeper.apply.effects import Effect
from certkeeper.apply.ports import Ports, StapledFiles
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass, field


@dataclass(frozen=True, slots=True)
class ReadStaples(Effect[tuple[StapledFiles | None, datetime]]):
    """What is live, and the time at which it was read."""

    alias: Alias

    def perform(self, ports: Ports) -> tuple[StapledFiles | None, datetime]:
        return ports.staples.read(self.alias), ports.clock.now()


@dataclass(frozen=True, slots=True)
class SaveStaple(Effect[int]):
    """Put a proven response beside that certificate, live or staged; the stamp that its name has."""

    alias: Alias
    cert: bytes = field(repr=False)
    der: bytes = field(repr=False)

    def perform(self, ports: Ports) -> int:
        return ports.staples.save(self.alias, self.cert, self.der, int(ports.clock.now().timestamp()))
