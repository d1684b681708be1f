"""An order all of whose names are to be proven anew.

A CA asks for no proof of a name that it takes as proven, and has no way to be asked to. So such a proof is given back
(RFC 8555 §7.5.2), and since the order is of no use without it, another one is opened.
"""

from collections.abc import Callable

from certkeeper.acme.order import (
    AuthorizationStatus,
    Order,
    OrderFailed,
    deactivate_authorization,
    fetch_authorizations,
)
from certkeeper.apply.attempt import Attempt
from certkeeper.apply.manner import Proofs
from certkeeper.base.wire import Exchange, together

_MOST_ORDERS = 3


def without_proofs(attempt: Attempt, order: Order, again: Callable[[], Exchange[Order]]) -> Exchange[Order]:
    """The order, or one that `again` opens; no name in it is proven, where proofs are to be given back.

    Raises:
        OrderFailed: the CA goes on taking names as proven.
    """
    session = attempt.shared.session
    if attempt.shared.manner.proofs is not Proofs.GIVEN_BACK:
        return order
    for number in range(_MOST_ORDERS):
        authorizations = yield from fetch_authorizations(session, order.authorizations)
        valid = [one for one in authorizations if one.status is AuthorizationStatus.VALID]
        if not valid:
            return order
        attempt.given_back |= {one.identifier for one in valid}
        yield from together([deactivate_authorization(session, one) for one in valid])
        if number + 1 < _MOST_ORDERS:
            order = yield from again()
    names = ", ".join(sorted(str(name) for name in attempt.given_back))
    raise OrderFailed(
        f"the CA takes names as proven after {_MOST_ORDERS} orders, though the proofs were given back: {names}",
        hint="leave --force-validation away: this CA does not let names be proven anew",
    )
