"""Certificates as `certkeeper status --json` shows them. The fields are described in docs/status.md, and stay."""

from collections.abc import Mapping
from datetime import datetime

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass
from certkeeper.cli.pageform import in_form
from certkeeper.cli.servicelines import services_document
from certkeeper.cli.staplelines import staple_status_document
from certkeeper.cli.tlsalines import InDns, tlsa_document
from certkeeper.cli.waiting import held_document, waits_document
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.lineage.model import Dropped, Lineage
from certkeeper.plan.actions import Hold, Kept, Reason
from certkeeper.plan.due import Decision
from certkeeper.plan.inservices import InService
from certkeeper.plan.instaples import InStaple
from certkeeper.plan.lastrun import Failure
from certkeeper.plan.orphans import Uses
from certkeeper.plan.state import State


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one certificate of the page."""

    spec: CertSpec
    lineage: Lineage
    decision: Decision
    dropped: tuple[Dropped, ...]
    wait: CertkeeperError | None
    failure: Failure | None
    state: State
    hold: Hold | None = None
    services: tuple[InService, ...] = ()
    staple: InStaple | None = None
    records: InDns | None = None

    @property
    def renewal(self) -> datetime | None:
        """When it is renewed. What a service did not take, and is held until it is tried again, is no renewal."""
        return None if self.decision.reason is Reason.HELD else self.decision.renew_at

    @property
    def unsettled(self) -> bool:
        """There is more to say of it than its state does."""
        return bool(self.wait or self.hold or (self.records is not None and self.records.held))


def certificate_document(row: Row, settings: Settings) -> Mapping[str, object]:
    """One of the page."""
    spec, decision = row.spec, row.decision
    return {
        "alias": str(spec.alias),
        "state": row.state.value,
        "folder": settings.folder(spec),
        "ca": spec.ca,
        "purpose": spec.purpose.value,
        "names": [str(name) for name in spec.identifiers],
        "due": decision.due,
        "reason": decision.reason.value,
        "detail": decision.detail,
        "renew_at": iso(decision.renew_at) if decision.renew_at is not None else None,
        "key_id": row.lineage.key_id,
        "certificate": _leaf(row.lineage),
        "waiting": waits_document(row.wait),
        "without": [{"name": str(item.name), "why": item.why} for item in row.dropped],
        "held": held_document(row.hold),
        "kept": isinstance(row.wait, Kept),
        "last_run": _failure(row.failure),
        "services": services_document(row.services),
        "ocsp": staple_status_document(row.staple),
        "tlsa": tlsa_document(row.records),
    }


def _failure(failure: Failure | None) -> Mapping[str, object] | None:
    if failure is None:
        return None
    return {
        "id": failure.label,
        "at": iso(failure.at),
        "message": in_form(failure.message),
        "hint": in_form(failure.hint),
    }


def orphan_document(alias: Alias, lineage: Lineage, folder: str, uses: Uses) -> Mapping[str, object]:
    """One that no line asks for."""
    return {
        "alias": str(alias),
        "state": State.ORPHANED.value,
        "folder": folder,
        "used_by": [str(place) for place in uses.of(folder)],
        "certificate": _leaf(lineage),
    }


def _leaf(lineage: Lineage) -> Mapping[str, object] | None:
    leaf, origin = lineage.leaf, lineage.origin
    if leaf is None:
        return None
    return {
        "names": [str(name) for name in sorted(leaf.identifiers)],
        "not_before": iso(leaf.not_before),
        "not_after": iso(leaf.not_after),
        "serial": leaf.serial,
        "issuer": leaf.issuer,
        "ca": origin.ca if origin is not None else None,
        "key_id": leaf.key_id,
        "ocsp_url": leaf.ocsp_url,
        "must_staple": leaf.must_staple,
    }
