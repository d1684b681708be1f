"""One lineage from order to live files. Steps are numbered as in ARCHITECTURE.md, "one run, step by step"."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast

from certkeeper.acme.chain import download
from certkeeper.acme.challenge import Challenge, answer, dns01_owner, dns01_value
from certkeeper.acme.order import (
    Authorization,
    AuthorizationStatus,
    Order,
    OrderFailed,
    OrderStatus,
    explain_invalid,
    fetch_authorizations,
    finalize,
    new_order,
    wait_while,
)
from certkeeper.acme.session import Session
from certkeeper.apply.challenges import Waves
from certkeeper.apply.effects import (
    ActivateVersion,
    BeginVersion,
    DiscardVersion,
    MakeKey,
    ReadLiveKey,
    SaveKey,
    StageVersion,
    do,
)
from certkeeper.apply.result import Issued
from certkeeper.apply.scheduler import shield
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import CertificateIssued, NamesProven, OrderOpened, Tell
from certkeeper.base.keys import KeyPair, KeySpec
from certkeeper.base.names import DnsName
from certkeeper.base.times import iso
from certkeeper.base.wire import Exchange, together
from certkeeper.lineage import csr as signing_request
from certkeeper.lineage.integrity import check
from certkeeper.lineage.model import Draft, VersionFiles
from certkeeper.lineage.pem import split_fullchain
from certkeeper.plan.actions import Activate, KeySource, LineagePlan
from certkeeper.plan.actions import Order as OrderAction
from certkeeper.zone.rrset import Zone

DEFAULT_VALIDATION_TIMEOUT = timedelta(minutes=5)
DEFAULT_ORDER_TIMEOUT = timedelta(minutes=5)
_A = TypeVar("_A")
_B = TypeVar("_B")


@dataclass(frozen=True, slots=True)
class Issuance:
    """What all lineages of a run share."""

    session: Session
    waves: Waves
    tell: Tell


def issue(item: LineagePlan, shared: Issuance) -> Exchange[Issued]:
    """Carry out the actions of one lineage.

    Raises:
        CertkeeperError: the live files are as they were, and nothing of the attempt is left but what waves withdraw.
    """
    wanted, key_action = item.order, item.key
    if wanted is None or key_action is None:
        raise TypeError(f"{item.alias}: no order in its plan")
    draft: Draft | None = None
    try:
        # First of all, since a folder that cannot be written to, or a key that is no good, must not cost an order.
        draft = yield from do(BeginVersion(item.alias))
        present = None if key_action.source is KeySource.NEW else (yield from do(ReadLiveKey(item.alias)))
        order = yield from new_order(shared.session, wanted.identifiers, profile=wanted.profile)
        shared.tell(OrderOpened(str(item.alias), order.status.value, len(wanted.identifiers)))
        # A new key is made while names are proven: RSA takes a second, and the CA does not need it before step 10.
        order, key = yield from _both(_prove_names(item, order, shared), _key(draft, present, item.spec.key))
        issued = yield from _complete(item, wanted, order, draft, key, shared.session)
    except CertkeeperError:
        if draft is not None:
            # What failed first is what matters; a draft that stays is taken up by the next run.
            with suppress(CertkeeperError):
                yield from do(DiscardVersion(draft))
        raise
    finally:
        shared.waves.release(item.alias)
    shared.tell(CertificateIssued(str(item.alias), iso(issued.leaf.not_after), _folder(item)))
    return issued


def _prove_names(item: LineagePlan, order: Order, shared: Issuance) -> Exchange[Order]:
    """Steps 6 to 8: from a pending order to one that is ready."""
    session = shared.session
    if order.status is OrderStatus.PENDING:
        authorizations = yield from fetch_authorizations(session, order.authorizations)
        pending = _pending(authorizations)
        if pending:
            yield from shared.waves.proof(item.alias, _values(item, session, pending))
            yield from together(
                [answer(session, challenge, str(authorization.identifier)) for authorization, challenge in pending]
            )
    shared.waves.pass_by(item.alias)
    bound = item.spec.validation_timeout or DEFAULT_VALIDATION_TIMEOUT
    order = yield from wait_while(session, order, frozenset({OrderStatus.PENDING}), bound)
    shared.waves.release(item.alias)
    if order.status is OrderStatus.INVALID:
        raise (yield from explain_invalid(session, order))
    shared.tell(NamesProven(str(item.alias)))
    return order


def _pending(authorizations: Sequence[Authorization]) -> list[tuple[Authorization, Challenge]]:
    """The challenges to answer; names are matched by the authorization's own identifier, never by position."""
    pending = []
    for authorization in authorizations:
        if authorization.status is AuthorizationStatus.PENDING:
            pending.append((authorization, authorization.challenge("dns-01")))
        elif authorization.status is not AuthorizationStatus.VALID:
            raise OrderFailed(f"{authorization.identifier}: authorization is {authorization.status}")
    return pending


