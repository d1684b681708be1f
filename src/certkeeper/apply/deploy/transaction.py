"""One service's transaction: its certificates are staged and switched, it is told once for all of them, and looked at;
what it does not take goes back.

    look          what every place shows before
    stage         copies are written beside those that are read
    owe           the journal says what is to be done, before anything changes
    switch        one rename for each certificate that has copies
    test          the service's word on its configuration and files; its user's on what it can read
    reload        once
    look          until every place shows what it is to show, or patience ends
    done          the journal says what was seen

Killed anywhere, files are the old ones or the new ones, and the next run does it again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from certkeeper.apply.deploy.effects import (
    ApplyService,
    AskCondition,
    HasOlderCopy,
    KeepCopies,
    RefreshService,
    StageCopies,
    SwitchCopies,
    TestService,
)
from certkeeper.apply.deploy.looking import look_at, look_until_seen, seen_now
from certkeeper.apply.deploy.parts import Part, Shared, same_complaint
from certkeeper.apply.deploy.reporting import Report
from certkeeper.apply.deploy.wayback import (
    Return,
    go_back,
    go_forward,
    look_back,
    retry_at,
    tell_scripts,
    ways_back,
)
from certkeeper.apply.deployports import Condition, Placement
from certkeeper.apply.effects import WriteJournal, do
from certkeeper.apply.refused import ReadClock
from certkeeper.apply.scheduler import shield
from certkeeper.base.errors import CertkeeperError, Fault, Interrupted
from certkeeper.base.events import ServiceReloaded
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange
from certkeeper.lineage.layout import PRIVKEY
from certkeeper.plan.records import Deployment, Shown
from certkeeper.plan.showing import Looks, Showing
from certkeeper.service.target import Target

STOPPED = "it does not run"
"""What the journal says of a service that takes its certificates when it is started."""


_TEST = "its test says: "


class NotInstalled(CertkeeperError):
    """A service that this machine does not have."""

    label = "service-failed"
    fault = Fault.OPERATOR
    local = True


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a service did not take its files. `loaded`: it was told to, so that it may have taken some of them."""

    words: str
    loaded: bool


