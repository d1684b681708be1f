"""Is a change served by the name servers that a CA may ask? Evidence in, verdict out.

Terms: a *server* is one address of one NS name. It *confirms* when it serves every wanted value, with valid signatures
where the zone is signed; it *lacks* an owner when it answers without that, and is *silent* when it does not answer.
An address of a family that this host has no route to is *skipped*.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, field, replace

PATIENCE = 3
"""A silent server is asked that often before the others' word may do."""

REFUSAL_GRACE = 10.0
"""Seconds in which a server that answers with errors is waited for: a secondary may not have loaded a new zone yet."""
REFUSALS_GRACE = 60.0
"""The same where no server does anything else."""

Wanted = Mapping[DnsName, frozenset[str]]


class NotServing(CertkeeperError):
    """A server that answers, and says that it does not serve the zone: REFUSED, SERVFAIL, or without authority.

    Who gets such an answer asks another server, so it proves nothing and stands in nobody's way.
    """

    label = "dns-server"
    fault = Fault.REMOTE


class Demand(StrEnum):
    """Whose word is needed, in the words of PROPAGATION."""

    REACHABLE = "reachable"
    """Every server that answers; who stays silent is outvoted."""
    ALL = "all"
    """Every address."""


@dataclass(frozen=True, slots=True, order=True)
class Server:
    """One address to ask. `ns` is the NS name that it belongs to, or the operator's text where they named it."""

    ns: str
    address: str
    port: int = 53

    def __str__(self) -> str:
        where = f"[{self.address}]" if ":" in self.address else self.address
        port = "" if self.port == 53 else f":{self.port}"
        shown = f"{where}{port}"
        return shown if self.ns in {self.address, shown} else f"{self.ns} ({shown})"


@dataclass(frozen=True, slots=True)
class ServerSet:
    """Whom to ask for a zone.

    `skipped` tells in words which addresses are left out, and why; `notes` what else is odd about the delegation;
    `ignored` whom the operator told us to leave out. `vantage` are resolvers that have to see it in the end.
    `ds` are the parent's DS records: none where the zone is insecure, None where the parent could not be asked.
    """

    servers: tuple[Server, ...]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ignored: tuple[Server, ...] = ()
    vantage: tuple[Server, ...] = ()
    ds: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a server is asked: the values that are wanted of one zone; without any, only the zone's serial.

    `ds` as in ServerSet. Signatures are not looked at where the zone is known to be insecure.
    """

    zone: DnsName
    wanted: Wanted
    ds: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one server said, per owner that it was asked for.

    `flaws` say why an owner does not count whatever its values are; `bogus` the same about its signatures, and
    `unsigned` are owners with all their values and without a signature: a flaw only where the zone is signed. `signed`
    is true where the server showed any signature. `over` tells what carried usable answers, `notes` what did not.
    """

    served: Wanted
    serial: int | None = None
    flaws: Mapping[DnsName, str] = field(default_factory=dict)
    bogus: Mapping[DnsName, str] = field(default_factory=dict)
    unsigned: frozenset[DnsName] = frozenset()
    signed: bool = False
    over: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one server has said so far. `served` is None while it is silent; `trouble` says how it is silent.
    `refusals` counts the errors that it has answered with in a row.

    The rest is as in Answer; a later answer counts for the owners that it is about.
    """

    served: Wanted | None = None
    trouble: str = ""
    silent_tries: int = 0
    refusals: int = 0
    said: Answer = field(default_factory=lambda: Answer({}))

    @property
    def serial(self) -> int | None:
        return self.said.serial

    def heard(self, answer: Answer) -> "Evidence":
        """With one more answer."""
        before = self.said
        served = {**(self.served or {}), **answer.served}
        asked = answer.served.keys()
        said = Answer(
            served,
            answer.serial if answer.serial is not None else before.serial,
            {**_without(before.flaws, asked), **answer.flaws},
            {**_without(before.bogus, asked), **answer.bogus},
            (before.unsigned - asked) | answer.unsigned,
            before.signed or answer.signed,
            # A question for the serial alone goes over one transport and says nothing about the other one.
            answer.over if asked else before.over,
            answer.notes if asked else before.notes,
        )
        return Evidence(served, said=said)

    def missed(self, trouble: str) -> "Evidence":
        """With one more try that brought nothing; one lost packet does not make an answering server a silent one."""
        tries = self.silent_tries + 1
        if tries < PATIENCE:
            return replace(self, trouble=trouble, silent_tries=tries, refusals=0)
        return Evidence(None, trouble, tries)

    def refused(self, trouble: str) -> "Evidence":
        """With one more try that brought an error as answer."""
        return replace(self.missed(trouble), refusals=self.refusals + 1)


def _without(found: Mapping[DnsName, str], owners: Iterable[DnsName]) -> dict[DnsName, str]:
    gone = frozenset(owners)
    return {owner: words for owner, words in found.items() if owner not in gone}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`proven`: no need to ask again. `ready` are owners that nobody who answers lacks, once the silent ones had their
    turns: resolvers may be asked for these.

    `lacking` are the owners that a server answers without, `silent` is how a server is silent. `signed` is true where
    signatures count.
    """

    proven: bool
    confirmed: tuple[Server, ...] = ()
    lacking: Mapping[Server, frozenset[DnsName]] = field(default_factory=dict)
    silent: Mapping[Server, str] = field(default_factory=dict)
    ready: frozenset[DnsName] = frozenset()
    signed: bool = False

    @property
    def refuted(self) -> frozenset[DnsName]:
        """Owners that some server answers without."""
        return frozenset(owner for owners in self.lacking.values() for owner in owners)


