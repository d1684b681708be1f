"""Step 10: from an order whose names are proven, and a request, to a certificate that is in order."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from certkeeper.acme.order import Order, OrderStatus, explain_invalid, finalize, wait_while
from certkeeper.apply.attempt import Attempt
from certkeeper.apply.chains import obtain_chain
from certkeeper.base.names import Identifier
from certkeeper.base.wire import Exchange
from certkeeper.lineage.integrity import check
from certkeeper.lineage.model import Leaf

DEFAULT_ORDER_TIMEOUT = timedelta(minutes=5)


def fulfil(
    attempt: Attempt, order: Order, request: bytes, *, key_id: str, identifiers: Sequence[Identifier]
) -> Exchange[tuple[bytes, Leaf]]:
    """The whole chain for that request (DER), and its leaf, which has that key and these names.

    Raises:
        BadChain: what the CA issued is something else.
        CertkeeperError: it issued nothing.
    """
    spec, session = attempt.item.spec, attempt.shared.session
    if order.status is OrderStatus.READY:
        order = yield from finalize(session, order, request)
    bound = spec.order_timeout or DEFAULT_ORDER_TIMEOUT
    order = yield from wait_while(session, order, frozenset({OrderStatus.READY, OrderStatus.PROCESSING}), bound)
    if order.status is not OrderStatus.VALID:
        raise (yield from explain_invalid(session, order))

    def checked(fullchain: bytes, at: datetime) -> Leaf:
        return check(fullchain, key_id=key_id, identifiers=identifiers, now=at)

    return (yield from obtain_chain(session, order, spec.preferred_chain, checked, attempt.note))
