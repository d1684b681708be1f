"""What a key, or a chain with it, is matched by."""

import hashlib
from collections.abc import Collection, Iterable, Sequence

from certkeeper.base.value import dataclass
from certkeeper.dane.der import spki_of
from certkeeper.dane.tlsa import CERT, DANE_EE, DANE_TA, FULL, PKIX_EE, PKIX_TA, SHA256, SHA512, SPKI, Tlsa, TlsaType

_MATCHING_TYPES = (FULL, SHA256, SHA512)


@dataclass(frozen=True, slots=True)
class Face:
    """What clients see of a key, in terms of records.

    `records` are those to publish for it, of the types that are wanted. `matches` are all records that it is matched
    by, of any type. Of a key without a certificate (`certified` is false) only what depends on the key alone is known:
    whether its chain matches records about CAs or certificates is seen once the chain is there.
    """

    key_id: str
    records: frozenset[Tlsa]
    matches: frozenset[Tlsa]
    certified: bool

    def knows(self, kind: TlsaType) -> bool:
        """Whether it can be said now if a record of that type matches."""
        return self.certified or kind.of_the_key

    def lacking(self, types: Iterable[TlsaType]) -> tuple[TlsaType, ...]:
        """Types for which no record can be made of it: a CA's, where the chain is the leaf alone."""
        made = {record.type for record in self.records}
        return tuple(kind for kind in types if self.knows(kind) and kind not in made)


def key_face(spki: bytes, types: Collection[TlsaType]) -> Face:
    """The face of a key that has no certificate yet; `spki` is its SubjectPublicKeyInfo in DER."""
    matches = frozenset(_of_key(spki))
    records = frozenset(record for record in matches if record.type in set(types))
    return Face(hashlib.sha256(spki).hexdigest(), records, matches, certified=False)


def chain_face(chain: Sequence[bytes], types: Collection[TlsaType], siblings: Iterable[bytes] = ()) -> Face:
    """The face of a chain in DER, the leaf first.

    `siblings` are certificates in DER of other CAs that may sign the next time: records about CAs are made for the
    issuer of the leaf and for each of them, and the chain is matched only by those about CAs in it.

    Raises:
        NotDer: one of them is no certificate.
    """
    wanted = set(types)
    leaf, *authorities = chain
    spki = spki_of(leaf)
    matches = {*_of_key(spki), *_of(PKIX_EE, leaf, spki), *_of(DANE_EE, leaf, spki)}
    signing: set[Tlsa] = set()
    for position, certificate in enumerate((*authorities, *siblings)):
        found = {*_of(PKIX_TA, certificate, spki_of(certificate)), *_of(DANE_TA, certificate, spki_of(certificate))}
        if position < len(authorities):
            matches |= found
        if position == 0 or position >= len(authorities):
            signing |= found
    if not authorities:
        signing = set()
    records = {record for record in matches if record.type in wanted and record.type.of_the_leaf}
    records |= {record for record in signing if record.type in wanted}
    return Face(hashlib.sha256(spki).hexdigest(), frozenset(records), frozenset(matches), certified=True)


def _of_key(spki: bytes) -> Iterable[Tlsa]:
    for usage in (PKIX_EE, DANE_EE):
        for matching_type in _MATCHING_TYPES:
            yield Tlsa.of(TlsaType(usage, SPKI, matching_type), spki)


def _of(usage: int, certificate: bytes, spki: bytes) -> Iterable[Tlsa]:
    for selector, octets in ((CERT, certificate), (SPKI, spki)):
        for matching_type in _MATCHING_TYPES:
            yield Tlsa.of(TlsaType(usage, selector, matching_type), octets)
