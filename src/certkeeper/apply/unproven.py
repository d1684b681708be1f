"""What a proof did not find after the bound, as an error that names each server and what it lacks."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.base.times import duration_text
from certkeeper.base.value import dataclass, field
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import Demand, Evidence, Server, ServerSet, Verdict
from certkeeper.zone.shortfall import listed, shortfall

_TRANSFER = (
    "see whether that server gets the zone from its primary (serial, NOTIFY, AXFR); a slow one needs a larger PDNS_WAIT"
)
_SIGNATURES = (
    "see whether that server gets fresh signatures from its signer, and whether this host's clock is right; "
    "validating CAs refuse what it serves"
)
_SILENT = "where this host reaches other addresses than the world does, set NAMESERVERS"
_LAME = (
    "the name servers that the zone is delegated to do not serve it: set it up there, see why they do not load it, "
    "or correct the delegation"
)
_ALL = 'mend or remove that server, or leave it out (DNS_IGNORE); PROPAGATION="reachable" is content with who answers'
_RESOLVER = (
    "a resolver that remembers an older answer needs a larger PDNS_WAIT; SERVFAIL often means a broken chain of trust"
)


@dataclass(frozen=True, slots=True)
class Unproven:
    """What is not served everywhere after `waited`; empty `owners` means that all is well.

    `unseen` says what the resolvers answer instead, per owner. `unasked` is why a server that counts as silent could
    not even be asked from here.
    """

    zone: DnsName
    owners: frozenset[DnsName]
    verdict: Verdict
    waited: timedelta
    evidence: Mapping[Server, Evidence] = field(default_factory=dict)
    unseen: Mapping[Server, Mapping[DnsName, str]] = field(default_factory=dict)
    unasked: CertkeeperError | None = None

    def error(self, owners: Sequence[DnsName]) -> CertkeeperError:
        """The error for a lineage that needs these owners."""
        after = f"after {duration_text(self.waited)}"
        lacking = [server for server, missing in self.verdict.lacking.items() if missing & frozenset(owners)]
        silent = "; ".join(f"{server}: {trouble}" for server, trouble in self.verdict.silent.items())
        if lacking:
            words = "; ".join(f"{one} {shortfall(one, owners, self.evidence, self.verdict)}" for one in lacking)
            return ZoneError(
                f"zone {self.zone}: {after} {words}" + (f"; not answering: {silent}" if silent else ""),
                hint=_SIGNATURES if self._only_signatures(lacking, owners) else _TRANSFER,
            )
        if self.unasked is not None:
            return self.unasked
        if not self.verdict.confirmed:
            return ZoneError(
                f"zone {self.zone}: no name server confirms {listed(owners)} within {duration_text(self.waited)}: "
                f"{silent}",
                hint=_LAME if self._all_refuse() else _SILENT,
            )
        unseen = self._unseen(owners)
        if unseen:
            return ZoneError(f"zone {self.zone}: {after} {unseen}", hint=_RESOLVER)
        return ZoneError(f"zone {self.zone}: {after} not every name server confirms: {silent}", hint=_ALL)

    def _all_refuse(self) -> bool:
        return all(server in self.evidence and self.evidence[server].refusals for server in self.verdict.silent)

    def _only_signatures(self, lacking: Sequence[Server], owners: Sequence[DnsName]) -> bool:
        """Whether the values are there, everywhere."""
        return all(
            owner in self.evidence[server].said.bogus or owner in self.evidence[server].said.unsigned
            for server in lacking
            for owner in self.verdict.lacking[server] & frozenset(owners)
        )

    def _unseen(self, owners: Sequence[DnsName]) -> str:
        """What each resolver says of the first owner that it does not see, and how many others there are."""
        parts = []
        for resolver, found in self.unseen.items():
            missing = [owner for owner in owners if owner in found]
            if missing:
                more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
                parts.append(f"resolver {resolver} {found[missing[0]]} for {missing[0]}{more}")
        return "; ".join(parts)


def refuse_unreachable(zone: DnsName, servers: ServerSet | None, demand: Demand) -> None:
    """Where all servers are demanded, one that cannot be asked from here is an error before anything is published.

    Raises:
        ZoneError: an address has no route.
    """
    if servers is not None and servers.skipped and demand is Demand.ALL:
        raise ZoneError(
            f"zone {zone}: every name server is demanded (PROPAGATION): {'; '.join(servers.skipped)}", hint=_ALL
        )
