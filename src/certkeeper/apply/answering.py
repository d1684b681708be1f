"""Step 8: the CA is told to look at what was made ready for it; all names at once, or one after the other."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from certkeeper.acme.challenge import Challenge, ChallengeFailed, answer
from certkeeper.acme.looking import await_verdict
from certkeeper.acme.order import OrderFailed
from certkeeper.acme.session import Session
from certkeeper.apply.attempt import Attempt
from certkeeper.apply.manner import Answers
from certkeeper.base.names import Identifier
from certkeeper.base.traces import ChallengeAnswered, ChallengeMet
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange, together
from certkeeper.config.methods import ChallengeType

DEFAULT_VALIDATION_TIMEOUT = timedelta(minutes=5)
_FAILURES_TOLD = 10


@dataclass(frozen=True, slots=True)
class Pending:
    """A challenge that is to be answered."""

    identifier: Identifier
    method: ChallengeType
    challenge: Challenge


def validation_bound(attempt: Attempt) -> timedelta:
    """How long the CA may take to look."""
    return attempt.item.spec.validation_timeout or DEFAULT_VALIDATION_TIMEOUT


def answer_at_once(attempt: Attempt, pending: Sequence[Pending]) -> Exchange[None]:
    """The CA has heard of all of them; whether it found them is told by the order.

    Raises:
        OrderFailed: it looked at some already, in vain.
    """
    session = attempt.shared.session
    attempt.shared.limits.check_names([one.identifier for one in pending])
    ends = yield from together([_answered(session, one) for one in pending])
    failed = {one.identifier: end for one, end in zip(pending, ends, strict=True) if end is not None}
    if failed:
        said = {identifier: str(failure) for identifier, failure in failed.items()}
        told = list(said.values())[:_FAILURES_TOLD]
        more = [f"and {len(failed) - len(told)} more"] if len(failed) > len(told) else []
        hint = next(iter(failed.values())).hint
        raise OrderFailed("; ".join(told + more), hint=hint, said=said)


def answer_in_turn(attempt: Attempt, pending: Sequence[Pending]) -> Exchange[None]:
    """The CA has found all of them, one after the other.

    Raises:
        OrderFailed: it did not find this one, and has not been told of those behind it.
        OrderTimeout: it did not say within the bound.
    """
    shared, alias = attempt.shared, str(attempt.alias)
    for one in pending:
        shared.limits.check_names([one.identifier])
        name = str(one.identifier.domain)
        shared.tell(ChallengeAnswered(alias, name))
        try:
            seen = yield from answer(shared.session, one.challenge, str(one.identifier))
            yield from await_verdict(shared.session, seen, str(one.identifier), validation_bound(attempt))
        except ChallengeFailed as failure:
            problems = {one.identifier: failure.problem} if failure.problem is not None else {}
            said = {one.identifier: str(failure)}
            raise OrderFailed(str(failure), hint=failure.hint, said=said, problems=problems) from failure
        shared.tell(ChallengeMet(alias, name))


def for_scripts(error: OrderFailed, answers: Answers) -> Mapping[Identifier, str]:
    """What scripts are told of each name that failed; in dehydrated's way of the first one alone, in JSON."""
    if answers is Answers.AT_ONCE:
        return error.said
    problems = error.problems
    return {
        name: problems[name].document if name in problems else json.dumps({"detail": words})
        for name, words in list(error.said.items())[:1]
    }


def _answered(session: Session, one: Pending) -> Exchange[ChallengeFailed | None]:
    """A name that fails at once does not keep the failures of the others from being told."""
    try:
        yield from answer(session, one.challenge, str(one.identifier))
    except ChallengeFailed as failure:
        return failure
    return None