def _values(
    item: LineagePlan, session: Session, pending: Sequence[tuple[Authorization, Challenge]]
) -> dict[Zone, dict[DnsName, frozenset[str]]]:
    zone_of = {owner: proof.zone for proof in item.proofs for owner in proof.owners}
    values: dict[Zone, dict[DnsName, frozenset[str]]] = {}
    for authorization, challenge in pending:
        owner = dns01_owner(authorization.identifier.domain)
        zone = zone_of.get(owner)
        if zone is None:
            raise OrderFailed(f"{authorization.identifier}: the CA wants a name proven that was not ordered")
        owners = values.setdefault(zone, {})
        owners[owner] = owners.get(owner, frozenset()) | {dns01_value(challenge.token, session.key)}
    return values


def _key(draft: Draft, present: KeyPair | None, spec: KeySpec) -> Exchange[KeyPair]:
    """Step 4: the key of the new version, on disk before the CA hears of it."""
    left = draft.key if draft.key is not None and draft.key.description == str(spec) else None
    key = present or left or (yield from do(MakeKey(spec)))
    if draft.key is None or draft.key.key_id != key.key_id:
        yield from do(SaveKey(draft, key))
    return key


def _complete(
    item: LineagePlan, wanted: OrderAction, order: Order, draft: Draft, key: KeyPair, session: Session
) -> Exchange[Issued]:
    """Steps 10, 11 and 13: certificate, staged version, live version."""
    csr = signing_request.build(key, wanted.identifiers, must_staple=wanted.must_staple)
    if order.status is OrderStatus.READY:
        order = yield from finalize(session, order, csr.der)
    bound = item.spec.order_timeout or DEFAULT_ORDER_TIMEOUT
    order = yield from wait_while(session, order, frozenset({OrderStatus.READY, OrderStatus.PROCESSING}), bound)
    if order.status is not OrderStatus.VALID:
        raise (yield from explain_invalid(session, order))
    fullchain, at = yield from download(session, order)
    leaf = check(fullchain, key_id=key.key_id, identifiers=wanted.identifiers, now=at)
    cert, chain = split_fullchain(fullchain)
    files = VersionFiles(privkey=key.pem, csr=csr.pem, cert=cert, chain=chain, fullchain=fullchain)
    # A version that can be complete is completed: the CA counts it in any case.
    yield from shield()
    yield from do(StageVersion(draft, files))
    yield from do(ActivateVersion(item.alias, draft.stamp))
    return Issued(draft.stamp, leaf)


def _folder(item: LineagePlan) -> str:
    return next((action.folder for action in item.actions if isinstance(action, Activate)), "")


def _both(first: Exchange[_A], second: Exchange[_B]) -> Exchange[tuple[_A, _B]]:
    results = yield from together(cast("list[Exchange[object]]", [first, second]))
    return cast("tuple[_A, _B]", results)
