"""In what state a certificate is, in one word, for people who look and for monitoring."""

from collections.abc import Iterable
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError
from certkeeper.plan.actions import Hold, Kept, Postponed, Reason
from certkeeper.plan.backoff import BackedOff, CaLimited
from certkeeper.plan.due import Decision
from certkeeper.plan.inservices import InService, Progress
from certkeeper.plan.instaples import InStaple


class State(StrEnum):
    """Those that need somebody's attention most come first."""

    EXPIRED = "expired"
    TORN = "torn"
    """Key, certificate and chain do not belong together."""
    UNREADABLE = "unreadable"
    REVOKED = "revoked"
    REJECTED = "rejected"
    """The page asks for it in a way that cannot be read."""
    OVERDUE = "overdue"
    """A person holds it back, and what is live soon ends."""
    UNSTAPLED = "unstapled"
    """Clients refuse it, or may, for want of a good OCSP response."""
    FAILED = "failed"
    """Due, and the last try failed; it is tried again later."""
    MISSING = "missing"
    """Not issued yet."""
    UNDEPLOYED = "undeployed"
    """A service did not take it."""
    WAITING = "waiting"
    """Due, and a run of now would not try: for its turn, or for the CA."""
    HELD = "held"
    """A newer version waits for a person, or for its time."""
    INCOMPLETE = "incomplete"
    """In order, and without a name of the page (ON_NAME_FAILURE)."""
    ORPHANED = "orphaned"
    """In CERTDIR, and no line of domains.txt asks for it."""
    DUE = "due"
    """The next run renews it."""
    OK = "ok"


_WRONG = {
    Reason.EXPIRED: State.EXPIRED,
    Reason.TORN: State.TORN,
    Reason.UNREADABLE: State.UNREADABLE,
    Reason.REVOKED: State.REVOKED,
}
PROBLEMS = frozenset(State) - {State.OK, State.DUE, State.ORPHANED, State.WAITING, State.HELD}
"""What a person has to look after."""


def state_of(
    decision: Decision,
    wait: CertkeeperError | None,
    *,
    incomplete: bool,
    failed: bool,
    hold: Hold | None = None,
    services: Iterable[InService] = (),
    staple: InStaple | None = None,
) -> State:
    """The first that applies. `wait` is why a run of now would not try it, `failed` that the last one could not."""
    alone = _alone(decision, wait, incomplete=incomplete, failed=failed, hold=hold)
    order = list(State)
    if staple is not None and staple.wrong and order.index(alone) > order.index(State.UNSTAPLED):
        return State.UNSTAPLED
    if order.index(alone) > order.index(State.UNDEPLOYED) and any(
        item.progress is Progress.FAILED for item in services
    ):
        return State.UNDEPLOYED
    return alone


def _alone(
    decision: Decision, wait: CertkeeperError | None, *, incomplete: bool, failed: bool, hold: Hold | None
) -> State:
    """The state of the certificate itself, whatever services have of it."""
    if decision.reason in _WRONG:
        return _WRONG[decision.reason]
    if hold is not None and (hold.alarm is not None or hold.decides):
        return _held(hold)
    if not decision.due or isinstance(wait, Kept):
        return State.INCOMPLETE if incomplete else State.OK
    if isinstance(wait, CaLimited | Postponed):
        return State.WAITING
    if failed or isinstance(wait, BackedOff):
        return State.FAILED
    return State.MISSING if decision.reason is Reason.MISSING else State.DUE


def _held(hold: Hold) -> State:
    if hold.goes is not None:
        return State.DUE
    return State.OVERDUE if hold.alarm is not None else State.HELD
