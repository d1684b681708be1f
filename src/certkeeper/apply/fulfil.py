"""Step 10: from an order whose names are proven, and a request, to a certificate that is in order."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from certkeeper.acme.chain import NoChain
from certkeeper.acme.order import Order, OrderStatus, explain_invalid, fetch_order, finalize, wait_while
from certkeeper.acme.problem import ErrorType, Problem
from certkeeper.apply.attempt import Attempt
from certkeeper.apply.chains import obtain_chain
from certkeeper.apply.effects import do
from certkeeper.apply.refused import KeepRejected
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import Identifier
from certkeeper.base.traces import CertificateChecked, CertificateRequested
from certkeeper.base.wire import Exchange
from certkeeper.lineage.integrity import check
from certkeeper.lineage.model import BadChain, Leaf

DEFAULT_ORDER_TIMEOUT = timedelta(minutes=5)


class RejectedAnswer(CertkeeperError):
    """The CA sent something else than the certificate that was ordered."""

    label = "ca-answer"
    fault = Fault.REMOTE


def fulfil(
    attempt: Attempt,
    order: Order,
    request: bytes,
    *,
    key_id: str,
    identifiers: Sequence[Identifier],
    plain: bytes = b"",
) -> Exchange[tuple[bytes, Leaf]]:
    """The whole chain for that request (DER), and its leaf, which has that key and these names.

    `plain` is the request without must-staple, if there is one: it is sent where the CA refuses the first one, for
    the same order.

    Raises:
        RejectedAnswer: what the CA issued is something else.
        CertkeeperError: it issued nothing.
    """
    spec, session, tell = attempt.item.spec, attempt.shared.session, attempt.shared.tell
    tell(CertificateRequested(str(attempt.alias)))
    if order.status is OrderStatus.READY:
        order = yield from _finalized(attempt, order, request, plain)
    bound = spec.order_timeout or DEFAULT_ORDER_TIMEOUT
    order = yield from wait_while(session, order, frozenset({OrderStatus.READY, OrderStatus.PROCESSING}), bound)
    if order.status is not OrderStatus.VALID:
        raise (yield from explain_invalid(session, order))

    def checked(fullchain: bytes, at: datetime) -> Leaf:
        return check(fullchain, key_id=key_id, identifiers=identifiers, now=at)

    try:
        fullchain, leaf = yield from obtain_chain(session, order, spec.chain, checked, attempt.note)
    except (BadChain, NoChain) as error:
        raise (yield from _kept_aside(attempt, error)) from error
    tell(CertificateChecked(str(attempt.alias), spec.preferred_chain))
    return fullchain, leaf


def _finalized(attempt: Attempt, order: Order, request: bytes, plain: bytes) -> Exchange[Order]:
    session = attempt.shared.session
    try:
        return (yield from finalize(session, order, request))
    except Problem as problem:
        # Let's Encrypt refuses before the order is spent, and says unauthorized.
        if problem.type not in {ErrorType.UNAUTHORIZED, ErrorType.BAD_CSR}:
            raise
        if not plain:
            if attempt.item.spec.staple_required:
                problem.hint = 'if the CA refuses must-staple: OCSP_MUST_STAPLE="yes" does without it where that is so'
            raise
        current = yield from fetch_order(session, order.url)
        if current.status is not OrderStatus.READY:
            raise
        attempt.note(f"asked for without must-staple, since the CA says: {problem}")
        attempt.plain = True
        return (yield from finalize(session, current, plain))


def _kept_aside(attempt: Attempt, error: BadChain | NoChain) -> Exchange[RejectedAnswer]:
    """The answer is kept for people to look at. The order is done with: the CA counts it, and has nothing better."""
    try:
        path = yield from do(KeepRejected(attempt.alias, error.answer))
        where = f"the answer is kept as {path}"
    except CertkeeperError as trouble:
        where = f"the answer is not kept: {trouble}"
    return RejectedAnswer(f"{error}; {where}", hint=error.hint)
