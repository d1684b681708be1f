"""Waiting until a zone's name servers serve what was published, and no longer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from certkeeper.apply.effects import AskServer, do
from certkeeper.apply.scheduler import monotonic
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Noted, ServersWaited, Tell, ZoneProven
from certkeeper.base.names import DnsName
from certkeeper.base.times import duration_text
from certkeeper.base.wire import Exchange, pause, together
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import Evidence, Server, ServerSet, Verdict, Wanted, final, judge

_FIRST_POLL = 0.1
_SLOWEST_POLL = 2.0


@dataclass(frozen=True, slots=True)
class Unproven:
    """What is not served everywhere after the bound; empty `owners` means that all is well."""

    zone: DnsName
    owners: frozenset[DnsName]
    verdict: Verdict
    bound: timedelta

    def error(self, owners: Sequence[DnsName]) -> ZoneError:
        """The error for a lineage that needs these owners."""
        lacking = [str(server) for server, missing in self.verdict.lacking.items() if missing & frozenset(owners)]
        what = ", ".join(owner.text for owner in owners[:5]) + (" …" if len(owners) > 5 else "")
        if lacking:
            return ZoneError(
                f"zone {self.zone}: {', '.join(lacking)} still answers without {what} "
                f"after {duration_text(self.bound)}",
                hint="see whether that server gets the zone from its primary (serial, NOTIFY, AXFR); "
                "a slow one needs a larger WAIT",
            )
        silent = "; ".join(f"{server}: {trouble}" for server, trouble in self.verdict.silent.items())
        return ZoneError(
            f"zone {self.zone}: no name server confirms {what} within {duration_text(self.bound)}: {silent}",
            hint="where this host reaches other addresses than the world does, set NAMESERVERS",
        )


def prove(zone: DnsName, servers: ServerSet, wanted: Wanted, *, bound: timedelta, tell: Tell) -> Exchange[Unproven]:
    """Ask every server until the verdict is in, at most for `bound`; polls come after 0.1, 0.2, 0.4 … 2 s."""
    started = yield from monotonic()
    for note in servers.skipped:
        tell(Noted(zone.text, note))
    evidence: dict[Server, Evidence] = {}
    delay = _FIRST_POLL
    told: tuple[str, ...] = ()
    while True:
        open_servers = [server for server in servers.servers if not _confirms(evidence.get(server), wanted)]
        answers = yield from together([_ask(server, wanted, evidence.get(server)) for server in open_servers])
        evidence.update(zip(open_servers, answers, strict=True))
        verdict = judge(servers.servers, wanted, evidence)
        elapsed = (yield from monotonic()) - started
        if verdict.proven or elapsed >= bound.total_seconds():
            return _conclude(zone, wanted, verdict, bound, elapsed, tell)
        missing = tuple(str(server) for server in (*verdict.lacking, *verdict.silent))
        if missing != told and elapsed > 1:
            tell(ServersWaited(zone.text, missing))
            told = missing
        yield from pause(min(delay, max(0.05, bound.total_seconds() - elapsed)))
        delay = min(delay * 2, _SLOWEST_POLL)


def _conclude(
    zone: DnsName, wanted: Wanted, verdict: Verdict, bound: timedelta, elapsed: float, tell: Tell
) -> Unproven:
    failed = final(verdict, wanted)
    if verdict.confirmed:
        tell(ZoneProven(zone.text, tuple(str(server) for server in verdict.confirmed), elapsed))
    if verdict.confirmed and not failed:
        for server, trouble in verdict.silent.items():
            tell(Noted(zone.text, f"{server} did not answer ({trouble}); others serve the records"))
    return Unproven(zone, failed, verdict, bound)


def _ask(server: Server, wanted: Wanted, before: Evidence | None) -> Exchange[Evidence]:
    known = before or Evidence()
    try:
        served = yield from do(AskServer(server, _owners(wanted)))
    except CertkeeperError as error:
        return replace(known, served=None, trouble=str(error), silent_tries=known.silent_tries + 1)
    return Evidence(served)


def _owners(wanted: Mapping[DnsName, object]) -> tuple[DnsName, ...]:
    return tuple(wanted)


def _confirms(evidence: Evidence | None, wanted: Wanted) -> bool:
    served = evidence.served if evidence else None
    return served is not None and _serves(served, wanted.items())


def _serves(served: Wanted, wanted: Iterable[tuple[DnsName, frozenset[str]]]) -> bool:
    return all(values <= served.get(owner, frozenset()) for owner, values in wanted)
