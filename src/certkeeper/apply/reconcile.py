"""Carry out a plan: every due lineage side by side, none stopping another one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

from certkeeper.acme.problem import Problem
from certkeeper.acme.session import Session
from certkeeper.apply.account import open_session
from certkeeper.apply.attempt import Issuance
from certkeeper.apply.berths import Berth, Berths
from certkeeper.apply.challenges import Waves
from certkeeper.apply.effects import WriteJournal, do
from certkeeper.apply.golive import go_live
from certkeeper.apply.hooks import refusals_told
from certkeeper.apply.issue import issue
from certkeeper.apply.limits import Limits
from certkeeper.apply.manner import USUAL, Manner
from certkeeper.apply.names import blamed
from certkeeper.apply.pay import pay
from certkeeper.apply.ports import Clock, Executor
from certkeeper.apply.progress import Progress
from certkeeper.apply.propagate import terms_of
from certkeeper.apply.result import Issued, Outcome, Result, Staged
from certkeeper.apply.scheduler import Scheduler
from certkeeper.apply.served import Served
from certkeeper.apply.told import clean_left
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.events import Event, LineageFailed, Noted, OrdersPostponed, Tell
from certkeeper.base.names import Alias
from certkeeper.base.wire import Exchange
from certkeeper.config.orderrate import order_rate_at
from certkeeper.config.settings import Purpose, Settings
from certkeeper.plan.actions import Kept, LineagePlan, Plan, Postponed
from certkeeper.plan.due import usual_time
from certkeeper.plan.gates import WaitsForDns
from certkeeper.plan.namefailure import kept, not_dropped
from certkeeper.plan.preflight import clock_findings


class Reconciler:
    """One run of a plan."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        *,
        executor: Executor,
        clock: Clock,
        user_agent: str,
        terms_accepted: bool,
        tell: Tell,
        manner: Manner = USUAL,
    ) -> None:
        self._plan = plan
        self._manner = manner
        self._settings = settings
        self._user_agent = user_agent
        self._terms_accepted = terms_accepted
        self._progress = Progress(len(plan.due), clock.monotonic())
        self._listener = _unbreakable(tell)
        self._scheduler = Scheduler(executor, clock)
        self._waves = Waves(self._scheduler, self._tell, *terms_of(settings), self._idle)
        self._served = Served(self._scheduler, self._tell)
        self._waiting: dict[str, list[LineagePlan]] = {}
        for item in plan.due:
            self._waiting.setdefault(item.spec.ca, []).append(item)
        self._limits = {
            ca: Limits(ca, plan.limits.get(ca), plan.budgets.get(ca), order_rate_at(ca, settings))
            for ca in self._waiting
        }
        self._opening = len(self._waiting)
        self._queue = Berths[tuple[LineagePlan, Issuance]]()
        self._running: dict[Alias, Berth] = {}
        self._outcomes: dict[Alias, Outcome] = {}
        self._fatal: CertkeeperError | None = None
        self._interruption: Interrupted | None = None

    def _tell(self, event: Event) -> None:
        """Pass it on. Where much is done there is much to tell, so this is also the time to say how far it has come."""
        self._listener(event)
        advanced = self._progress.look(self._scheduler.monotonic())
        if advanced is not None:
            self._listener(advanced)

    def interrupt(self, error: Interrupted) -> None:
        """End the run early: nothing new starts, and what was published is withdrawn. Safe in a signal handler."""
        self._interruption = error
        self._scheduler.interrupt(error)

    def run(self) -> Result:
        """Run to the end: certificates, withdrawals, everything."""
        for item in self._plan.blocked:
            self._end(Outcome(item.alias, error=item.error))
        self._tell_postponed()
        self._waves.clean(self._plan.withdrawals, self._plan.zones)
        self._served.clean(self._plan.files, self._scripts_left() if self._plan.told else None)
        if self._plan.stale:
            self._scheduler.spawn(do(WriteJournal(drop=self._plan.stale)), self._swept)
        for item in self._plan.owing:
            if item.goes is None:
                self._scheduler.spawn(pay(item, self._settings, self._tell), self._paid(item))
            else:
                self._scheduler.spawn(go_live(item, self._settings, self._tell, self._user_agent), self._gone(item))
        for ca in self._waiting:
            self._scheduler.spawn(self._open(ca), self._opened(ca))
        if not self._waiting:
            self._waves.settle()
        self._scheduler.run()
        if self._interruption is not None:
            for item in (*self._plan.owing, *self._plan.due):
                # Those that were never started, and those whose step under way did not end in time.
                self._outcomes.setdefault(item.alias, Outcome(item.alias, error=self._interruption))
        outcomes = [self._outcomes[item.alias] for item in self._plan.lineages if item.alias in self._outcomes]
        return Result(
            outcomes=tuple(outcomes),
            leftovers=(*self._plan.unreachable, *self._waves.leftovers(), *self._served.leftovers()),
            fatal=self._fatal or self._interruption,
            wake_at=_earliest(self._plan, outcomes, self._fatal),
        )

    def _tell_postponed(self) -> None:
        """Once for each thing that certificates wait for."""
        later = self._plan.postponed
        for kind in dict.fromkeys(type(item.error) for item in later):
            those = [item for item in later if type(item.error) is kind]
            self._tell(OrdersPostponed(tuple(str(item.alias) for item in those), str(those[0].error)))

    def _scripts_left(self) -> Exchange[None]:
        specs = [item.spec for item in self._plan.lineages]
        return clean_left(self._plan.told, specs, self._settings, self._tell, self._waves.withdrawal_errors)

    def _open(self, ca: str) -> Exchange[Session]:
        rehearsal = all(item.spec.purpose is Purpose.REHEARSE for item in self._waiting[ca])
        settings = self._settings.at(ca)
        opening = open_session(
            settings, user_agent=self._user_agent, terms_accepted=self._terms_accepted, tell=self._tell
        )
        try:
            return (yield from opening if rehearsal else refusals_told(opening, settings, self._tell))
        except Problem as problem:
            yield from self._limits[ca].heard(problem, None, ())
            raise

    def _opened(self, ca: str) -> Callable[[object, Exception | None], None]:
        def ended(session: object, error: Exception | None) -> None:
            self._opening -= 1
            if isinstance(error, CertkeeperError):
                self._without(ca, error)
            elif error is not None:
                raise error
            elif isinstance(session, Session):
                self._compare_clocks(ca, session)
                limits = self._limits[ca]
                shared = Issuance(
                    session,
                    self._waves,
                    self._served,
                    self._tell,
                    self._settings,
                    limits,
                    self._manner,
                    self._user_agent,
                )
                for item in self._waiting[ca]:
                    self._queue.add((item, shared), ca, [proof.zone for proof in item.proofs])
                self._start()
            self._settle_at_the_end()

        return ended

    def _compare_clocks(self, ca: str, session: Session) -> None:
        """Told here where the plan could not tell of it, since nothing made it look at the CA's directory."""
        if session.clock_behind is not None and ca not in self._plan.clocks:
            for finding in clock_findings({ca: session.clock_behind}):
                self._tell(Noted("clock", f"{finding.message}; {finding.consequence}"))

    def _settle_at_the_end(self) -> None:
        """No lineage is left that could take a killed run's records along with its own."""
        if not (self._opening or self._running) and (not self._queue.waiting or self._interruption is not None):
            self._waves.settle()

    def _without(self, ca: str, error: CertkeeperError) -> None:
        """A CA where nothing can be ordered. Its certificates fail, and those of other CAs go on."""
        if len(self._waiting) == 1:
            self._fatal = error
            return
        for item in self._waiting[ca]:
            self._end(Outcome(item.alias, error=error))

    @contextmanager
    def _idle(self, alias: Alias) -> Iterator[None]:
        with self._queue.lent(self._running[alias]):
            self._start()
            yield

    def _start(self) -> None:
        while self._interruption is None and (begun := self._queue.begin()) is not None:
            (item, shared), self._running[item.alias] = begun
            # Entered before any of them runs, so that a wave does not close under those that start together.
            self._waves.enter(item.alias, [proof.zone for proof in item.proofs])
            self._scheduler.spawn(issue(item, shared), self._issued(item))

    def _issued(self, item: LineagePlan) -> Callable[[object, Exception | None], None]:
        def ended(value: object, error: Exception | None) -> None:
            self._queue.end(self._running.pop(item.alias))
            self._progress.ended(error)
            self._start()
            self._settle_at_the_end()
            if isinstance(value, Issued):
                self._end(Outcome(item.alias, issued=value, error=value.unpaid))
            elif isinstance(value, Staged):
                alarm = item.hold.alarm if item.hold is not None else None
                self._end(Outcome(item.alias, staged=value, error=alarm))
            else:
                self._end(Outcome(item.alias, error=_kept(item, _named(error))))

        return ended

    def _gone(self, item: LineagePlan) -> Callable[[object, Exception | None], None]:
        def ended(value: object, error: Exception | None) -> None:
            if isinstance(value, Issued):
                self._end(Outcome(item.alias, activated=value, error=value.unpaid))
            else:
                self._end(Outcome(item.alias, error=_named(error)))

        return ended

    def _paid(self, item: LineagePlan) -> Callable[[object, Exception | None], None]:
        def ended(_value: object, error: Exception | None) -> None:
            self._end(Outcome(item.alias, error=_named(error)))

        return ended

    def _swept(self, _value: object, error: Exception | None) -> None:
        if isinstance(error, CertkeeperError):
            self._tell(Noted("journal", f"entries that nobody needs were not removed: {error}"))
        elif error is not None:
            raise error

    def _end(self, outcome: Outcome) -> None:
        self._outcomes[outcome.alias] = outcome
        if isinstance(outcome.error, Kept | WaitsForDns):
            self._tell(Noted(str(outcome.alias), str(outcome.error)))
        elif outcome.error is not None and not isinstance(outcome.error, Interrupted | Postponed):
            self._tell(LineageFailed(str(outcome.alias), outcome.error))


