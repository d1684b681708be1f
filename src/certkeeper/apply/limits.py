"""What a CA says of limits while a run is under way: once it has had enough, nothing more is asked of it."""

from collections.abc import Collection

from certkeeper.acme.limits import Scope, scope_of
from certkeeper.acme.order import Order
from certkeeper.acme.problem import Problem
from certkeeper.acme.session import Session
from certkeeper.apply.effects import WriteJournal, do
from certkeeper.apply.refused import ReadClock
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Identifier
from certkeeper.base.wire import Exchange
from certkeeper.config.rate import OrderRate
from certkeeper.plan.backoff import CaLimited, ca_waiting, proven_name
from certkeeper.plan.backoff import next_limit as remembered
from certkeeper.plan.budget import spent
from certkeeper.plan.records import Limit, OrderBudget, Record

_UNCLEAR_ANSWERS = 3
"""So many refusals of orders that do not say whom they are about: each could be about one certificate, all of them
together are more likely about the account, and asking on would make it worse.
"""


class NameFailedMeanwhile(CertkeeperError):
    """A name of the certificate, `name`, has just failed in another one's order."""

    label = "name-failed"
    local = True

    def __init__(self, name: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name


class Limits:
    """One CA's, for one run. `before` and `budget` are what the journal holds; `rate` is how much is asked of it."""

    def __init__(self, ca: str, before: Limit | None, budget: OrderBudget | None, rate: OrderRate) -> None:
        self._ca = ca
        self._before = before
        self._budget = budget
        self._rate = rate
        self._unclear = 0
        self._wait: CaLimited | None = None
        self._failed: dict[str, str] = {}

    def check(self, identifiers: Collection[Identifier]) -> None:
        """Before an order is opened.

        Raises:
            CaLimited: the CA has had enough; the same error for everybody who asks.
            NameFailedMeanwhile: one more failure would be for nothing.
        """
        if self._wait is not None:
            raise self._wait
        self.check_names(identifiers)

    def check_names(self, identifiers: Collection[Identifier]) -> None:
        """Before the challenges for these are answered.

        Raises:
            NameFailedMeanwhile: one more failure would be for nothing.
        """
        for identifier in identifiers:
            other = self._failed.get(proven_name(identifier))
            if other is not None:
                raise NameFailedMeanwhile(
                    proven_name(identifier),
                    f"{proven_name(identifier)} has just failed validation for {other}",
                    hint="it is tried again together with that certificate",
                )

    def failed(self, names: Collection[str], alias: str) -> None:
        """The CA could not validate these."""
        self._failed |= dict.fromkeys(names, alias)

    def opened(self, order: Order) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        """What to put and to drop once the CA has taken an order."""
        before, self._before = self._before, None
        drop: tuple[Record, ...] = (before,) if before is not None and self._wait is None else ()
        if not self._rate.bounded:
            return (), drop
        self._budget = spent(self._budget, self._ca, self._rate, order.at)
        return (self._budget,), drop

    def heard(self, problem: Problem, session: Session | None, names: Collection[Identifier]) -> Exchange[bool]:
        """Is this about more than one certificate? Then it is written down, and `check` refuses from now on."""
        scope = scope_of(problem, session.known_directory if session is not None else None, names)
        if scope is Scope.UNCLEAR:
            self._unclear += 1
            scope = Scope.CA if self._unclear >= _UNCLEAR_ANSWERS else Scope.CERTIFICATE
        if scope is not Scope.CA:
            return False
        now = yield from do(ReadClock())
        if self._wait is None:
            # Answers to requests that were under way together are one.
            limit = remembered(self._ca, self._before, problem, now)
            self._wait = ca_waiting(limit, now)
            yield from do(WriteJournal(put=(limit,)))
        problem.retry_at = self._wait.retry_at if self._wait is not None else problem.retry_at
        return True