def judge(
    servers: Iterable[Server],
    wanted: Wanted,
    evidence: Mapping[Server, Evidence],
    *,
    demand: Demand = Demand.REACHABLE,
    ds: frozenset[str] | None = None,
    lame: frozenset[Server] = frozenset(),
) -> Verdict:
    """Weigh the evidence. `lame` are servers that are known by now not to serve the zone.

    Proven is: no server lacks a value, every NS name has a confirming address, and the rest, if any, stayed silent
    PATIENCE times. An NS name whose addresses are silent, and not lame, is never proven here; `final` decides at the
    bound. Where all are demanded, a silent address is enough for not proven.

    A zone is signed where the parent has a DS, or where any server shows a signature and the parent was not asked: a
    server that leaves signatures out is seen by what the others do.
    """
    everybody = tuple(servers)
    signed = bool(ds) or (ds is None and any(evidence[one].said.signed for one in everybody if one in evidence))
    confirmed, lacking, silent = [], {}, {}
    patient = False
    for server in everybody:
        seen = evidence.get(server, Evidence())
        if seen.served is None:
            silent[server] = seen.trouble or "no answer yet"
            patient = patient or seen.silent_tries < PATIENCE
            continue
        # The serial is no condition. A value that was published before, for the same token, may still be served by a
        # secondary that is late; its next transfer brings the present zone, with the value, unless one from in between
        # is under way. Serials would rule that out, but those of servers that sign by themselves are not comparable.
        missing = frozenset(owner for owner, values in wanted.items() if _lacks(seen, owner, values, signed=signed))
        if missing:
            lacking[server] = missing
        else:
            confirmed.append(server)
    covered = {server.ns for server in confirmed}
    mute = {server.ns for server in silent if server not in lame} - covered
    refuted = frozenset(owner for owners in lacking.values() for owner in owners)
    ready = frozenset(wanted) - refuted if (confirmed or lacking) and not patient else frozenset()
    outvoted = not mute if demand is Demand.REACHABLE else not silent
    proven = bool(confirmed) and not lacking and not patient and outvoted
    return Verdict(proven, tuple(confirmed), lacking, silent, ready, signed)


def _lacks(seen: Evidence, owner: DnsName, values: frozenset[str], *, signed: bool) -> bool:
    if seen.served is None or owner in seen.said.flaws or not values <= seen.served.get(owner, frozenset()):
        return True
    return signed and (owner in seen.said.bogus or owner in seen.said.unsigned)


def final(verdict: Verdict, wanted: Wanted, demand: Demand = Demand.REACHABLE) -> frozenset[DnsName]:
    """Owners that must not be answered for, once the bound has passed.

    A server that answers without a value refutes it: a CA that asks it will see the same. A silent server is no
    proof against, where another one confirmed; where none did, nothing is known to be served anywhere. Where all are
    demanded, a silent one stands against everything.
    """
    if not verdict.confirmed and not verdict.lacking:
        return frozenset(wanted)
    if verdict.silent and demand is Demand.ALL:
        return frozenset(wanted)
    return verdict.refuted


def newer(serial: int, than: int) -> bool:
    """Serial number arithmetic (RFC 1982 §3.2)."""
    return 0 < (serial - than) % 2**32 < 2**31
