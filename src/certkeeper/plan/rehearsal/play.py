"""The days, one run after the other, with the planner itself: no decision is taken here a second time.

A run looks only at the certificates that it is time to look at, as the planner said of each: when it becomes due, or
has its turn. So a year of 10,000 certificates takes seconds.
"""

import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from certkeeper.base.times import RETRY_AFTER_MAX
from certkeeper.base.value import replace
from certkeeper.config.authority import LETSENCRYPT, LETSENCRYPT_TEST
from certkeeper.config.orderrate import order_rate_at
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import LineagePlan, Order, Postponed
from certkeeper.plan.budget import spent
from certkeeper.plan.due import decide
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan
from certkeeper.plan.records import OrderBudget, Records
from certkeeper.plan.rehearsal.ca import Behaviour
from certkeeper.plan.rehearsal.certificate import Played
from certkeeper.plan.rehearsal.ledger import Ledger
from certkeeper.plan.rehearsal.limits import CaLimits
from certkeeper.plan.rehearsal.result import Question, Rehearsed
from certkeeper.plan.runlimit import LaterRun

_BEFORE = timedelta(hours=1)
"""A run that early may renew already, inside a window of the CA's."""
_STUCK = timedelta(days=1)


def rehearse(configuration: Configuration, observed: Observed, question: Question) -> Rehearsed:
    """Play the question on the page and the world as it is now."""
    return _Play(configuration, observed, question).run()


def behaviours(configuration: Configuration, observed: Observed) -> Mapping[str, Behaviour]:
    """The page's CAs, as far as the certificates that are there and the CAs' names tell."""
    found = {}
    for ca in configuration.cas:
        lives: dict[str, Counter[timedelta]] = {}
        mine = [spec.alias for spec in configuration.certificates if spec.ca == ca]
        for alias in mine:
            lineage = observed.lineages[alias]
            if lineage.leaf is not None and (lineage.origin is None or lineage.origin.ca == ca):
                profile = lineage.origin.profile if lineage.origin is not None else ""
                life = lineage.leaf.not_after - lineage.leaf.not_before
                lives.setdefault(profile, Counter())[life] += 1
        said = any(observed.suggestion(alias) is not None for alias in mine)
        suggests = configuration.settings.ari and (said or ca in {LETSENCRYPT, LETSENCRYPT_TEST})
        found[ca] = Behaviour(ca, suggests, {name: counts.most_common(1)[0][0] for name, counts in lives.items()})
    return found