class Transaction:
    """One service and the certificates that are due for it."""

    def __init__(self, target: Target, parts: Sequence[Part], shared: Shared) -> None:
        self._target = target
        self._parts = list(parts)
        self._shared = shared
        self._before: Looks = {}
        self._report = Report(target, shared)

    def run(self) -> Exchange[Report]:
        """Raises CertkeeperError: the journal still knows what is owed."""
        condition = yield from do(AskCondition(self._target))
        if condition is Condition.NOT_INSTALLED:
            missing = NotInstalled("it is not installed", hint=f"install it, or take {self._target.name} out of DEPLOY")
            for part in self._parts:
                yield from self._report.kept_out(part.due, part.stamp, missing)
            return self._report
        self._before = yield from look_at([part.watched for part in self._parts])
        yield from self._adopt(condition)
        yield from self._stage()
        if not self._parts:
            return self._report
        yield from self._owe()
        yield from shield()
        yield from self._switch()
        if condition is Condition.STOPPED:
            yield from self._leave_owed()
        else:
            yield from self._take()
        return self._report

    def _adopt(self, condition: Condition) -> Exchange[None]:
        """What the service may have had all along: one that reads in place, and that nothing is known of."""
        now = yield from do(ReadClock())
        known: list[Part] = []
        for part in self._parts:
            showing = seen_now(part.watched, self._before, now)
            if part.placement is None and part.asks_first and condition is Condition.RUNNING and not showing.without:
                self._report.adopted(part, showing)
                known.append(part)
        self._parts = [part for part in self._parts if part not in known]
        if known and not self._parts:
            yield from self._report.write()

    def _stage(self) -> Exchange[None]:
        for part in tuple(self._parts):
            if part.placement is None:
                continue
            try:
                yield from do(StageCopies(part.placement, part.stamp, part.contents))
            except Interrupted:
                raise
            except CertkeeperError as error:
                self._parts.remove(part)
                yield from self._report.kept_out(part.due, part.stamp, error)

    def _owe(self) -> Exchange[None]:
        """In one transaction; what is owed already, with how often it failed, stays as it is."""
        put = []
        for part in self._parts:
            before = part.due.before
            if before is None or before.shown is not Shown.OWED or before.stamp != part.stamp:
                put.append(Deployment(self._target.name, part.due.spec.entry, part.stamp, Shown.OWED))
        if put:
            yield from do(WriteJournal(put=tuple(put)))

    def _switch(self) -> Exchange[None]:
        for part in tuple(self._parts):
            if part.placement is None:
                continue
            try:
                part.back = yield from do(SwitchCopies(part.placement, part.stamp))
                if part.unchanged:
                    part.rewritten = yield from do(HasOlderCopy(part.placement, part.stamp))
                self._report.replaced(part)
            except CertkeeperError as error:
                self._parts.remove(part)
                yield from self._report.kept_out(part.due, part.stamp, error)

    def _leave_owed(self) -> Exchange[None]:
        # Some cannot say whether they run where their configuration cannot be read: `postfix status` ends as if not.
        words = yield from self._tested(self._parts)
        if words:
            self._report.unstartable(self._parts, f"{STOPPED}, as far as it can tell, and its test says: {words}")
        else:
            for part in self._parts:
                self._report.stopped(part, STOPPED)
        yield from self._report.write()
        yield from self._keep(self._parts)

    def _take(self) -> Exchange[None]:
        now = yield from do(ReadClock())
        idle: list[Part] = []
        for part in self._parts:
            showing = seen_now(part.watched, self._before, now)
            if part.untouched or (part.asks_first and not showing.without):
                self._report.adopted(part, showing)
                idle.append(part)
        taking = [part for part in self._parts if part not in idle]
        returns: list[Return] = []
        if taking:
            trouble = yield from self._load(taking)
            if trouble is None:
                returns = yield from self._judge(taking)
            else:
                returns = yield from self._not_loaded(taking, trouble)
        yield from self._report.write()
        yield from self._keep(self._parts)
        yield from tell_scripts(returns, self._shared)

    def _load(self, parts: Sequence[Part]) -> Exchange[Trouble | None]:
        """Test, refresh, reload."""
        target = self._target
        words = yield from self._tested(parts)
        if words:
            return Trouble(f"{_TEST}{words}", loaded=False)
        try:
            yield from do(RefreshService(target))
            yield from do(ApplyService(target, _placements(parts)))
        except CertkeeperError as error:
            return Trouble(self._bare(str(error)), loaded=True)
        self._shared.tell(ServiceReloaded(target.name, tuple(str(part.alias) for part in parts)))
        return None

    def _tested(self, parts: Iterable[Part]) -> Exchange[str]:
        try:
            words = yield from do(TestService(self._target, tuple(self._paths(parts))))
        except CertkeeperError as error:
            words = str(error)
        return self._bare(words)

    def _bare(self, words: str) -> str:
        """Without the service's name, which stands before it all."""
        return words.removeprefix(f"{self._target.name}: ")

    def _judge(self, parts: Sequence[Part]) -> Exchange[list[Return]]:
        """After the reload: who shows what, and back with those that do not."""
        showings = yield from look_until_seen([part.watched for part in parts], self._before)
        bad: dict[Part, Showing] = {}
        for part, showing in zip(parts, showings, strict=True):
            if showing.failed:
                bad[part] = showing
            else:
                self._report.taken(part, showing)
        if not bad:
            return []
        now = yield from do(ReadClock())
        returns = ways_back(list(bad), self._before, now, self._shared)
        yield from go_back(returns, self._target, self._shared)
        after = yield from self._load_again(returns)
        for item in returns:
            self._failed(item, "; ".join(bad[item.part].failed[:3]), after, now)
        return returns

    def _not_loaded(self, parts: Sequence[Part], trouble: Trouble) -> Exchange[list[Return]]:
        """Nobody can say which certificate is to blame, so all of them go back. Where that changes nothing, none is."""
        now = yield from do(ReadClock())
        if not trouble.loaded and any(same_complaint(part.known_broken, trouble.words) for part in parts):
            self._report.broken(parts, trouble.words)
            return []
        returns = ways_back(parts, self._before, now, self._shared)
        yield from go_back(returns, self._target, self._shared)
        if not trouble.loaded and any(item.gone for item in returns):
            again = yield from self._tested(parts)
            if same_complaint(f"{_TEST}{again}", trouble.words):
                yield from go_forward(returns, self._shared)
                self._report.broken(parts, trouble.words)
                return returns
        after = yield from self._load_again(returns)
        for item in returns:
            self._failed(item, trouble.words, "" if same_complaint(after, trouble.words) else after, now)
        return returns

    def _load_again(self, returns: Sequence[Return]) -> Exchange[str]:
        """Make the service take what it had before; what is still wrong then, empty where nothing is."""
        gone = [item.part for item in returns if item.gone]
        if not gone:
            return ""
        trouble = yield from self._load(gone)
        if trouble is not None:
            return trouble.words
        return (yield from look_back(returns, self._before, self._shared))

    def _failed(self, item: Return, words: str, after: str, now: datetime) -> None:
        part = item.part
        still = f"; and then: {after}" if after and item.gone else ""
        self._report.failed(part, f"{words}; {item.told}{still}", retry_at(part.failures + 1, now))

    def _keep(self, parts: Iterable[Part]) -> Exchange[None]:
        """The version that is read, and the one before it. What cannot be removed is no failure of the service's."""
        for part in parts:
            if part.placement is None:
                continue
            stamps = dict.fromkeys(stamp for stamp in (part.stamp, part.back) if stamp is not None)
            if part.unchanged and part.placed is not None:
                stamps |= dict.fromkeys(part.placed.kept[:1])
            try:
                yield from do(KeepCopies(part.placement, tuple(stamps)))
            except CertkeeperError as error:
                self._report.noted(part, f"older copies were not removed: {error}")

    def _paths(self, parts: Iterable[Part]) -> Iterable[str]:
        for part in parts:
            if part.placement is not None:
                yield from part.placement.files
            else:
                yield f"{self._shared.settings.folder(part.due.spec)}/{PRIVKEY}"


def _placements(parts: Iterable[Part]) -> tuple[Placement, ...]:
    return tuple(part.placement for part in parts if part.placement is not None)
