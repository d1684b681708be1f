"""Waiting until a zone's name servers serve what was published, and no longer."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import cast

from certkeeper.apply.effects import AskServer
from certkeeper.apply.pace import FEW, SERIAL_LOOKS, first_names, names_are_asked_for, next_look, next_try
from certkeeper.apply.resolvers import Resolvers
from certkeeper.apply.scheduler import Scheduler, Signal, wait
from certkeeper.apply.unproven import Unproven
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import (
    Noted,
    ServerSeen,
    ServersIgnored,
    ServersWaited,
    Tell,
    ZoneProven,
    ZoneUnproven,
)
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import Settings
from certkeeper.zone.propagation import (
    PATIENCE,
    REFUSAL_GRACE,
    REFUSALS_GRACE,
    Answer,
    Demand,
    Evidence,
    NotServing,
    Question,
    Server,
    ServerSet,
    Verdict,
    Wanted,
    final,
    judge,
    newer,
)
from certkeeper.zone.shortfall import shortfall

_WORTH_TELLING = 1.0
"""Seconds after which a wait is worth a line."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long is waited at most, and for whom. `usual` is how long each server took last time in this run. `silence`:
    where nobody has answered at all by then, nobody is waited for any longer.
    """

    bound: timedelta
    demand: Demand = Demand.REACHABLE
    usual: dict[Server, float] = field(default_factory=dict)
    silence: timedelta | None = None


_SILENCE = timedelta(seconds=5)


def terms_of(settings: Settings) -> tuple[Terms, Terms]:
    """Of zones that we write, and of those that a script writes: its word counts where nobody can be asked."""
    ours = Terms(settings.propagation, settings.demand)
    return ours, Terms(settings.script_propagation, settings.demand, ours.usual, _SILENCE)


@dataclass(slots=True)
class _Watch:
    """One server under watch. `busy`: a question is under way, or its time is fixed. `promising`: it has something
    new, so that it is worth asking for everything. `at`: when it was found to serve everything, in seconds from the
    start.
    """

    busy: bool = False
    serial_looks: int = 0
    promising: bool = False
    at: float | None = None


class Proof:
    """One zone's servers, each asked at its own pace until the verdict is in, at most for the bound.

    A server that does not answer holds nobody up, and what it says after the verdict no longer counts. Resolvers are
    asked once the servers that answer all serve it.
    """

    def __init__(self, scheduler: Scheduler, zone: DnsName, servers: ServerSet, terms: Terms, tell: Tell) -> None:
        self._scheduler = scheduler
        self._zone = zone
        self._servers = servers
        self._terms = terms
        self._tell = tell
        self._wanted: Wanted = {}
        self._evidence: dict[Server, Evidence] = {}
        self._watches = {server: _Watch() for server in servers.servers}
        self._decided = Signal()
        self._resolvers = Resolvers(scheduler, servers.vantage, self._decided)
        self._unasked: dict[Server, CertkeeperError] = {}
        self._started = 0.0
        self._late = False
        self._told: tuple[str, ...] = ()

    def of(self, wanted: Wanted) -> Exchange[Unproven]:
        """Wait until these values are served; to be called once."""
        self._wanted = wanted
        self._started = self._scheduler.monotonic()
        for note in (*self._servers.skipped, *self._servers.notes):
            self._tell(Noted(f"zone {self._zone}", note))
        if self._servers.ignored:
            self._tell(ServersIgnored(self._zone.text, tuple(map(str, self._servers.ignored))))
        self._look_again()
        self._scheduler.later(self._terms.bound.total_seconds(), self._decided.set)
        self._scheduler.later(_WORTH_TELLING, self._tell_waiting)
        if self._terms.silence is not None:
            self._scheduler.later(self._terms.silence.total_seconds(), self._give_up_the_silent)
        yield from wait(self._decided)
        return self._conclude()

    def _look_again(self) -> None:
        """Have every server asked in time that does not serve everything, as far as is known."""
        verdict = self._verdict()
        for server, watch in self._watches.items():
            if watch.busy or server in verdict.confirmed:
                continue
            watch.busy = True
            seen = self._evidence.get(server)
            if seen is None:
                self._ask(server)
            elif seen.silent_tries:
                self._scheduler.later(next_try(seen.silent_tries), partial(self._ask, server))
            else:
                delay = next_look(self._elapsed(), self._terms.usual.get(server))
                self._scheduler.later(delay, partial(self._ask, server))

    def _ask(self, server: Server) -> None:
        """For everything that the server lacks; where that is a lot, for its serial or for some of it, until one of
        them says that it has something new: a thousand names are many to ask a secondary for that has none of them.
        """
        if self._decided.happened:
            return
        watch, seen = self._watches[server], self._evidence.get(server)
        lacking = self._verdict().lacking.get(server, frozenset(self._wanted))
        serial = seen.serial if seen is not None and seen.served is not None else None
        tried = seen is not None or len(lacking) <= FEW
        if watch.promising or (tried and names_are_asked_for(len(lacking), serial, watch.serial_looks)):
            watch.serial_looks = 0
            names = [owner for owner in self._wanted if owner in lacking]
            most = len(names) if watch.promising else first_names(len(names))
            asked = {owner: self._wanted[owner] for owner in names[:most]}
        else:
            watch.serial_looks += 1
            asked = {}
        question = Question(self._zone, asked, self._servers.ds)
        self._scheduler.probe(AskServer(server, question), self._answered(server, question))

    def _answered(self, server: Server, question: Question) -> Callable[[object, Exception | None], None]:
        def answered(value: object, error: Exception | None) -> None:
            if error is not None and not isinstance(error, CertkeeperError):
                raise error
            watch, known = self._watches[server], self._evidence.get(server, Evidence())
            self._unasked.pop(server, None)
            if error is not None and error.local:
                self._unasked[server] = error
            if error is not None:
                refuses = isinstance(error, NotServing)
                self._evidence[server] = known.refused(str(error)) if refuses else known.missed(str(error))
            else:
                answer = cast("Answer", value)
                self._evidence[server] = known.heard(answer)
                watch.promising = not watch.promising and self._promises(server, question, known.serial, answer)
                level = not question.wanted and known.serial is None and not self._is_behind(answer.serial)
                if level:
                    # From its first serial alone nobody can tell whether it has the values: some names will.
                    watch.serial_looks = SERIAL_LOOKS
                if watch.promising or level:
                    self._ask(server)
                    return
            watch.busy = False
            self._weigh()

        return answered

    def _promises(self, server: Server, question: Question, before: int | None, answer: Answer) -> bool:
        """Whether the server lacks names it was not asked for, and what it said makes it worth asking."""
        lacking = self._verdict().lacking.get(server, frozenset())
        if not question.wanted and before is None:
            known = (self._evidence[one].serial for one in self._verdict().confirmed)
            return any(serial is not None for serial in known) and not self._is_behind(answer.serial)
        if not question.wanted:
            return bool(lacking) and answer.serial != before
        return bool(lacking) and not lacking & question.wanted.keys()

    def _is_behind(self, serial: int | None) -> bool:
        """Whether some server has shown a newer serial."""
        shown = [seen.serial for seen in self._evidence.values()]
        return serial is not None and any(other is not None and newer(other, serial) for other in shown)

    def _weigh(self) -> None:
        verdict = self._verdict()
        for server, watch in self._watches.items():
            if server not in verdict.confirmed:
                watch.at = None
            elif watch.at is None:
                watch.at = self._elapsed()
        ready = {owner: values for owner, values in self._wanted.items() if owner in verdict.ready}
        self._resolvers.look(Question(self._zone, ready), self._weigh)
        if (verdict.proven and not self._resolvers.missing) or self._hopeless(verdict):
            self._decided.set()
        else:
            self._look_again()
        if self._late:
            self._tell_waiting()

    def _elapsed(self) -> float:
        return self._scheduler.monotonic() - self._started

    def _verdict(self) -> Verdict:
        lame = self._lame() if self._elapsed() >= REFUSAL_GRACE else frozenset()
        return judge(
            self._servers.servers,
            self._wanted,
            self._evidence,
            demand=self._terms.demand,
            ds=self._servers.ds,
            lame=lame,
        )

    def _lame(self) -> frozenset[Server]:
        """Who has answered with nothing but errors lately."""
        return frozenset(server for server, seen in self._evidence.items() if seen.refusals >= PATIENCE)

    def _hopeless(self, verdict: Verdict) -> bool:
        """Nobody serves the zone, and has had time enough to load it."""
        return self._elapsed() >= REFUSALS_GRACE and self._lame() == verdict.silent.keys() == self._watches.keys()

    def _give_up_the_silent(self) -> None:
        if all(seen.served is None for seen in self._evidence.values()):
            self._decided.set()

    def _tell_waiting(self) -> None:
        """Say what is missing, once it has taken a while, and again when it changes."""
        self._late = True
        verdict = self._verdict()
        waited = [str(server) for server in (*verdict.lacking, *verdict.silent)]
        waited += [f"resolver {resolver}" for resolver in self._resolvers.missing]
        missing = tuple(sorted(waited))
        if missing and missing != self._told and not self._decided.happened:
            self._tell(ServersWaited(self._zone.text, missing))
        self._told = missing

    def _conclude(self) -> Unproven:
        verdict = self._verdict()
        failed = final(verdict, self._wanted, self._terms.demand)
        unseen = self._resolvers.unseen(frozenset(self._wanted) - failed)
        failed |= frozenset(owner for found in unseen.values() for owner in found)
        self._terms.usual.update({one: watch.at for one, watch in self._watches.items() if watch.at is not None})
        seen = {server: self._seen(server, verdict) for server in self._servers.servers}
        if failed:
            self._tell(ZoneUnproven(self._zone.text, tuple(seen.values()), self._elapsed()))
        else:
            resolvers = tuple(map(str, self._servers.vantage))
            confirmed = tuple(seen[server] for server in verdict.confirmed)
            self._tell(ZoneProven(self._zone.text, confirmed, self._elapsed(), resolvers))
            lame = self._lame()
            for server, trouble in verdict.silent.items():
                words = trouble if server in lame else f"did not answer ({trouble})"
                self._tell(Noted(f"zone {self._zone}", f"{server} {words}; others serve the records"))
        unasked = next((self._unasked[server] for server in verdict.silent if server in self._unasked), None)
        waited = min(self._terms.bound, timedelta(seconds=round(self._elapsed())))
        return Unproven(self._zone, failed, verdict, waited, dict(self._evidence), unseen, unasked)

    def _seen(self, server: Server, verdict: Verdict) -> ServerSeen:
        """One server, for whoever watches."""
        if server in verdict.silent:
            return ServerSeen(str(server), None, note=verdict.silent[server])
        said = self._evidence[server].said
        lacks = shortfall(server, self._wanted, self._evidence, verdict) if server in verdict.lacking else ""
        note = "; ".join(word for word in (lacks, *said.notes) if word)
        # Signatures count as seen where they were verified; in an insecure zone nobody looks.
        signed = verdict.signed and server in verdict.confirmed
        return ServerSeen(str(server), self._watches[server].at, said.serial, said.over, signed, note)
