"""What the operator wants of a chain; apart, since it is read with every page."""

from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class ChainWish:
    """Which of a CA's chains to take: by the common name of an issuer in it, empty for the CA's default.

    `required`: there is no certificate without it.
    """

    issuer: str = ""
    required: bool = False
