"""Steps 4 to 10 of one lineage: from a key and an order to the files of a version that is not on disk yet."""

from typing import TypeAlias, TypeVar, cast

from certkeeper.acme.order import (
    Order,
    OrderStatus,
    fetch_order,
    new_order,
)
from certkeeper.acme.problem import Problem
from certkeeper.apply.anew import without_proofs
from certkeeper.apply.attempt import Attempt
from certkeeper.apply.effects import BeginVersion, MakeKey, ReadLiveKey, ReadNextKey, SaveKey, WriteJournal, do
from certkeeper.apply.fulfil import RejectedAnswer, fulfil
from certkeeper.apply.manner import Proofs
from certkeeper.apply.prove import prove
from certkeeper.base.events import Noted, OrderOpened
from certkeeper.base.keys import KeyPair, KeySpec
from certkeeper.base.traces import AuthorizationsListed, OrderRequested
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange, together
from certkeeper.config.settings import Purpose
from certkeeper.lineage import csr as signing_request
from certkeeper.lineage.model import Draft, Leaf, Origin, VersionFiles
from certkeeper.lineage.pem import split_fullchain
from certkeeper.lineage.request import ReceivedCsr
from certkeeper.plan.actions import KeySource
from certkeeper.plan.actions import Order as OrderAction
from certkeeper.plan.records import OrderIntent

_A = TypeVar("_A")
_B = TypeVar("_B")
_Key: TypeAlias = KeyPair | ReceivedCsr


@dataclass(frozen=True, slots=True)
class Obtained:
    """A certificate that is in order, with all that belongs to it."""

    draft: Draft
    files: VersionFiles
    leaf: Leaf


def obtain(attempt: Attempt, wanted: OrderAction, source: KeySource) -> Exchange[Obtained]:
    """Order a certificate, or go on with the order that an earlier run opened.

    Raises:
        CertkeeperError: `attempt` says what is there of it.
    """
    # First of all, since a folder that cannot be written to, or a key that is no good, must not cost an order.
    yield from attempt.shared.served.prepare(attempt.item.serves)
    draft = attempt.draft = yield from do(BeginVersion(attempt.alias))
    present = attempt.item.spec.request or (yield from _present_key(attempt, source))
    if wanted.resume is not None:
        attempt.intent = wanted.resume
        # What it was proven with is not to count where proofs are given back.
        goes_on = attempt.shared.manner.proofs is Proofs.COUNT
        order = (yield from _reopened(attempt, wanted.resume, draft, present)) if goes_on else None
        if order is not None:
            try:
                return (yield from _fulfil(attempt, wanted, order, draft, present))
            except RejectedAnswer as error:
                attempt.note(f"the order of an earlier run is of no use: {error}")
        attempt.intent = None
        yield from do(WriteJournal(drop=(wanted.resume,)))
    attempt.shared.tell(OrderRequested(str(attempt.alias)))

    def opened() -> Exchange[Order]:
        return _written_down(attempt, wanted, draft, present)

    order = yield from without_proofs(attempt, (yield from opened()), opened)
    attempt.shared.tell(OrderOpened(str(attempt.alias), order.status.value, len(wanted.identifiers)))
    attempt.shared.tell(AuthorizationsListed(str(attempt.alias), len(order.authorizations)))
    return (yield from _fulfil(attempt, wanted, order, draft, present))


def _written_down(attempt: Attempt, wanted: OrderAction, draft: Draft, present: _Key | None) -> Exchange[Order]:
    """A new order, in the journal in the place of the one before."""
    limits = attempt.shared.limits
    limits.check(wanted.identifiers)
    order = yield from _opened(attempt, wanted)
    before = (attempt.intent,) if attempt.intent is not None else ()
    attempt.intent = attempt.new_intent(wanted, order.url, draft.stamp, present)
    put, drop = limits.opened(order)
    yield from do(WriteJournal((attempt.intent, *put), (*before, *drop)))
    return order


def _opened(attempt: Attempt, wanted: OrderAction) -> Exchange[Order]:
    """A new order. What it replaces is said for the CA's sake: it must not stand in the way of the certificate."""
    session = attempt.shared.session
    try:
        return (yield from new_order(session, wanted.identifiers, profile=wanted.profile, replaces=wanted.replaces))
    except Problem as problem:
        if not (wanted.replaces and problem.of_replacement):
            raise
        attempt.note(f"ordered without saying what it replaces, since the CA says: {problem}")
    return (yield from new_order(session, wanted.identifiers, profile=wanted.profile))


