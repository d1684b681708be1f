"""Port StandingLookup: what the name servers of a zone, each asked by itself, serve where standing records are."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from certkeeper.apply.ports import Nameservers
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.plan.observed import Place, StandingLook
from certkeeper.zone.propagation import Answer, Question, Server

_AT_ONCE = 16
_TRIES = 2
"""One lost packet must not make a server that works a silent one."""
_LONGEST_CHAIN = 8

_Homes = dict[DnsName, tuple[DnsName, DnsName]]
"""By owner name: the zone, and the name in it that the CNAMEs at the owner lead to."""


class StandingRecords:
    """Implements the port StandingLookup. `apexes` finds the zones of names that no provider has."""

    def __init__(
        self,
        nameservers: Nameservers,
        apexes: Callable[[Collection[DnsName]], Mapping[DnsName, DnsName]],
        now: Callable[[], datetime],
    ) -> None:
        self._nameservers = nameservers
        self._apexes = apexes
        self._now = now

    def look(self, owners: Mapping[DnsName, Place | None]) -> Mapping[DnsName, StandingLook]:
        homes: _Homes = {owner: (place.zone.name, place.owner) for owner, place in owners.items() if place is not None}
        found: dict[DnsName, StandingLook] = {}
        try:
            homes |= self._elsewhere([owner for owner, place in owners.items() if place is None])
        except CertkeeperError as error:
            found = {owner: StandingLook(trouble=str(error)) for owner, place in owners.items() if place is None}
        by_zone: dict[DnsName, dict[DnsName, DnsName]] = {}
        for owner, (zone, written) in homes.items():
            by_zone.setdefault(zone, {})[owner] = written
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for looks in threads.map(self._in_zone, by_zone, by_zone.values()):
                found |= looks
        return {owner: found.get(owner, StandingLook(trouble="its zone is not found")) for owner in owners}

    def _elsewhere(self, owners: Collection[DnsName]) -> _Homes:
        """The homes of names that no provider of ours has, CNAMEs followed."""
        homes: _Homes = {}
        going = {owner: owner for owner in owners}
        for _ in range(_LONGEST_CHAIN):
            if not going:
                break
            aliases = self._nameservers.aliases(list(dict.fromkeys(going.values())))
            ended = {owner: at for owner, at in going.items() if at not in aliases}
            zones = self._apexes(list(dict.fromkeys(ended.values()))) if ended else {}
            homes |= {owner: (zones[at], at) for owner, at in ended.items() if at in zones}
            going = {owner: aliases[at] for owner, at in going.items() if at in aliases}
        return homes

    def _in_zone(self, zone: DnsName, owners: Mapping[DnsName, DnsName]) -> Mapping[DnsName, StandingLook]:
        try:
            servers = self._nameservers.of(zone)
        except CertkeeperError as error:
            return {owner: StandingLook(trouble=str(error)) for owner in owners}
        # Without wanted values every RRset counts as complete, so its signatures are looked at.
        question = Question(zone, dict.fromkeys(owners.values(), frozenset()), servers.ds)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            said = dict(
                zip(servers.servers, threads.map(lambda one: self._ask(one, question), servers.servers), strict=True)
            )
        troubles = [f"{server}: {answer}" for server, answer in said.items() if isinstance(answer, str)]
        answers = {str(server): answer for server, answer in said.items() if isinstance(answer, Answer)}
        trouble = "; ".join(troubles) if not answers else ""
        return {
            owner: StandingLook({server: _counting(answer, written) for server, answer in answers.items()}, trouble)
            for owner, written in owners.items()
        }

    def _ask(self, server: Server, question: Question) -> Answer | str:
        """What the server said, or why it said nothing."""
        trouble = ""
        for _ in range(_TRIES):
            try:
                return self._nameservers.ask(server, question, self._now())
            except CertkeeperError as error:
                trouble = str(error)
        return trouble


def _counting(answer: Answer, written: DnsName) -> frozenset[str]:
    """The values that a CA would take from this server: none with a signature that is no good."""
    if written in answer.flaws or written in answer.bogus:
        return frozenset()
    return answer.served.get(written, frozenset())
