"""Certificates as TLSA records see them: the live key, the next one, and a version that waits to go live."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from certkeeper.apply.daneports import Material, Materials
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass, replace
from certkeeper.config.settings import CertSpec
from certkeeper.dane.age import TlsaAge, seen_anywhere
from certkeeper.dane.face import Face, chain_face, key_face
from certkeeper.dane.facts import Bearer, Place, Sight
from certkeeper.dane.tlsa import SHA256, Tlsa, TlsaType
from certkeeper.lineage.model import Lineage
from certkeeper.plan.records import KnownKey, Records, TlsaMemory, TurnKind

NOTHING_LIVE = Face("", frozenset(), frozenset(), certified=True)
"""What clients see of a certificate that is not live."""


@dataclass(frozen=True, slots=True)
class Bearing:
    """One certificate. `staged` is the chain of a complete version that is not live; `compromised` are key_ids.
    `siblings` are certificates in DER of CAs that may sign the next one.
    """

    alias: Alias
    material: Material
    staged: tuple[bytes, ...] | None = None
    compromised: frozenset[str] = frozenset()
    siblings: tuple[bytes, ...] = ()

    def bearer(self, types: Collection[TlsaType], memory: TlsaMemory | None, now: datetime) -> Bearer:
        """As it is behind a place, with what is remembered of it there.

        Raises:
            NotDer: a certificate is none.
        """
        live = chain_face(self.material.chain, types, self.siblings) if self.material.chain else NOTHING_LIVE
        ahead = key_face(self.material.next_key, types) if self.material.next_key is not None else None
        staged = chain_face(self.staged, types, self.siblings) if self.staged else None
        before = next((item for item in memory.known if item.alias == self.alias), None) if memory is not None else None
        since, former = now, frozenset[Tlsa]()
        if before is not None:
            since = before.since if before.key_id == live.key_id else now
            former = before.former
        if before is not None and memory is not None and before.key_id != live.key_id:
            # Whatever of ours is about no key that is there is about the one that was live.
            faces = [face for face in (live, ahead, staged) if face is not None]
            present = frozenset[Tlsa]().union(*(face.matches for face in faces))
            former |= frozenset(record for record in memory.age.ours if record.type.of_the_key) - present
        left = former - live.matches
        return Bearer(self.alias.text, live, since, ahead, staged, left, self.compromised, leaves=not types)


def bearing_of(spec: CertSpec, lineage: Lineage, records: Records, materials: Materials) -> Bearing | None:
    """None where no certificate is live, and no complete version waits to be.

    Raises:
        ValueError, NotDer: what is there cannot be read.
        CertkeeperError: as above.
    """
    material = materials.of(spec.alias, lineage)
    turn = records.turns.get(spec.entry)
    others_have = {turn.key_id} if turn is not None and turn.kind is TurnKind.COMPROMISE else set[str]()
    if lineage.compromised and lineage.key_id is not None:
        others_have.add(lineage.key_id)
    left = records.orders.get(spec.entry)
    staged = materials.version(spec.alias, left.stamp) if left is not None and left.stamp != lineage.stamp else None
    siblings = materials.issuers(spec.tlsa.issuers) if spec.tlsa is not None and spec.tlsa.issuers else ()
    if staged:
        chain_face(staged, (), siblings)
    if material is None or not material.chain:
        # The first certificate may have to wait until caches know it.
        return Bearing(spec.alias, Material(()), staged, siblings=siblings) if staged else None
    chain_face(material.chain, ())
    return Bearing(spec.alias, material, staged, frozenset(others_have), siblings)


def unremembered(place: Place, age: TlsaAge, materials: Materials) -> frozenset[Tlsa]:
    """Records there that are made of keys of ours, and that were neither seen nor written before that last look."""
    fresh = seen_anywhere(place) - age.ours - age.lingering.keys()
    if not fresh:
        return frozenset()
    faces = (face for item in place.bearers for face in (item.live, item.next, item.staged) if face is not None)
    made = frozenset[Tlsa]().union(*(face.matches for face in faces))
    known = frozenset[str]().union(*(materials.key_ids(Alias(item.alias)) for item in place.bearers))
    return frozenset(record for record in fresh if record in made or _is_of(record, known))


def _is_of(record: Tlsa, key_ids: frozenset[str]) -> bool:
    """A key_id is the SHA-256 of the key, as that type has it."""
    return record.type.of_the_key and record.type.matching_type == SHA256 and record.data.hex() in key_ids


def served(bearer: Bearer, sights: Iterable[Sight]) -> bool:
    """Some service shows its key, or one that it had before."""
    keys = [record for record in bearer.known_by if record.type.of_the_key]
    return any(not sight.matches.isdisjoint(keys) for sight in sights if sight.matches is not None)


def known_after(bearers: Sequence[Bearer], age: TlsaAge) -> tuple[KnownKey, ...]:
    """What is to be remembered of them; records that no cache holds any more are forgotten, and so is a certificate
    that none is about.
    """
    return tuple(
        KnownKey(Alias(item.alias), item.live.key_id, item.live_since, item.former.intersection(age.lingering))
        for item in bearers
        if item.live.key_id and (item.live.records or not (item.live.matches | item.former).isdisjoint(age.lingering))
    )


def without_ours(memory: TlsaMemory) -> TlsaMemory:
    """The same, as if all records there were somebody else's: none is old, and none is taken away.

    Of a certificate that cannot be looked at it is not known which of them are about it.
    """
    known = tuple(replace(item, former=frozenset()) for item in memory.known)
    return replace(memory, age=replace(memory.age, ours=frozenset()), known=known)


def with_ours_of(memory: TlsaMemory, age: TlsaAge) -> TlsaAge:
    """That age, with those of ours again that a cache may hold."""
    return replace(age, ours=age.ours | memory.age.ours.intersection(age.lingering))
