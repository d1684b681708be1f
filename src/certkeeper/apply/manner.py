"""How names are proven to a CA, where there is more than one way that is right."""

from enum import StrEnum

from certkeeper.base.value import dataclass


class Answers(StrEnum):
    """When the CA is told to look at the names of one certificate."""

    AT_ONCE = "at once"
    """At all of them side by side: one look costs as much time as a hundred, and all that fail are told of."""
    IN_TURN = "in turn"
    """One after the other in the CA's order, up to the first that fails, as dehydrated does."""


class Proofs(StrEnum):
    """What a proof from before is worth."""

    COUNT = "count"
    """A name that the CA still takes as proven is not proven once more."""
    GIVEN_BACK = "given back"
    """It is given back to the CA, so that the name is proven anew."""


@dataclass(frozen=True, slots=True)
class Manner:
    answers: Answers = Answers.AT_ONCE
    proofs: Proofs = Proofs.COUNT


USUAL = Manner()
