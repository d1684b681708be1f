"""The phase of a run that puts certificates into services: one transaction after the other.

Services that read a lineage in place come first, since what comes of them decides which version is live for the others.
Where one of them made us go back, those before it are told of that, too.
"""

from collections.abc import Collection

from certkeeper.apply.deploy.parts import Shared
from certkeeper.apply.deploy.preparing import prepare
from certkeeper.apply.deploy.reporting import Report
from certkeeper.apply.deploy.result import Deployed, DeployResult, End
from certkeeper.apply.deploy.transaction import Transaction
from certkeeper.apply.effects import FreeLineage, HoldLineage, ReadLineage, WriteJournal, do
from certkeeper.apply.ports import Clock, Executor
from certkeeper.apply.scheduler import Scheduler, shield
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.events import DeploymentFailed, DeploymentNoted, Noted, Tell
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange, together
from certkeeper.config.settings import Settings
from certkeeper.lineage.model import Lineage
from certkeeper.plan.deploy import Cause, DeployPlan, Due, TargetPlan
from certkeeper.plan.records import Records


class Deploying:
    """One run of a plan of deployments."""

    def __init__(
        self, plan: DeployPlan, settings: Settings, records: Records, *, executor: Executor, clock: Clock, tell: Tell
    ) -> None:
        self._plan = plan
        self._shared = Shared(settings, records, tell, plan.page)
        self._scheduler = Scheduler(executor, clock)
        self._lineages: dict[Alias, Lineage] = {}
        self._ended: dict[tuple[str, Alias], Deployed] = {}
        self._fatal: CertkeeperError | None = None

    def interrupt(self, error: Interrupted) -> None:
        """No further service is told. A transaction under way comes to its end. Safe in a signal handler."""
        self._scheduler.interrupt(error)

    def run(self) -> DeployResult:
        for name, alias, error in self._plan.errors:
            self._end(Deployed(name, alias, End.FAILED, str(error)))
            self._shared.tell(DeploymentFailed(f"{name}: {alias}", error, (str(alias),)))
        self._scheduler.spawn(self._phase(), self._over)
        self._scheduler.run()
        return DeployResult(tuple(self._ended.values()), self._fatal)

    def _phase(self) -> Exchange[None]:
        if self._plan.stale:
            yield from do(WriteJournal(drop=self._plan.stale))
        try:
            yield from self._hold()
            done: list[TargetPlan] = []
            for item in self._plan.targets:
                before = frozenset(self._shared.gone_back)
                yield from self._transact(item)
                yield from self._recall(done, self._shared.gone_back - before)
                done.append(item)
        except Interrupted as error:
            self._fatal = error
        except CertkeeperError as error:
            self._failed(error)
        yield from shield()
        for alias in tuple(self._lineages):
            yield from do(FreeLineage(alias))

    def _hold(self) -> Exchange[None]:
        for alias in self._plan.aliases:
            try:
                self._lineages[alias] = yield from do(HoldLineage(alias))
            except Interrupted:
                raise
            except CertkeeperError as error:
                # What is owed is done by who has it, or by the next run.
                for item in self._plan.targets:
                    if any(due.alias == alias for due in item.due):
                        self._end(Deployed(item.target.name, alias, End.LEFT, str(error)))
                self._shared.tell(DeploymentNoted(str(alias), f"not deployed now: {error}"))

    def _transact(self, item: TargetPlan) -> Exchange[None]:
        item = replace(item, due=tuple(due for due in item.due if due.alias in self._lineages))
        if not item.due:
            return
        try:
            # A transaction that must come to its end does not keep those after it from being interrupted.
            (ended,) = yield from together([self._one(item)])
        except Interrupted:
            raise
        except CertkeeperError as error:
            for due in item.due:
                self._end(Deployed(item.target.name, due.alias, End.FAILED, str(error), error.retry_at))
            self._shared.tell(DeploymentFailed(item.target.name, error, tuple(str(due.alias) for due in item.due)))
        else:
            for deployed in ended:
                self._end(deployed)

    def _one(self, item: TargetPlan) -> Exchange[list[Deployed]]:
        parts, failed, left = yield from prepare(item, self._lineages, self._shared)
        first = Report(item.target, self._shared, left)
        for due in item.due:
            if due.alias in failed:
                yield from first.kept_out(due, self._lineages[due.alias].stamp or due.stamp, failed[due.alias])
        if not parts:
            return first.ended
        transaction = Transaction(item.target, parts, self._shared)
        report = yield from transaction.run()
        return [*first.ended, *report.ended]

    def _recall(self, done: Collection[TargetPlan], moved: Collection[Alias]) -> Exchange[None]:
        """What is live changed under services that had taken it."""
        for alias in moved:
            self._lineages[alias] = yield from do(ReadLineage(alias))
        for item in done:
            due = [self._anew(part) for part in item.due if part.alias in moved]
            if due and item.target.in_place:
                yield from self._transact(replace(item, due=tuple(due)))

    def _anew(self, due: Due) -> Due:
        stamp = self._lineages[due.alias].stamp
        return replace(due, stamp=stamp if stamp is not None else due.stamp, cause=Cause.NEW_VERSION, before=None)

    def _end(self, deployed: Deployed) -> None:
        """What failed once in a run has failed, whatever came after it."""
        key = (deployed.target, deployed.alias)
        before = self._ended.get(key)
        if before is None or before.end is not End.FAILED:
            self._ended[key] = deployed

    def _over(self, _value: object, error: Exception | None) -> None:
        if isinstance(error, CertkeeperError):
            self._failed(error)
        elif error is not None:
            raise error

    def _failed(self, error: CertkeeperError) -> None:
        self._fatal = error
        self._shared.tell(Noted("deployments", str(error)))
