"""What validation says of TLSA records that name servers showed: a resolver's AD first, then our own proof.

Where neither can be had, nothing is proven; but that a zone shows no signature, or that its parent names no DS, is
seen without a proof, and is told as what it is.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from certkeeper.adapters.anchors import Anchors
from certkeeper.adapters.chainproof import ChainProof, Proven
from certkeeper.adapters.dnsquestions import Question
from certkeeper.adapters.signatures import Keyring
from certkeeper.adapters.tlsaserved import SOA_, TLSA, ServedTlsa, ServedZone
from certkeeper.adapters.validators import Said, ask_validators
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, field
from certkeeper.dane.facts import Trust
from certkeeper.zone.propagation import Server, ServerSet


@dataclass(slots=True)
class Hop:
    """One name on the way from an owner to its records, as every server of its zone shows it.

    `ds` is what the parent says, None where it could not be asked. `missing` is a name above that has to exist and
    that some server denies. `useless` are servers whose answer does not count, `expired` those with a signature that
    ended, both with the reason.
    """

    zone: DnsName
    name: DnsName
    names: Mapping[Server, ServedTlsa]
    zones: Mapping[Server, ServedZone | str]
    ds: frozenset[str] | None = None
    missing: DnsName | None = None
    useless: dict[Server, str] = field(default_factory=dict)
    expired: dict[Server, str] = field(default_factory=dict)

    @property
    def bogus(self) -> str:
        """What is wrong with the signatures, where no server that answers has good ones; empty where one has."""
        flaws = {server: words for server, words in self.useless.items() if not isinstance(self.zones[server], str)}
        flaws |= self.expired
        heard = [server for server, said in self.names.items() if not said.trouble and server not in self.useless]
        return next(iter(flaws.values()), "") if all(server in self.expired for server in heard) else ""

    @property
    def target(self) -> DnsName | None:
        """Where it leads: what the most servers say."""
        said = [item.alias for item in self.names.values() if item.alias is not None]
        return max(said, key=lambda name: (said.count(name), name)) if said else None

    @property
    def signed(self) -> bool:
        """Some server shows a signature."""
        return any(not isinstance(zone, str) and zone.signed is not None for zone in self.zones.values())

    @property
    def complete(self) -> bool:
        """Every server has something there."""
        return bool(self.names) and all(item.records or item.alias for item in self.names.values())


@dataclass(frozen=True, slots=True)
class Path:
    """From an owner to its records, its CNAMEs first."""

    owner: DnsName
    hops: tuple[Hop, ...]

    @property
    def complete(self) -> bool:
        return all(hop.complete for hop in self.hops)


@dataclass(frozen=True, slots=True)
class Judged:
    trust: Trust
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Validation:
    """Who validates: resolvers whose AD counts, and trust anchors; `recursors` are those of this host."""

    validators: tuple[Server, ...] = ()
    anchors: Anchors = field(default_factory=dict)
    recursors: tuple[Server, ...] = ()

    def judge(
        self, paths: Sequence[Path], servers_of: Callable[[DnsName], ServerSet], now: datetime
    ) -> Mapping[DnsName, Judged]:
        """One judgement for each owner. Signatures are verified on the way, by the keys of the same server."""
        questions = dict.fromkeys(question for path in paths for question in _questions(path))
        said = ask_validators(self.validators, tuple(questions)) if self.validators else {}
        proof = ChainProof(self.anchors, self.recursors, servers_of, now)
        proven: dict[DnsName, Proven] = {}
        rings: dict[tuple[DnsName, Server], Keyring] = {}
        found = {}
        for path in paths:
            heard = [said[question] for question in _questions(path) if question in said]
            judged = _by_resolver(path, heard)
            if judged.trust is Trust.UNPROVEN and self.anchors:
                for hop in path.hops:
                    if hop.zone not in proven:
                        proven[hop.zone] = proof.of(hop.zone)
                judged = _by_proof(path, proven)
            for hop in path.hops:
                ds = proven[hop.zone].ds if hop.zone in proven and proven[hop.zone].trust is Trust.SECURE else hop.ds
                secure = judged.trust is Trust.SECURE
                if secure or ds or (ds is None and hop.signed):
                    _verify(hop, ds or None, rings, now)
            found[path.owner] = _finished(path, judged)
        return found


def _questions(path: Path) -> list[Question]:
    """Its zones, which are there whatever is published, and the owner where nobody can learn that it is not there."""
    zones: list[Question] = [(hop.zone, SOA_) for hop in path.hops]
    hidden = any(hop.missing is not None for hop in path.hops)
    return [*zones, (path.owner, TLSA)] if path.complete and not hidden else zones


def _by_resolver(path: Path, heard: Sequence[Said]) -> Judged:
    """The worst that a resolver says of the zones on the way, and of the owner."""
    for trust in (Trust.BOGUS, Trust.UNPROVEN, Trust.UNSIGNED, Trust.HIDDEN):
        for said in heard:
            if said.trust is trust:
                # That its own servers deny it is seen below; a resolver alone has it from before it was there.
                found = Trust.CACHED if trust is Trust.HIDDEN else trust
                return _insecure(path, said.flaw) if trust is Trust.UNSIGNED else Judged(found, said.flaw)
    flaw = "no validating resolver is known, and no trust anchor: set VALIDATING_RESOLVER or TRUST_ANCHOR"
    return Judged(Trust.SECURE) if heard else Judged(Trust.UNPROVEN, flaw)


def _insecure(path: Path, flaw: str) -> Judged:
    """Which of the two it is, the zones' own servers show."""
    bare = next((hop.zone for hop in path.hops if not hop.signed), None)
    if bare is not None:
        return Judged(Trust.UNSIGNED, f"zone {bare} is not signed")
    lone = next((hop.zone for hop in path.hops if not hop.ds), path.hops[-1].zone)
    return Judged(Trust.NO_DS, f"zone {lone} is signed, and no DS leads to it: {flaw}")


