"""Is a change served by the name servers that a CA may ask? Evidence in, verdict out.

Terms: a *server* is one address of one NS name. It *confirms* when it serves every wanted value, *lacks* values when
it answers without some, and is *silent* when it does not answer. An address of a family that this host has no route
to is *skipped*.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from certkeeper.base.names import DnsName

PATIENCE = 3
"""A silent server is asked that often before the others' word may do."""


@dataclass(frozen=True, slots=True, order=True)
class Server:
    """One address to ask. `ns` is the NS name that it belongs to, or the operator's text where they named it."""

    ns: str
    address: str
    port: int = 53

    def __str__(self) -> str:
        where = f"[{self.address}]" if ":" in self.address else self.address
        port = "" if self.port == 53 else f":{self.port}"
        shown = f"{where}{port}"
        return shown if self.ns in {self.address, shown} else f"{self.ns} ({shown})"


@dataclass(frozen=True, slots=True)
class ServerSet:
    """Whom to ask for a zone; `skipped` tells in words which addresses are left out, and why."""

    servers: tuple[Server, ...]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one server answered, last time. `served` is None while it is silent; `trouble` says how it is silent."""

    served: Mapping[DnsName, frozenset[str]] | None = None
    trouble: str = ""
    silent_tries: int = 0


Wanted = Mapping[DnsName, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`proven`: no need to ask again. `lacking`: owners a server answers without. `silent`: how a server is silent."""

    proven: bool
    confirmed: tuple[Server, ...] = ()
    lacking: Mapping[Server, frozenset[DnsName]] = field(default_factory=dict)
    silent: Mapping[Server, str] = field(default_factory=dict)

    @property
    def refuted(self) -> frozenset[DnsName]:
        """Owners that some server answers without."""
        return frozenset(owner for owners in self.lacking.values() for owner in owners)


def judge(servers: Iterable[Server], wanted: Wanted, evidence: Mapping[Server, Evidence]) -> Verdict:
    """Weigh the evidence.

    Proven is: no server lacks a value, every NS name has a confirming address, and the rest, if any, stayed silent
    PATIENCE times. An NS name whose addresses are all silent is never proven here; `final` decides at the bound.
    """
    confirmed, lacking, silent = [], {}, {}
    patient = False
    for server in servers:
        seen = evidence.get(server, Evidence())
        if seen.served is None:
            silent[server] = seen.trouble or "not asked yet"
            patient = patient or seen.silent_tries < PATIENCE
            continue
        served = seen.served
        missing = frozenset(owner for owner, values in wanted.items() if not values <= served.get(owner, frozenset()))
        if missing:
            lacking[server] = missing
        else:
            confirmed.append(server)
    covered = {server.ns for server in confirmed}
    mute = {server.ns for server in silent} - covered
    proven = bool(confirmed) and not lacking and not mute and not patient
    return Verdict(proven, tuple(confirmed), lacking, silent)


def final(verdict: Verdict, wanted: Wanted) -> frozenset[DnsName]:
    """Owners that must not be answered for, once the bound has passed.

    A server that answers without a value refutes it: a CA that asks it will see the same. A silent server is no
    proof against, where another one confirmed; where none did, nothing is known to be served anywhere.
    """
    if not verdict.confirmed and not verdict.lacking:
        return frozenset(wanted)
    return verdict.refuted