def _present_key(attempt: Attempt, source: KeySource) -> Exchange[KeyPair | None]:
    """The key that is there already; None where a new one is made."""
    match source:
        case KeySource.NEW:
            return None
        case KeySource.NEXT:
            return (yield from do(ReadNextKey(attempt.alias)))
        case _:
            return (yield from do(ReadLiveKey(attempt.alias)))


def _reopened(attempt: Attempt, intent: OrderIntent, draft: Draft, present: _Key | None) -> Exchange[Order | None]:
    """The order as the CA has it now; None where it leads to nothing any more."""
    session = attempt.shared.session
    try:
        order = yield from fetch_order(session, intent.url)
    except Problem as problem:
        if problem.in_passing:
            raise
        return None
    if order.status is OrderStatus.INVALID:
        return None
    has_key = present is not None or (draft.key is not None and draft.stamp == intent.stamp)
    if order.status in {OrderStatus.PROCESSING, OrderStatus.VALID} and not has_key:
        # The CA has the request for a key that is gone.
        return None
    if draft.stamp != intent.stamp:
        attempt.intent = attempt.moved(intent, draft.stamp)
        yield from do(WriteJournal(put=(attempt.intent,)))
    attempt.shared.tell(Noted(str(attempt.alias), f"goes on with the order of an earlier run ({order.status.value})"))
    return order


def _fulfil(
    attempt: Attempt, wanted: OrderAction, order: Order, draft: Draft, present: _Key | None
) -> Exchange[Obtained]:
    # A new key is made while names are proven: RSA takes a second, and the CA does not need it before step 10.
    proving = prove(attempt, order)
    order, key = yield from _both(proving, _key(draft, present, attempt.item.spec.key))
    files, leaf = yield from _complete(attempt, wanted, order, key)
    return Obtained(draft, files, leaf)


def _key(draft: Draft, present: _Key | None, spec: KeySpec) -> Exchange[_Key]:
    """Step 4: the key of the new version, on disk before the CA hears of it; or the request of whoever keeps it."""
    if isinstance(present, ReceivedCsr):
        return present
    left = draft.key if draft.key is not None and draft.key.description == str(spec) else None
    key = present or left or (yield from do(MakeKey(spec)))
    if draft.key is None or draft.key.key_id != key.key_id:
        yield from do(SaveKey(draft, key))
    return key


def _complete(attempt: Attempt, wanted: OrderAction, order: Order, key: _Key) -> Exchange[tuple[VersionFiles, Leaf]]:
    """Step 10: the certificate, checked."""
    elsewhere = isinstance(key, ReceivedCsr)
    plain: signing_request.Csr | None = None
    if isinstance(key, ReceivedCsr):
        csr, private = signing_request.Csr(key.der, signing_request.in_pem(key)), b""
    else:
        csr = signing_request.build(key, wanted.identifiers, must_staple=wanted.must_staple)
        private = key.pem
        if wanted.must_staple and not attempt.item.spec.staple_required:
            plain = signing_request.build(key, wanted.identifiers)
    fullchain, leaf = yield from fulfil(
        attempt,
        order,
        csr.der,
        key_id=key.key_id,
        identifiers=wanted.identifiers,
        plain=plain.der if plain is not None else b"",
    )
    if attempt.plain and plain is not None:
        csr = plain
    cert, chain = split_fullchain(fullchain)
    # The order of an earlier run keeps the profile that it was opened with.
    profile = attempt.intent.profile if attempt.intent is not None else wanted.profile
    spec = attempt.item.spec
    origin = Origin(
        spec.ca,
        profile,
        wanted.must_staple,
        test=spec.purpose is not Purpose.SERVE,
        dropped=attempt.item.dropped,
        key_elsewhere=elsewhere,
    )
    return VersionFiles(private, csr.pem, cert, chain, fullchain, origin), leaf


def _both(first: Exchange[_A], second: Exchange[_B]) -> Exchange[tuple[_A, _B]]:
    results = yield from together(cast("list[Exchange[object]]", [first, second]))
    return cast("tuple[_A, _B]", results)
