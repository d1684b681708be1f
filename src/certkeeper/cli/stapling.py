"""The part of a run that keeps OCSP responses fresh (OCSP_FETCH), and what it comes to."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from certkeeper.apply.result import Result
from certkeeper.apply.staplecare import Care, asked_for, look_over, put_beside
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.events import Noted, Tell, count
from certkeeper.base.names import Alias
from certkeeper.base.stapled import CertificateRevoked
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass, field, replace
from certkeeper.cli.compose import USER_AGENT, Machine
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.revocation import KEY_COMPROMISE, Revocation
from certkeeper.ocsp.freshness import Asked, Due, noted_after
from certkeeper.plan.observed import Observed

FORGOTTEN = timedelta(days=90)
"""After which what is remembered of a certificate is of no use: responses of most CAs end after ten days."""


class NotFresh(CertkeeperError):
    """A certificate has no response that servers could send along for long."""

    label = "ocsp-response"


@dataclass(frozen=True, slots=True)
class Staples:
    """How it is with the responses of a run's certificates. `errors` are failures, `revoked` is what CAs took back."""

    cares: tuple[Care, ...] = ()
    errors: tuple[CertkeeperError, ...] = ()
    revoked: frozenset[Alias] = frozenset()
    new: int = 0
    asked: Mapping[Alias, Asked] = field(default_factory=dict)

    @property
    def due(self) -> bool:
        return any(care.decision.due is Due.FETCH or care.owes for care in self.cares)


def looked_over(machine: Machine, specs: Collection[CertSpec], asked: Mapping[Alias, Asked]) -> Staples:
    """What is due for certificates that name a responder, by what is on this machine; nobody is asked. `asked` is all
    that is remembered of tries.
    """
    now = machine.clock.now()
    cares, errors = list[Care](), list[CertkeeperError]()
    for spec in specs:
        try:
            found = machine.staple_looks.look(spec.alias, now)
        except CertkeeperError as error:
            errors.append(_about(spec.alias, error))
        else:
            cares.append(look_over(spec, found, asked.get(spec.alias), now))
    return Staples(tuple(cares), tuple(errors), asked=asked)


def answers_had(machine: Machine, staples: Staples) -> Staples:
    """The same after responders were asked about what is due. Nothing is written but what is remembered of it.

    Raises:
        Interrupted: somebody ended the run.
    """
    if not any(care.decision.due is Due.FETCH for care in staples.cares):
        return staples
    try:
        cares = machine.converse(asked_for(staples.cares, USER_AGENT))
    except Interrupted:
        raise
    except CertkeeperError as error:
        # A bundle of roots that cannot be used stops what is due, and nothing else.
        return replace(staples, errors=(*staples.errors, error))
    after = replace(staples, cares=cares)
    _remember(machine, after)
    return after


def revocations_marked(machine: Machine, staples: Staples, observed: Observed, tell: Tell) -> tuple[Staples, Observed]:
    """The world after certificates that their CAs took back were marked, so that the plan replaces them, and with a
    new key: why it was taken back need not be known here.
    """
    lineages, revoked, errors = dict(observed.lineages), set[Alias](), list(staples.errors)
    for care in staples.cares:
        alias = care.spec.alias
        leaf = lineages[alias].leaf
        waits = care.decision.due is Due.WAIT
        if not care.revoked or waits or leaf is None or lineages[alias].compromised:
            continue
        why = str(care.error or "the CA says that the certificate was revoked").removeprefix("OCSP response: ")
        tell(CertificateRevoked(alias.text, f"{why}; it is replaced now, with a new key"))
        try:
            machine.store.mark_revoked(alias, Revocation(leaf.serial, leaf.key_id, KEY_COMPROMISE))
            lineages[alias] = machine.looks.lineage(alias)
        except CertkeeperError as error:
            errors.append(_about(alias, error))
            continue
        revoked.add(alias)
    if not revoked:
        return replace(staples, errors=tuple(errors)), observed
    marked = replace(staples, revoked=frozenset(revoked), errors=tuple(errors))
    return marked, replace(observed, lineages=lineages)


