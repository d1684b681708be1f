"""The look from elsewhere: recursive resolvers that have to see the values, once the name servers serve them."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import cast

from certkeeper.apply.effects import AskResolver
from certkeeper.apply.pace import next_resolver_look
from certkeeper.apply.scheduler import Scheduler, Signal
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import Answer, Question, Server

_NOT_ASKED = "was not asked in time"


class Resolvers:
    """Each is asked for what is ready, until it sees all of that or the proof is decided."""

    def __init__(self, scheduler: Scheduler, resolvers: Sequence[Server], decided: Signal) -> None:
        self._scheduler = scheduler
        self._decided = decided
        self._unseen: dict[Server, dict[DnsName, str]] = {resolver: {} for resolver in resolvers}
        self._begun: set[DnsName] = set()

    def look(self, question: Question, seen: Callable[[], None]) -> None:
        """Begin to ask for what was not ready before; `seen` is called after each answer."""
        fresh = {owner: values for owner, values in question.wanted.items() if owner not in self._begun}
        if not fresh:
            return
        self._begun |= fresh.keys()
        for resolver, unseen in self._unseen.items():
            unseen.update(dict.fromkeys(fresh, _NOT_ASKED))
            self._ask(resolver, Question(question.zone, fresh), 1, seen)

    @property
    def missing(self) -> tuple[Server, ...]:
        """Resolvers that do not see all that they were asked for."""
        return tuple(resolver for resolver, unseen in self._unseen.items() if unseen)

    def unseen(self, owners: Collection[DnsName]) -> dict[Server, dict[DnsName, str]]:
        """Per resolver which of these owners it does not see, with what it answers instead."""
        found = {
            resolver: {
                owner: unseen.get(owner, _NOT_ASKED) for owner in owners if owner in unseen or owner not in self._begun
            }
            for resolver, unseen in self._unseen.items()
        }
        return {resolver: left for resolver, left in found.items() if left}

    def _ask(self, resolver: Server, question: Question, looks: int, seen: Callable[[], None]) -> None:
        if self._decided.happened:
            return

        def answered(value: object, error: Exception | None) -> None:
            if error is not None and not isinstance(error, CertkeeperError):
                raise error
            if error is not None:
                left = dict.fromkeys(question.wanted, "gives no answer" if str(error) == "no answer" else str(error))
            else:
                left = _unseen(question, cast("Answer", value))
            unseen = self._unseen[resolver]
            for owner in question.wanted:
                unseen.pop(owner, None)
            unseen.update(left)
            if left:
                again = Question(question.zone, {owner: question.wanted[owner] for owner in left})
                self._scheduler.later(next_resolver_look(looks), partial(self._ask, resolver, again, looks + 1, seen))
            seen()

        self._scheduler.probe(AskResolver(resolver, question), answered)


def _unseen(question: Question, answer: Answer) -> dict[DnsName, str]:
    left = {}
    for owner, values in question.wanted.items():
        if owner in answer.flaws:
            left[owner] = answer.flaws[owner]
        elif not values <= answer.served.get(owner, frozenset()):
            some = "an older value" if answer.served.get(owner) else "no value"
            left[owner] = f"answers with {some}"
    return left
