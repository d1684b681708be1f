"""The port of `dns doctor`. Apart from the others, since every run would load what it speaks of."""

from collections.abc import Collection, Mapping
from typing import Protocol

from certkeeper.base.names import DnsName
from certkeeper.plan.doctor import Repair
from certkeeper.plan.observed import Place
from certkeeper.zone.facts import Kept, ZoneFacts
from certkeeper.zone.rrset import Zone


class Survey(Protocol):
    """A look at zones, and the settings of theirs that may be mended. All of it raises CertkeeperError."""

    def places(self, owners: Mapping[DnsName, str]) -> Mapping[DnsName, Place]:
        """Where the value of each challenge name is written; the names come with their provider's id.

        Names without a place are left out.
        """

    def zones(self, names: Mapping[DnsName, str]) -> Mapping[DnsName, Zone]:
        """The zone at its provider that each name is in, whatever a CNAME says; names without one are left out."""

    def apexes(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        """The same for names that no provider of ours holds, as DNS says."""

    def kept(self, zone: Zone) -> Kept | None:
        """What the server that we write to says of it; None where that is not PowerDNS."""

    def look(self, zones: Mapping[DnsName, Zone | None]) -> tuple[ZoneFacts, ...]:
        """Everything about these zones; None is one that the server does not have."""

    def repair(self, repair: Repair) -> None:
        """Set what is to be set, and read it back."""
