"""Waiting until a zone's name servers serve what was published, and no longer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import cast

from certkeeper.apply.effects import AskServer
from certkeeper.apply.scheduler import Scheduler, Signal, monotonic, wait
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Noted, ServersWaited, Tell, ZoneProven
from certkeeper.base.names import DnsName
from certkeeper.base.times import duration_text
from certkeeper.base.wire import Exchange
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import PATIENCE, Evidence, Server, ServerSet, Verdict, Wanted, final, judge

_FIRST_POLL = 0.1
_SLOWEST_POLL = 2.0
_WORTH_TELLING = 1.0
"""Seconds after which a wait is worth a line."""


@dataclass(frozen=True, slots=True)
class Unproven:
    """What is not served everywhere after the bound; empty `owners` means that all is well."""

    zone: DnsName
    owners: frozenset[DnsName]
    verdict: Verdict
    bound: timedelta
    unasked: CertkeeperError | None = None
    """Why a server that counts as silent could not even be asked from here."""

    def error(self, owners: Sequence[DnsName]) -> CertkeeperError:
        """The error for a lineage that needs these owners."""
        lacking = [str(server) for server, missing in self.verdict.lacking.items() if missing & frozenset(owners)]
        what = ", ".join(owner.text for owner in owners[:5]) + (" …" if len(owners) > 5 else "")
        silent = "; ".join(f"{server}: {trouble}" for server, trouble in self.verdict.silent.items())
        if self.unasked is not None and not lacking:
            return self.unasked
        if lacking:
            return ZoneError(
                f"zone {self.zone}: {', '.join(lacking)} still answers without {what} "
                f"after {duration_text(self.bound)}" + (f"; not answering: {silent}" if silent else ""),
                hint="see whether that server gets the zone from its primary (serial, NOTIFY, AXFR); "
                "a slow one needs a larger WAIT",
            )
        return ZoneError(
            f"zone {self.zone}: no name server confirms {what} within {duration_text(self.bound)}: {silent}",
            hint="where this host reaches other addresses than the world does, set NAMESERVERS",
        )


class Proof:
    """One zone's servers, each asked at its own pace until the verdict is in, at most for the bound.

    Questions to one server come after 0.1, 0.2, 0.4 … 2 s. A server that does not answer holds nobody up, and what
    it says after the verdict no longer counts.
    """

    def __init__(self, scheduler: Scheduler, zone: DnsName, servers: ServerSet, bound: timedelta, tell: Tell) -> None:
        self._scheduler = scheduler
        self._zone = zone
        self._servers = servers
        self._bound = bound
        self._tell = tell
        self._wanted: Wanted = {}
        self._evidence: dict[Server, Evidence] = {}
        self._unasked: dict[Server, CertkeeperError] = {}
        self._decided = Signal()
        self._late = False
        self._told: tuple[str, ...] = ()

    def of(self, wanted: Wanted) -> Exchange[Unproven]:
        """Wait until these values are served; to be called once."""
        self._wanted = wanted
        started = yield from monotonic()
        for note in self._servers.skipped:
            self._tell(Noted(f"zone {self._zone}", note))
        for server in self._servers.servers:
            self._ask(server, _FIRST_POLL)
        self._scheduler.later(self._bound.total_seconds(), self._decided.set)
        self._scheduler.later(_WORTH_TELLING, self._tell_waiting)
        yield from wait(self._decided)
        elapsed = (yield from monotonic()) - started
        return self._conclude(elapsed)

    def _ask(self, server: Server, delay: float) -> None:
        if not self._decided.happened:
            self._scheduler.probe(AskServer(server, tuple(self._wanted)), self._answered(server, delay))

    def _answered(self, server: Server, delay: float) -> Callable[[object, Exception | None], None]:
        def answered(value: object, error: Exception | None) -> None:
            if error is not None and not isinstance(error, CertkeeperError):
                raise error
            known = self._evidence.get(server, Evidence())
            self._unasked.pop(server, None)
            if error is not None and error.local:
                self._unasked[server] = error
            if error is not None:
                tries = known.silent_tries + 1
                # One lost packet does not make a server that lacked values a silent one.
                served = known.served if tries < PATIENCE else None
                self._evidence[server] = Evidence(served, str(error), tries)
            else:
                self._evidence[server] = Evidence(cast("Wanted", value))
            verdict = self._verdict()
            if verdict.proven:
                self._decided.set()
            elif server not in verdict.confirmed:
                self._scheduler.later(delay, partial(self._ask, server, min(delay * 2, _SLOWEST_POLL)))
            if self._late:
                self._tell_waiting()

        return answered

    def _verdict(self) -> Verdict:
        return judge(self._servers.servers, self._wanted, self._evidence)

    def _tell_waiting(self) -> None:
        """Say what is missing, once it has taken a while, and again when it changes."""
        self._late = True
        verdict = self._verdict()
        missing = tuple(sorted(str(server) for server in (*verdict.lacking, *verdict.silent)))
        if missing and missing != self._told and not self._decided.happened:
            self._tell(ServersWaited(self._zone.text, missing))
        self._told = missing

    def _conclude(self, elapsed: float) -> Unproven:
        verdict = self._verdict()
        failed = final(verdict, self._wanted)
        if not failed:
            served_by = tuple(str(server) for server in verdict.confirmed)
            self._tell(ZoneProven(self._zone.text, served_by, elapsed))
            for server, trouble in verdict.silent.items():
                self._tell(
                    Noted(f"zone {self._zone}", f"{server} did not answer ({trouble}); others serve the records")
                )
        unasked = next((self._unasked[server] for server in verdict.silent if server in self._unasked), None)
        return Unproven(self._zone, failed, verdict, self._bound, unasked)
