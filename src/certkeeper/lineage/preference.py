"""Which of a CA's chains the operator prefers: by the common name of an issuer in it (PREFERRED_CHAIN)."""

from collections.abc import Sequence

from certkeeper.base.errors import printable
from certkeeper.base.value import dataclass
from certkeeper.lineage.leaf import common_names
from certkeeper.lineage.pem import certificates


@dataclass(frozen=True, slots=True)
class ChainNames:
    """The common names in a chain. `top`: those of its last certificate's issuer, by which dehydrated chooses.

    `issuers`: those of every issuer and of every certificate but the leaf, from the leaf upwards.
    """

    top: tuple[str, ...]
    issuers: tuple[str, ...]

    def __str__(self) -> str:
        return printable(" < ".join(self.issuers), 300) or "a chain without common names"


def chain_names(fullchain: bytes) -> ChainNames:
    """The names in a chain.

    Raises:
        BadChain: a certificate of it cannot be read.
    """
    found: dict[str, None] = {}
    top: tuple[str, ...] = ()
    for position, block in enumerate(certificates(fullchain)):
        subject, top = common_names(block)
        found.update(dict.fromkeys((*subject, *top) if position else top))
    return ChainNames(top, tuple(found))


def preferred(wanted: str, chains: Sequence[ChainNames]) -> int | None:
    """The chain to take: the first that ends at an issuer of that name, else the first that holds it anywhere.

    The name is compared as it is written, in full and with its case.
    """
    for names in ([chain.top for chain in chains], [chain.issuers for chain in chains]):
        for position, held in enumerate(names):
            if wanted in held:
                return position
    return None