def put(machine: Machine, staples: Staples, tell: Tell) -> Staples:
    """The same after new responses were put beside their certificates, and scripts were told.

    Raises:
        Interrupted: somebody ended the run.
    """
    now = machine.clock.now()
    cares = staples.cares
    new = sum(care.is_new for care in cares)
    errors = list(staples.errors)
    if any(care.is_new or care.owes for care in cares):
        cares = machine.converse(put_beside(cares, machine.settings, tell))
        staples = replace(staples, cares=cares)
        _remember(machine, staples)
    for care in cares:
        alias = care.spec.alias
        written = care.is_new or care.owes
        if care.revoked and care.decision.due is Due.WAIT:
            errors.append(_revoked_again(care))
        elif care.missed(now) or (written and care.error is not None):
            errors.append(_failure(care))
        elif care.error is not None and not care.revoked:
            tell(Noted(alias.text, _passing(care)))
    new -= sum(care.is_new and care.error is not None for care in cares)
    return replace(staples, cares=cares, new=new, errors=tuple(errors))


def remembered_after(machine: Machine, staples: Staples, result: Result) -> None:
    """What asking about certificates that went live came to."""
    live = {item.alias: item.live.asked for item in result.outcomes if item.live is not None and item.live.asked}
    if live:
        before = {**staples.asked, **_tries(staples)}
        _write(machine, before | {alias: noted_after(before.get(alias), asked) for alias, asked in live.items()})


def staples_wake_at(staples: Staples, result: Result, now: datetime) -> datetime | None:
    """When there is something to do next for responses."""
    replaced = {item.alias: item.live.asked for item in result.outcomes if item.live is not None}
    waiting = [care for care in staples.cares if not care.revoked or care.decision.due is Due.WAIT]
    times = [care.wake_at(now) for care in waiting if care.spec.alias not in replaced]
    times += [asked.retry_at for asked in replaced.values() if asked is not None]
    return min((time for time in times if time is not None), default=None)


def staples_summary(staples: Staples) -> list[str]:
    """`2 responses new`, `1 response failed`."""
    parts = [f"{count(staples.new, 'OCSP response')} new"] if staples.new else []
    return [*parts, *([f"{count(len(staples.errors), 'OCSP response')} failed"] if staples.errors else [])]


def staple_lines(staples: Staples) -> Iterator[str]:
    """What is due, for people."""
    for care in staples.cares:
        if care.decision.due is Due.RENEW:
            yield f"OCSP response of {care.spec.alias}: {care.decision.why}: a run replaces it, with a new key"
        elif care.decision.due is not Due.NOTHING:
            until = f" before {iso(care.decision.at)}" if care.decision.due is Due.WAIT and care.decision.at else ""
            word = "not asked for" if until else "is asked for"
            yield f"OCSP response of {care.spec.alias}: {word}{until}: {care.decision.why}"
    for error in staples.errors:
        yield f"OCSP response: {error}"


def _tries(staples: Staples) -> dict[Alias, Asked]:
    return {care.spec.alias: care.asked for care in staples.cares if care.asked is not None}


def _remember(machine: Machine, staples: Staples) -> None:
    _write(machine, {**staples.asked, **_tries(staples)})


def _write(machine: Machine, asked: Mapping[Alias, Asked]) -> None:
    now = machine.clock.now()
    with suppress(CertkeeperError):
        # Where it cannot be written, responders are asked on every run.
        machine.asked.write({alias: item for alias, item in asked.items() if now - item.at < FORGOTTEN})


def _passing(care: Care) -> str:
    until = f"the one that is there is good until {iso(care.best.until)}" if care.best is not None else "none is there"
    again = f"; asked again from {iso(care.asked.retry_at)}" if care.asked is not None else ""
    return f"{care.error}; {until}{again}"


def _failure(care: Care) -> CertkeeperError:
    error, asked = care.error, care.asked
    if error is not None:
        return _about(care.spec.alias, error, asked.retry_at if asked is not None else None)
    message = asked.message if asked is not None else care.decision.why
    when = f"not asked for before {iso(care.decision.at)}, since it failed: " if care.decision.at is not None else ""
    return NotFresh(
        f"{care.spec.alias}: OCSP response: {when}{message.removeprefix('OCSP response: ')}",
        hint=f"to try at once: certkeeper ocsp fetch {care.spec.alias}",
        retry_at=care.decision.at,
    )


def _revoked_again(care: Care) -> CertkeeperError:
    when = f" from {iso(care.decision.at)}" if care.decision.at is not None else ""
    return NotFresh(
        f"{care.spec.alias}: REVOKED: the CA says so, and said so of the certificate before; another is ordered{when}",
        hint="ask the CA why: it would revoke the next one, too",
        retry_at=care.decision.at,
    )


def _about(alias: Alias, error: CertkeeperError, retry_at: datetime | None = None) -> NotFresh:
    hint = error.hint or f"to try at once: certkeeper ocsp fetch {alias}"
    named = NotFresh(f"{alias}: {error}", hint=hint, retry_at=error.retry_at or retry_at)
    named.__cause__ = error
    return named