def _by_proof(path: Path, proven: Mapping[DnsName, Proven]) -> Judged:
    for hop in path.hops:
        found = proven[hop.zone]
        if found.trust is Trust.NO_DS:
            return _insecure(path, found.flaw)
        if found.trust is not Trust.SECURE:
            return Judged(found.trust, found.flaw)
    return Judged(Trust.SECURE)


def _verify(hop: Hop, ds: frozenset[str] | None, rings: dict[tuple[DnsName, Server], Keyring], now: datetime) -> None:
    """Find the servers whose answer no validator would take. What expired is told by its end."""
    for server, said in hop.names.items():
        zone = hop.zones[server]
        if isinstance(zone, str):
            hop.useless[server] = zone
            continue
        key = hop.zone, server
        if key not in rings and zone.keys is not None:
            rings[key] = Keyring(hop.zone, zone.keys, ds, now)
        ring = rings.get(key)
        if ring is None:
            hop.useless[server] = "does not tell the zone's DNSKEY"
        elif words := ring.trouble or (ring.flaw(zone.signed) if zone.signed is not None else "without a signature"):
            hop.useless[server] = f"answers {words}"
        elif said.records or said.alias is not None:
            words = ring.flaw(said.signed) if said.signed is not None else "without a signature"
            expired = said.signed_until is not None and said.signed_until <= now
            if words:
                (hop.expired if expired else hop.useless)[server] = f"answers {words}"


def _finished(path: Path, judged: Judged) -> Judged:
    if judged.trust is Trust.SECURE:
        for hop in path.hops:
            if hop.bogus:
                return Judged(Trust.BOGUS, hop.bogus)
            if hop.missing is not None:
                return Judged(
                    Trust.HIDDEN,
                    f"{hop.missing} does not exist by the word of zone {hop.zone}'s own servers, so what is below it "
                    "is denied to validating resolvers: rectify the zone",
                )
    if judged.trust is Trust.UNPROVEN:
        if any(not hop.signed and not hop.ds for hop in path.hops):
            return _insecure(path, judged.flaw)
        if any(hop.ds is not None and not hop.ds for hop in path.hops):
            return _insecure(path, "its parent names none")
    return judged
