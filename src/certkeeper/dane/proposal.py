"""All records that can be made of a chain or of a key, with what is to be thought of each."""

from collections.abc import Iterable, Iterator, Sequence

from certkeeper.base.value import dataclass
from certkeeper.dane.der import spki_of
from certkeeper.dane.policy import ALL_TYPES, Advice, Advised, Use, advise
from certkeeper.dane.tlsa import CERT, Tlsa, TlsaType


@dataclass(frozen=True, slots=True)
class Proposal:
    """`position` is the certificate in the chain that the record is of, 0 for the leaf or for a key by itself."""

    record: Tlsa
    position: int
    advice: Advice


def of_chain(chain: Sequence[bytes], use: Use) -> tuple[Proposal, ...]:
    """Every type of record, for each certificate of a chain in DER that it can be about; the best first.

    Raises:
        NotDer: one of them is no certificate.
    """
    keys = [spki_of(certificate) for certificate in chain]
    return _best_first(_of(keys, chain, use, ALL_TYPES))


def of_key(spki: bytes, use: Use) -> tuple[Proposal, ...]:
    """The types that are about a server's key, for one that may have no certificate yet."""
    return _best_first(_of([spki], [b""], use, [kind for kind in ALL_TYPES if kind.of_the_key]))


def _best_first(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    return tuple(sorted(proposals, key=lambda item: list(Advised).index(item.advice.advised)))


def _of(keys: Sequence[bytes], chain: Sequence[bytes], use: Use, kinds: Sequence[TlsaType]) -> Iterator[Proposal]:
    for kind in reversed(kinds):
        for position in (0,) if kind.of_the_leaf else range(1, len(chain)):
            octets = chain[position] if kind.selector == CERT else keys[position]
            yield Proposal(Tlsa.of(kind, octets), position, advise(kind, use))


def to_publish(proposals: Sequence[Proposal], types: Sequence[TlsaType]) -> tuple[Tlsa, ...]:
    """The records of these types: of the leaf, and of the CA that issued it, which is next in the chain."""
    return tuple(item.record for kind in types for item in proposals if item.record.type == kind and item.position < 2)
