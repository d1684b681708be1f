"""What DNS lets the key of a certificate do: which one is ordered, and what a run has to wait for (docs/dane.md)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import Lineage
from certkeeper.plan.actions import Postponed
from certkeeper.plan.records import TlsaTurn, TurnKind


class Allowed(StrEnum):
    """Which key may be ordered: the words of the table of states (dane/rollover.py), which most runs do not load."""

    ANY = "any key"
    CURRENT = "the current key"
    NEXT = "the next key"
    NONE = "no key yet"


class WaitsForDns(Postponed):
    """Something is due, and caches may hold TLSA records that it does not match. It only takes time."""

    label = "waits-for-dns"


@dataclass(frozen=True, slots=True)
class Gate:
    """The most careful answer over all places that the certificate is behind.

    `reason` is why the next key has to wait, empty where it may be used; `until` is when that ends, if only time is
    missing.
    """

    allowed: Allowed
    reason: str = ""
    until: datetime | None = None


UNSEEN = Gate(Allowed.CURRENT, "no service was found that TLSA records could be for")
FREE = Gate(Allowed.ANY)


def gate_of(spec: CertSpec, gate: Gate | None) -> Gate:
    """Where records are wanted and nobody has looked, the key stays."""
    if gate is not None:
        return gate
    return UNSEEN if spec.tlsa is not None else FREE


def gate_error(gate: Gate) -> CertkeeperError | None:
    """Why nothing is ordered: no key may be used now."""
    if gate.allowed is not Allowed.NONE:
        return None
    return WaitsForDns(
        f"nothing is ordered yet, since others have the key: {gate.reason}",
        hint="to order at once, and break clients that know the records: certkeeper tlsa roll NAME --now",
        retry_at=gate.until,
    )


def rolls(turn: TlsaTurn, lineage: Lineage, gate: Gate) -> bool:
    """A person wants another key, the one that they meant is still live, and nothing is in the way of the next one."""
    if turn.kind is TurnKind.RETIRE or lineage.key_id != turn.key_id:
        return False
    return gate.allowed in {Allowed.NEXT, Allowed.ANY}


def gate_findings(
    ordering: Iterable[CertSpec], gates: Mapping[Alias, Gate], lineages: Mapping[Alias, Lineage]
) -> Iterable[Finding]:
    """Certificates that get the key that they have, since the next one has to wait."""
    for spec in ordering:
        gate, lineage = gates.get(spec.alias), lineages[spec.alias]
        made_ahead = lineage.next_key_id is not None and not lineage.next_key_used
        if gate is not None and gate.allowed is Allowed.CURRENT and made_ahead:
            yield Finding(
                code="key-waits",
                severity=Severity.NOTE,
                message=f"{spec.alias}: {gate.reason}",
                consequence="the certificate is ordered with the key that it has",
                fix=f"nothing; what it waits for: certkeeper tlsa status {spec.alias}",
                where=spec.where,
            )
