"""The port of `dns doctor`. Apart from the others, since every run would load what it speaks of."""

from collections.abc import Collection, Mapping
from typing import Generic, Protocol, TypeVar

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, field
from certkeeper.plan.doctor import Repair
from certkeeper.plan.observed import Place
from certkeeper.zone.facts import Kept, ZoneFacts
from certkeeper.zone.rrset import Zone

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Looked(Generic[T]):
    """What was found for names, and why nothing is known of others. A name in neither has none."""

    found: Mapping[DnsName, T] = field(default_factory=dict)
    errors: Mapping[DnsName, CertkeeperError] = field(default_factory=dict)


class Survey(Protocol):
    """A look at zones, and the settings of theirs that may be mended.

    A provider that cannot be asked is an error of its own names only.
    """

    def places(self, owners: Mapping[DnsName, str]) -> Looked[Place]:
        """Where the value of each challenge name is written; the names come with their provider's id."""

    def zones(self, names: Mapping[DnsName, str]) -> Looked[Zone]:
        """The zone at its provider that each name is in, whatever a CNAME says."""

    def apexes(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        """The same for names that no provider of ours holds, as DNS says. Raises CertkeeperError."""

    def kept(self, zone: Zone) -> Kept | None:
        """What the server that we write to says of it; None where that is not PowerDNS. Raises CertkeeperError."""

    def look(self, zones: Mapping[DnsName, Zone | None]) -> tuple[ZoneFacts, ...]:
        """Everything about these zones; None is one that the server does not have. Raises nothing."""

    def repair(self, repair: Repair) -> None:
        """Set what is to be set, and read it back. Raises CertkeeperError."""