class _Play:
    def __init__(self, configuration: Configuration, observed: Observed, question: Question) -> None:
        self._configuration = configuration
        self._question = question
        held = observed.records.held
        self._held = tuple(spec.alias for spec in configuration.certificates if spec.entry in held)
        cas = behaviours(configuration, observed)
        self._certificates = [
            Played(spec, observed.lineages[spec.alias], observed.advice.get(spec.alias), cas[spec.ca])
            for spec in configuration.certificates
            if spec.entry not in held
        ]
        self._world = _bare(observed)
        self._budgets: dict[str, OrderBudget] = dict(observed.records.budgets)
        self._limits = {ca: CaLimits(ca) for ca in cas}
        self._runs = max(math.ceil(question.days * timedelta(days=1) / question.every), 1)
        self._queue: list[tuple[int, int]] = []
        self._ledger = Ledger(question)
        self._waiting: set[int] = set()

    def run(self) -> Rehearsed:
        for place in range(len(self._certificates)):
            self._look(place, 0)
        revoking = self._number(self._question.revoked_at)
        while self._queue or revoking is not None:
            number = self._queue[0][0] if self._queue else self._runs
            if revoking is not None and revoking <= number:
                self._revoke(revoking)
                revoking = None
            else:
                self._one_run(number, self._due_at(number))
        self._ledger.ended((item.alias, item.leaf) for item in self._certificates)
        return Rehearsed(
            question=self._question,
            certificates=len(self._certificates),
            loads=self._ledger.loads(),
            lapses=tuple(self._ledger.lapses),
            nearest=self._ledger.nearest(),
            limits=tuple(touched for limits in self._limits.values() for touched in limits.touched()),
            exempt={ca: limits.exempt for ca, limits in self._limits.items()},
            stuck=self._ledger.stuck,
            held=self._held,
            lives=self._ledger.lives,
            replacement=self._ledger.replacement(),
        )

    def _time(self, number: int) -> datetime:
        return self._question.start + number * self._question.every

    def _number(self, instant: datetime | None) -> int | None:
        """The first run that is not before it; None where none is."""
        if instant is None:
            return None
        number = max(math.ceil((instant - self._question.start) / self._question.every), 0)
        return number if number < self._runs else None

    def _look(self, place: int, number: int | None) -> None:
        """The certificate is looked at in that run, and not where it was said before."""
        self._certificates[place].run = number
        if number is not None and number < self._runs:
            heapq.heappush(self._queue, (number, place))

    def _due_at(self, number: int) -> list[int]:
        found: dict[int, None] = {}
        while self._queue and self._queue[0][0] == number:
            _, place = heapq.heappop(self._queue)
            if self._certificates[place].run == number:
                found[place] = None
        return list(found)

    def _one_run(self, number: int, places: Sequence[int]) -> None:
        now, outage = self._time(number), self._question.outage
        if outage is not None and outage.start <= now < outage.end:
            for place in places:
                self._look(place, self._number(outage.end))
            self._waiting.update(places)
            self._ledger.ran(now, issued=0, refused=0, waiting=len(self._waiting))
            return
        issued = refused = 0
        for place, item in zip(places, self._planned(places, now), strict=True):
            self._waiting.discard(place)
            if item.order is None:
                if isinstance(item.error, Postponed):
                    self._waiting.add(place)
                self._not_now(place, item, number)
            elif self._ordered(place, item, item.order, number):
                issued += 1
            else:
                self._waiting.add(place)
                refused += 1
        self._ledger.ran(now, issued=issued, refused=refused, waiting=len(self._waiting))

    def _planned(self, places: Sequence[int], now: datetime) -> tuple[LineagePlan, ...]:
        looked_at = [self._certificates[place] for place in places]
        page = replace(self._configuration, certificates=tuple(item.spec for item in looked_at), rejected=())
        world = replace(
            self._world,
            now=now,
            lineages={item.alias: item.lineage for item in looked_at},
            advice={item.alias: item.advice for item in looked_at if item.advice is not None},
            records=replace(self._world.records, budgets=self._budgets),
        )
        return plan(page, world).lineages

    def _not_now(self, place: int, item: LineagePlan, number: int) -> None:
        """Nothing is ordered; when the planner says that it is worth to look again."""
        if isinstance(item.error, LaterRun):
            forced = self._number(item.error.latest)
            turn = number + item.error.runs
            self._look(place, max(min(turn, forced if forced is not None else turn), number + 1))
            return
        at = item.wake_at
        if item.error is not None and not isinstance(item.error, Postponed):
            self._ledger.stuck[item.alias] = str(item.error)
            again = self._time(number) + _STUCK
            at = again if at is None else min(at, again)
        elif item.error is None and at is not None:
            at = self._earliest(place, at)
        found = self._number(at)
        self._look(place, max(found, number + 1) if found is not None else None)

    def _earliest(self, place: int, at: datetime) -> datetime:
        """The first time at which the certificate may be due, where the CA chose one that early inside its window."""
        advice = self._certificates[place].advice
        suggestion = advice.suggestion if advice is not None else None
        if suggestion is None or suggestion.renew_at != at:
            return at
        return max(suggestion.window.start, at - _BEFORE)

    def _ordered(self, place: int, item: LineagePlan, order: Order, number: int) -> bool:
        """Whether the CA takes the order; then there is a new certificate."""
        played, now, ca = self._certificates[place], self._time(number), item.spec.ca
        present = played.leaf
        ready = self._limits[ca].refuses(order, present, now, in_window=played.in_window(now))
        if ready is not None:
            found = self._number(min(ready, now + RETRY_AFTER_MAX))
            self._look(place, max(found, number + 1) if found is not None else None)
            return False
        rate = order_rate_at(ca, self._configuration.settings)
        if rate.bounded:
            self._budgets[ca] = spent(self._budgets.get(ca), ca, rate, now)
        self._ledger.lives[ca, order.profile] = played.issued(item, order, now)
        self._ledger.replaced(item.alias, present, now)
        self._look(place, self._next_look(place, item, number))
        return True

    def _next_look(self, place: int, item: LineagePlan, number: int) -> int | None:
        """The run that renews a new certificate. The rule that the planner asks is asked alone: it takes a tenth."""
        played, now = self._certificates[place], self._time(number)
        suggestion = played.advice.suggestion if played.advice is not None else None
        without = [dropped.name for dropped in item.dropped]
        found = decide(played.spec, played.lineage, now, suggestion, settled=without)
        if found.due or found.renew_at is None:
            return number + 1
        at = self._number(self._earliest(place, found.renew_at))
        return max(at, number + 1) if at is not None else None

    def _revoke(self, number: int) -> None:
        now = self._time(number)
        aware = []
        for place, item in enumerate(self._certificates):
            if item.revoked(now):
                aware.append(item.alias)
                self._look(place, number)
        with_leaf = sum(1 for item in self._certificates if item.leaf is not None)
        self._ledger.revoked(aware, with_leaf - len(aware))


def _bare(observed: Observed) -> Observed:
    """The world without what is about this moment: what runs left, what was looked up, what is held."""
    records = observed.records
    return replace(
        observed,
        zones=None,
        standing=None,
        records=Records(backoffs=records.backoffs, names=records.names, limits=records.limits),
        ends={},
        orphans={},
        versions={},
    )