def _kept(item: LineagePlan, error: CertkeeperError | None) -> CertkeeperError | None:
    """A warning in the place of a failure, where the names are to blame and the live certificate is good enough."""
    names = blamed(error, item.spec.identifiers) if error is not None else ()
    if error is None or not names:
        return error
    return kept(item.kept_until, error) if item.kept_until else not_dropped(item.spec, names, error)


def _named(error: Exception | None) -> CertkeeperError | None:
    """A fault of ours in one lineage must not take the others' certificates away."""
    if error is None or isinstance(error, CertkeeperError):
        return error
    named = CertkeeperError(f"internal error: {type(error).__name__}: {error}", hint="this is a bug: please report it")
    named.__cause__ = error
    return named


def _unbreakable(tell: Tell) -> Tell:
    """Whoever listens must not be able to stop a run in the middle: records are published, and owed."""

    def told(event: Event) -> None:
        with suppress(Exception):
            tell(event)

    return told


def _earliest(plan: Plan, outcomes: Sequence[Outcome], fatal: CertkeeperError | None) -> datetime | None:
    """When it is worth running again: the next renewal, or the earliest end of a wait that somebody asked for."""
    times = [item.wake_at for item in plan.lineages]
    times += [outcome.error.retry_at for outcome in outcomes if outcome.error is not None]
    times += [fatal.retry_at] if fatal is not None else []
    policies = {item.alias: item.spec.renew for item in plan.lineages}
    for outcome in outcomes:
        made = outcome.live or outcome.staged
        if made is not None:
            leaf = made.leaf
            times.append(usual_time(outcome.alias, leaf, policies[outcome.alias]))
    return min((instant for instant in times if instant is not None), default=None)
