"""What providers differ in, as far as the port Dns leaves it open."""

from enum import StrEnum


class Offer(StrEnum):
    """The value says, as the reason of a skip, what a provider without it cannot do."""

    TTL = "others decide about the TTL of a new record"
    NEW_TTL = "a person, or others, decide about the TTL of what is there"
    ONE_WRITE = "records are written one by one"
    ANY_TEXT = "only texts without quotes and backslashes, of at most 255 octets"
    CHALLENGE_ZONES = "does not see that a challenge name is a zone of its own"
    ALIASES = "follows CNAMEs by itself, or not at all"


EVERYTHING = frozenset(Offer)
