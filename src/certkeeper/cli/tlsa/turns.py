"""How far it is with what a person decided of keys: one sentence for each decision."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from certkeeper.base.times import iso
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import Machine
from certkeeper.cli.tlsa.ending import owed, to_revoke
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import Lineage, Version
from certkeeper.plan.records import Records, TlsaTurn, TurnKind


class Step(StrEnum):
    """What of it is next."""

    KEY = "key"
    """The key that it is about is live."""
    SERVICES = "services"
    """Another one is, and a service may not have it yet."""
    REVOKE = "revoke"
    """All have it, and certificates with the key before are to be revoked."""
    RECORDS = "records"
    """All is done but that records go, or that caches forget them."""


@dataclass(frozen=True, slots=True)
class Way:
    """How far a decision has come. `until` is how long caches may hold a record of the key that it is about."""

    turn: TlsaTurn
    step: Step
    until: datetime | None = None

    @property
    def sentence(self) -> str:
        """From the certificate's name on."""
        kind, at = self.turn.kind, iso(self.turn.at)
        until = f"until {iso(self.until)}" if self.until is not None else ""
        if kind is TurnKind.RETIRE:
            held = f"caches may hold one {until}, and the key stays until then"
            what = held if until else "no cache holds one any more"
            said = f'its records were retired at {at}: {what}; to say so for good, write TLSA="no"'
        elif self.step is Step.KEY:
            said = f"{kind.value} asked for at {at}: its key stays until caches know the next one; runs do the rest"
        elif self.step is Step.SERVICES:
            said = f"{kind.value} asked for at {at}: another key is live, and a service does not have it yet"
        elif kind is TurnKind.ROLL:
            said = f"roll asked for at {at} is done: another key is live"
        elif self.step is Step.REVOKE:
            said = f"compromise asked for at {at}: another key is live; runs revoke certificates with the old one"
        else:
            held = f"; caches may hold its record {until}" if until else ""
            done = f"another key is live, the old one's certificates are revoked{held}"
            said = f"the compromise of {at} is dealt with: {done}"
        return f"{self.turn.alias}: {said}"


def ways(machine: Machine, specs: Sequence[CertSpec]) -> Iterator[Way]:
    """Those of these certificates, as things are now; nobody is asked."""
    records, now = machine.journal.records(), machine.clock.now()
    for spec in specs:
        if (turn := records.turns.get(spec.entry)) is not None:
            versions = machine.store.versions(spec.alias) if turn.kind is TurnKind.COMPROMISE else ()
            yield way(spec, turn, machine.lineages()[spec.alias], versions, records, now)


def way(
    spec: CertSpec, turn: TlsaTurn, lineage: Lineage, versions: Sequence[Version], records: Records, now: datetime
) -> Way:
    """How far this one is."""
    until = None
    for memory in records.tlsa.values():
        for item in memory.known:
            about = memory.age.ours if turn.kind is TurnKind.RETIRE else item.former
            if item.alias == spec.alias:
                ends = [memory.age.lingering[record] for record in about if record in memory.age.lingering]
                until = max([*ends, *([until] if until is not None else [])], default=None)
    if turn.kind is TurnKind.RETIRE:
        return Way(turn, Step.RECORDS, until)
    if lineage.key_id == turn.key_id:
        return Way(turn, Step.KEY)
    if owed(spec, records):
        return Way(turn, Step.SERVICES)
    left = any(to_revoke(version, turn, now) for version in versions)
    return Way(turn, Step.REVOKE if left else Step.RECORDS, until)


def ways_document(found: Sequence[Way]) -> list[Mapping[str, object]]:
    return [
        {
            "alias": way.turn.alias.text,
            "kind": way.turn.kind.value,
            "at": iso(way.turn.at),
            "step": way.step.value,
            "until": iso(way.until) if way.until is not None else None,
            "sentence": way.sentence,
        }
        for way in found
    ]
