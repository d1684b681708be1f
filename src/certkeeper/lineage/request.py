"""A certificate request that somebody else made, as far as a plan has to know it."""

from certkeeper.base.names import Identifier
from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class ReceivedCsr:
    """A request that somebody else made and signed. `key_id` is its key's; `others` are the extensions that it asks
    for beside names, by their names or numbers.
    """

    der: bytes
    identifiers: tuple[Identifier, ...]
    key_id: str
    others: tuple[str, ...] = ()
