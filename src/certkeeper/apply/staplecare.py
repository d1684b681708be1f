"""OCSP_FETCH: the responses of live certificates are asked for when it is time, kept, and told of."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from certkeeper.apply.effects import FreeLineage, HoldLineage, WriteJournal, do
from certkeeper.apply.golive import ChangedMeanwhile
from certkeeper.apply.hookcalls import deploy_ocsp
from certkeeper.apply.hooks import call
from certkeeper.apply.refused import ReadClock
from certkeeper.apply.stapleeffects import ReadStaples, SaveStaple
from certkeeper.apply.stapling import StapleLook
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.events import Tell
from certkeeper.base.stapled import StapleKept
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass, replace
from certkeeper.base.wire import Exchange, TransportError, together
from certkeeper.config.settings import CertSpec, Purpose, Settings
from certkeeper.lineage.model import Lineage
from certkeeper.ocsp.fetch import fetched
from certkeeper.ocsp.freshness import (
    Asked,
    Decision,
    Due,
    decide,
    kept,
    missed,
    noted_failure,
    noted_success,
)
from certkeeper.ocsp.model import Flaw, NoStaple, Staple
from certkeeper.plan.records import Deployment, Record, Shown

AT_ONCE = 8
"""Questions to one responder at a time."""
GIVEN_UP = 3
"""After so many questions in a row that nothing came back to, a responder is left alone for the rest of the run."""


class NotAsked(CertkeeperError):
    """Others were asked about in vain."""

    label = "ocsp-response"


@dataclass(frozen=True, slots=True)
class Care:
    """A live certificate's part. `asked` is what is remembered of tries, `best` the response to have from now on."""

    spec: CertSpec
    found: StapleLook
    decision: Decision
    asked: Asked | None = None
    best: Staple | None = None
    error: CertkeeperError | None = None

    @property
    def is_new(self) -> bool:
        """There is a response that is yet to be put beside the certificate."""
        return self.best is not None and self.best is not self.found.held

    @property
    def revoked(self) -> bool:
        return self.asked is not None and self.asked.flaw == Flaw.REVOKED

    @property
    def owes(self) -> bool:
        return self.asked is not None and self.asked.owes and bool(self.spec.deploy_hook)

    def missed(self, now: datetime) -> bool:
        """Whether there is no response where there should be one by now."""
        tried = self.error is not None or self.decision.due is Due.WAIT
        return tried and not self.revoked and missed(self.best, self.asked, now)

    def wake_at(self, now: datetime) -> datetime | None:
        """When there is something to do next."""
        if self.error is not None:
            return self.asked.retry_at if self.asked is not None else None
        return next_look(self.found, self.best, self.asked, self.spec, now).at


def look_over(spec: CertSpec, found: StapleLook, asked: Asked | None, now: datetime) -> Care:
    """What is due for a certificate."""
    mine = asked if asked is not None and asked.subject == found.issued.subject.name else None
    return Care(spec, found, next_look(found, found.held, mine, spec, now), mine, found.held)


def next_look(found: StapleLook, held: Staple | None, asked: Asked | None, spec: CertSpec, now: datetime) -> Decision:
    return decide(found.issued.subject, held, asked, timedelta(days=spec.ocsp_days), now)


def asked_for(cares: Sequence[Care], user_agent: str) -> Exchange[tuple[Care, ...]]:
    """The same after those that are due were asked about: side by side, but not too many at one responder."""
    queues: dict[str, deque[int]] = {}
    for number, care in enumerate(cares):
        if care.decision.due is Due.FETCH:
            queues.setdefault(urlsplit(care.found.issued.subject.url or "").netloc, deque()).append(number)
    after = list(cares)
    workers = [
        _work(queue, silent, after, user_agent)
        for queue in queues.values()
        for silent in [[0]]
        for _ in range(min(AT_ONCE, len(queue)))
    ]
    if workers:
        yield from together(workers)
    return tuple(after)


def _work(queue: deque[int], silent: list[int], after: list[Care], user_agent: str) -> Exchange[None]:
    """Ask about one after the other. `silent` is how often in a row nothing came, for all that ask there."""
    while queue:
        number = queue.popleft()
        care = after[number]
        try:
            if silent[0] >= GIVEN_UP:
                raise NotAsked("OCSP response: not asked for, since its responder does not answer")
            answer = yield from fetched(care.found.issued, user_agent)
            silent[0] = 0
        except Interrupted:
            raise
        except CertkeeperError as error:
            silent[0] = silent[0] + 1 if isinstance(error, TransportError | NotAsked) else 0
            after[number] = yield from _failed(care, error)
            continue
        try:
            best = kept(care.found.held, answer)
        except NoStaple as error:
            after[number] = yield from _failed(care, error)
            continue
        now = yield from do(ReadClock())
        noted = noted_success(care.found.issued.subject, now)
        owes = best is not care.found.held or care.owes
        after[number] = replace(care, best=best, asked=replace(noted, owes=owes))


def _failed(care: Care, error: CertkeeperError) -> Exchange[Care]:
    now = yield from do(ReadClock())
    noted = noted_failure(care.found.issued.subject, care.asked, error, now)
    return replace(care, error=error, asked=replace(noted, owes=care.owes))


def put_beside(cares: Sequence[Care], settings: Settings, tell: Tell) -> Exchange[tuple[Care, ...]]:
    """The same after new responses were put beside their certificates, and scripts were told of them.

    One after the other: a script may reload a server.
    """
    after = []
    for care in cares:
        try:
            after.append((yield from _put(care, settings, tell)) if care.is_new or care.owes else care)
        except Interrupted:
            raise
        except CertkeeperError as error:
            after.append(replace(care, error=error))
    return tuple(after)


def _put(care: Care, settings: Settings, tell: Tell) -> Exchange[Care]:
    alias, best = care.spec.alias, care.best
    if best is None:
        # It was taken away before the script was told of it.
        return care
    lineage = yield from do(HoldLineage(alias))
    try:
        files, _ = yield from do(ReadStaples(alias))
        if files is None or files.cert != care.found.cert:
            raise ChangedMeanwhile(
                "somebody else changed it while its OCSP response was asked for", hint="run it again"
            )
        if care.is_new:
            owed = _owed(care.spec, lineage, settings)
            if owed:
                yield from do(WriteJournal(put=owed))
        # What is there already keeps its stamp, which the script is to hear.
        stamp = yield from do(SaveStaple(alias, care.found.cert, best.der))
        if care.is_new:
            tell(StapleKept(str(alias), iso(best.until)))
        if care.owes:
            yield from call(deploy_ocsp(settings, care.spec, stamp), str(alias), tell)
    except CertkeeperError:
        yield from do(FreeLineage(alias))
        raise
    yield from do(FreeLineage(alias))
    return replace(care, asked=replace(care.asked, owes=False) if care.asked is not None else None)


def _owed(spec: CertSpec, lineage: Lineage, settings: Settings) -> tuple[Record, ...]:
    """A reload of each service that reads responses where they are, written down before the file changes."""
    if lineage.stamp is None or spec.purpose is Purpose.REHEARSE:
        return ()
    named = [settings.targets[name] for name in spec.targets if name in settings.targets]
    readers = [target.name for target in named if target.reads_responses]
    return tuple(Deployment(name, spec.entry, lineage.stamp, Shown.OWED) for name in readers)
