"""Port TlsaLookup: TLSA records at every authoritative address, CNAMEs followed, and then by whoever validates.

The name servers are asked first. A resolver is asked for an owner only where all of them have its records: before that
it would remember for an hour that there are none, and so would everybody who asks it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from certkeeper.adapters.dnsquestions import Question
from certkeeper.adapters.tlsaserved import (
    DNSKEY,
    SOA_,
    TLSA,
    Replies,
    ServedZone,
    replies_of,
    served_tlsa,
    served_zone,
)
from certkeeper.adapters.tlsatrust import Hop, Judged, Path, Validation
from certkeeper.apply.daneports import TlsaLook
from certkeeper.apply.ports import Nameservers
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, field
from certkeeper.dane.facts import Answer, Trust
from certkeeper.zone.behind import ServedSoa
from certkeeper.zone.propagation import Server, ServerSet

_AT_ONCE = 32
_MOST_STEPS = 10
"""CNAMEs and delegations on the way to one RRset."""

Homes = Callable[[Collection[DnsName]], Mapping[DnsName, DnsName]]
"""The zones of hosts; those of which nobody knows one are left out."""


@dataclass(slots=True)
class _Walk:
    """One owner on its way to the place of its records."""

    owner: DnsName
    at: DnsName
    zone: DnsName | None = None
    hops: list[Hop] = field(default_factory=list)
    trouble: str = ""
    done: bool = False

    def end(self, trouble: str = "") -> None:
        self.trouble, self.done = trouble, True


class TlsaLooks:
    """Implements the port TlsaLookup. `homes` finds zones, without asking a resolver for names with an underscore."""

    def __init__(self, nameservers: Nameservers, homes: Homes, validation: Validation) -> None:
        self._nameservers = nameservers
        self._homes = homes
        self._validation = validation

    def look(self, owners: Collection[DnsName], now: datetime) -> Mapping[DnsName, TlsaLook]:
        walks = {owner: _Walk(owner, owner) for owner in owners}
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            sight = _Sight(self._nameservers, threads)
            for _ in range(_MOST_STEPS):
                going = [walk for walk in walks.values() if not walk.done]
                if not going:
                    break
                self._find_zones(going)
                sight.ask([(walk.zone, walk.at) for walk in going if walk.zone is not None])
                for walk in going:
                    if not walk.done:
                        _step(walk, sight)
            for walk in walks.values():
                if not walk.done:
                    walk.end("more CNAMEs and delegations in a row than clients follow")
        paths = [Path(walk.owner, tuple(walk.hops)) for walk in walks.values() if not walk.trouble]
        judged = self._validation.judge(paths, self._nameservers.of, now)
        return {owner: _look(walk, judged.get(owner)) for owner, walk in walks.items()}

    def _find_zones(self, going: Sequence[_Walk]) -> None:
        lost = {walk.at: host_of(walk.at) for walk in going if walk.zone is None}
        zones: Mapping[DnsName, DnsName] = {}
        trouble = "its zone is not found"
        try:
            zones = self._homes(tuple(dict.fromkeys(lost.values()))) if lost else {}
        except CertkeeperError as error:
            trouble = str(error)
        for walk in going:
            if walk.zone is None:
                walk.zone = zones.get(lost[walk.at])
                if walk.zone is None:
                    walk.end(trouble)


def host_of(name: DnsName) -> DnsName:
    """What is above the last label with an underscore: a name that may be asked for before anything is published."""
    labels = name.labels
    last = max((at for at, label in enumerate(labels) if label.startswith("_")), default=-1)
    return DnsName(".".join(labels[last + 1 :]))


class _Sight:
    """All that the servers said in one look, each question asked once."""

    def __init__(self, nameservers: Nameservers, threads: ThreadPoolExecutor) -> None:
        self._nameservers = nameservers
        self._threads = threads
        self.sets: dict[DnsName, ServerSet | str] = {}
        self._said: dict[tuple[str, int], Replies] = {}
        self._zones: dict[tuple[DnsName, Server], ServedZone | str] = {}

    def ask(self, wanted: Collection[tuple[DnsName, DnsName]]) -> None:
        """About names of these zones, with what lies between the two."""
        fresh = [zone for zone in dict.fromkeys(zone for zone, _ in wanted) if zone not in self.sets]
        self.sets |= dict(zip(fresh, self._threads.map(self._servers, fresh), strict=True))
        asked: dict[tuple[str, int], dict[Question, None]] = {}
        addresses: dict[tuple[str, int], Server] = {}
        for zone, name in wanted:
            found = self.sets[zone]
            between = [(one, TLSA) for one in _between(zone, name)]
            questions: list[Question] = [(zone, SOA_), (zone, DNSKEY), (name, TLSA), *between]
            for server in found.servers if isinstance(found, ServerSet) else ():
                key = server.address, server.port
                addresses[key] = server
                known = self._said.get(key, {})
                asked.setdefault(key, {}).update((one, None) for one in questions if one not in known)
        jobs = {key: tuple(questions) for key, questions in asked.items() if questions}
        replies = self._threads.map(replies_of, (addresses[key] for key in jobs), jobs.values())
        for key, said in zip(jobs, replies, strict=True):
            self._said.setdefault(key, Replies()).update(said)

    def _servers(self, zone: DnsName) -> ServerSet | str:
        try:
            return self._nameservers.of(zone)
        except CertkeeperError as error:
            return str(error)

    def hop(self, zone: DnsName, name: DnsName) -> Hop | str:
        """What all servers of the zone say of a name in it; why nobody can be asked."""
        servers = self.sets[zone]
        if isinstance(servers, str):
            return servers
        said = {server: self._said[server.address, server.port] for server in servers.servers}
        zones = {server: self._zone(zone, server) for server in servers.servers}
        names = {server: served_tlsa(zone, name, said[server][name, TLSA]) for server in servers.servers}
        missing = [
            one
            for one in _between(zone, name)
            for server in servers.servers
            if names[server].records and not served_tlsa(zone, one, said[server][one, TLSA]).exists
        ]
        return Hop(zone, name, names, zones, servers.ds, missing[0] if missing else None)

    def _zone(self, zone: DnsName, server: Server) -> ServedZone | str:
        key = zone, server
        if key not in self._zones:
            self._zones[key] = served_zone(zone, self._said[server.address, server.port])
        return self._zones[key]


def _between(zone: DnsName, name: DnsName) -> list[DnsName]:
    """The names between both that exist for the sake of this one alone: with an underscore in front."""
    found, at = [], name.parent
    while at != zone and at.is_within(zone):
        if at.text.startswith("_"):
            found.append(at)
        at = at.parent
    return found


def _step(walk: _Walk, sight: _Sight) -> None:
    """To the end of a CNAME, to the zone that a referral is about, or to the end."""
    if walk.zone is None:
        return
    hop = sight.hop(walk.zone, walk.at)
    if isinstance(hop, str):
        walk.end(hop)
        return
    cut = next((item.cut for item in hop.names.values() if item.cut is not None), None)
    if cut is not None and not any(item.records or item.alias for item in hop.names.values()):
        walk.zone = cut
        return
    walk.hops.append(hop)
    target = hop.target
    if target is None:
        walk.end()
    elif any(target == earlier.name for earlier in walk.hops):
        walk.end(f"its CNAMEs go round in a circle: {' -> '.join(str(one.name) for one in walk.hops)} -> {target}")
    else:
        walk.at, walk.zone = target, None


def _look(walk: _Walk, judged: Judged | None) -> TlsaLook:
    if walk.trouble or judged is None or not walk.hops:
        return TlsaLook(walk.owner, walk.at, trouble=walk.trouble or "nobody could be asked")
    *before, last = walk.hops
    answers: dict[str, Answer] = {}
    troubles: dict[str, str] = {}
    # A server of a zone on the way that does not lead here stands against the whole, however complete the place is.
    for hop in (last, *before):
        for server, said in hop.names.items():
            if hop is not last and said.alias == hop.target and server not in hop.useless:
                continue
            words = said.trouble or hop.useless.get(server, "")
            if hop is not last and not words:
                words = f"leads elsewhere than to {hop.target}"
            if words:
                troubles.setdefault(str(server), words)
            usable = not (said.trouble or server in hop.useless)
            records, ttl = (said.records, said.ttl) if usable else (None, 0)
            shown = Answer(str(server), records, ttl, said.signed_until, expanded=said.expanded)
            if str(server) not in answers or hop is not last:
                answers[str(server)] = shown
    if not answers:
        return TlsaLook(walk.owner, walk.at, last.zone, trouble=f"zone {last.zone} has no server to ask")
    return TlsaLook(
        walk.owner,
        last.name,
        last.zone,
        tuple(answers.values()),
        judged.trust,
        tuple(sorted({*_alias_ttls(before), *_negative_ttls(walk.hops)})),
        tuple(
            ServedSoa(str(server), zone.serial, zone.refresh, zone.retry)
            for server, zone in last.zones.items()
            if not isinstance(zone, str)
        ),
        flaw="" if judged.trust is Trust.SECURE else judged.flaw,
        troubles=troubles,
    )


def _alias_ttls(hops: Iterable[Hop]) -> set[int]:
    return {said.ttl for hop in hops for said in hop.names.values() if said.alias is not None}


def _negative_ttls(hops: Iterable[Hop]) -> set[int]:
    return {zone.negative_ttl for hop in hops for zone in hop.zones.values() if not isinstance(zone, str)}
