"""A request that somebody else made is signed: its names are proven as a run would prove them, and nothing is kept.

The records go the way of every challenge (apply/challenges.py): written down before, and withdrawn by the next run if
this one is killed.
"""

from certkeeper.acme.order import Order, new_order
from certkeeper.acme.session import Session
from certkeeper.apply.account import open_session
from certkeeper.apply.anew import without_proofs
from certkeeper.apply.attempt import Attempt, Issuance
from certkeeper.apply.challenges import Waves
from certkeeper.apply.effects import ReadAccount, do
from certkeeper.apply.fulfil import fulfil
from certkeeper.apply.hooks import mention_refusal, refusals_told
from certkeeper.apply.limits import Limits
from certkeeper.apply.manner import USUAL, Manner
from certkeeper.apply.ports import Clock, Executor
from certkeeper.apply.propagate import terms_of
from certkeeper.apply.prove import prove
from certkeeper.apply.result import Signed
from certkeeper.apply.scheduler import Scheduler
from certkeeper.apply.served import Served
from certkeeper.apply.told import clean_left
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.events import OrderOpened, Tell
from certkeeper.base.traces import AuthorizationsListed, OrderRequested
from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange
from certkeeper.config.rate import OrderRate
from certkeeper.config.settings import Purpose, Settings
from certkeeper.lineage.request import ReceivedCsr
from certkeeper.plan.actions import Plan


class AccountKeyInRequest(CertkeeperError):
    """A certificate for an account's key would let whoever serves it act as the account (RFC 8555 §11.1)."""

    label = "key-or-chain"
    fault = Fault.OPERATOR


class Signing:
    """One request's way to its certificate. It is the plan's only lineage. What killed runs published goes, too.

    Scripts are told of a rehearsal what proves its names, and no more.
    """

    def __init__(
        self,
        plan: Plan,
        request: ReceivedCsr,
        settings: Settings,
        *,
        executor: Executor,
        clock: Clock,
        user_agent: str,
        terms_accepted: bool,
        tell: Tell,
        manner: Manner = USUAL,
        purpose: Purpose = Purpose.SERVE,
    ) -> None:
        (item,) = plan.lineages
        self._item = replace(item, spec=replace(item.spec, purpose=purpose))
        self._plan = plan
        self._request = request
        self._settings = settings
        self._user_agent = user_agent
        self._terms_accepted = terms_accepted
        self._tell = tell
        self._manner = manner
        self._scheduler = Scheduler(executor, clock)
        self._waves = Waves(self._scheduler, tell, *terms_of(settings))
        self._served = Served(self._scheduler, tell)
        self._fullchain = b""
        self._error: Exception | None = None

    def interrupt(self, error: CertkeeperError) -> None:
        """End early: what was published is withdrawn. Safe in a signal handler."""
        self._error = error
        self._scheduler.interrupt(error)

    def run(self) -> Signed:
        """Prove, order, withdraw."""
        self._waves.clean(self._plan.withdrawals, self._plan.zones)
        self._served.clean(self._plan.files, self._scripts_left() if self._plan.told else None)
        self._waves.enter(self._item.alias, [proof.zone for proof in self._item.proofs])
        self._scheduler.spawn(self._sign(), self._ended)
        self._scheduler.run()
        if self._error is not None and not isinstance(self._error, CertkeeperError):
            raise self._error
        failed = (self._error,) if self._error is not None else ()
        return Signed(self._fullchain, (*failed, *self._waves.leftovers(), *self._served.leftovers()))

    def _scripts_left(self) -> Exchange[None]:
        return clean_left(
            self._plan.told, (self._item.spec,), self._settings, self._tell, self._waves.withdrawal_errors
        )

    def _sign(self) -> Exchange[bytes]:
        item, settings, tell = self._item, self._settings, self._tell
        opening = open_session(settings, user_agent=self._user_agent, terms_accepted=self._terms_accepted, tell=tell)
        try:
            rehearsal = item.spec.purpose is Purpose.REHEARSE
            session = yield from opening if rehearsal else refusals_told(opening, settings, tell)
            try:
                return (yield from self._fulfilled(session))
            except CertkeeperError as error:
                yield from mention_refusal(error, settings, item.spec, tell)
                raise
        finally:
            self._waves.release(item.alias)
            self._served.release(item.alias)

    def _fulfilled(self, session: Session) -> Exchange[bytes]:
        item, request, tell = self._item, self._request, self._tell
        wanted = item.order
        if wanted is None:
            raise TypeError(f"{item.alias}: no order in its plan")
        stored = yield from do(ReadAccount(self._settings.ca))
        if stored is not None and stored.key.key_id == request.key_id:
            raise AccountKeyInRequest(
                "the request is for the key of the account at this CA",
                hint="make a key of its own for the certificate",
            )
        # A person asked for this one: neither what was heard before nor the rate stands in its way.
        limits = Limits(self._settings.ca, None, None, OrderRate())
        shared = Issuance(session, self._waves, self._served, tell, self._settings, limits, self._manner)
        attempt = Attempt(item, shared)
        yield from self._served.prepare(item.serves)
        tell(OrderRequested(str(item.alias)))

        def opened() -> Exchange[Order]:
            return new_order(session, wanted.identifiers, profile=wanted.profile)

        order = yield from without_proofs(attempt, (yield from opened()), opened)
        tell(OrderOpened(str(item.alias), order.status.value, len(wanted.identifiers)))
        tell(AuthorizationsListed(str(item.alias), len(order.authorizations)))
        order = yield from prove(attempt, order)
        fullchain, _ = yield from fulfil(
            attempt, order, request.der, key_id=request.key_id, identifiers=wanted.identifiers
        )
        return fullchain

    def _ended(self, value: object, error: Exception | None) -> None:
        self._fullchain = value if isinstance(value, bytes) else b""
        self._error = error
