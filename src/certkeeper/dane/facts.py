"""What is known of a place where TLSA records stand, as whoever looked found it."""

from datetime import datetime, timedelta
from enum import StrEnum

from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass
from certkeeper.dane.face import Face
from certkeeper.dane.tlsa import Tlsa, TlsaType

MARGIN = timedelta(hours=1)
"""What is waited for besides TTLs: clocks that differ, and resolvers that keep everything for a least time."""


class Trust(StrEnum):
    """What a validating resolver, or our own proof from a trust anchor, says of the place."""

    SECURE = "secure"
    UNSIGNED = "unsigned"
    NO_DS = "no DS"
    BOGUS = "bogus"
    HIDDEN = "hidden"
    """The name servers have the records, and validation proves that they do not exist: a missing empty non-terminal."""
    CACHED = "not seen yet"
    """The name servers have the records, and a resolver still goes by a proof from before they were there."""
    UNPROVEN = "unproven"
    """Nobody who validates could be asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one authoritative address serves. `records` is None where it gave no usable answer.

    `ttl` is the RRset's in seconds, 0 where it has none. `signed_until` is when its signature ends. `frozen`: its
    serial has been behind the others' for longer than its SOA lets it be, so it may yet go through states of long ago.
    `expanded`: the records are a wildcard's, and there is nothing at the place itself.
    """

    server: str
    records: frozenset[Tlsa] | None
    ttl: int = 0
    signed_until: datetime | None = None
    frozen: bool = False
    expanded: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What one host, address, port and key algorithm showed in this run; `matches` is None where nobody could look."""

    endpoint: str
    matches: frozenset[Tlsa] | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """A certificate that is behind the place. `next` is the key that was made ahead, None where there is none.

    `staged` is a complete version that is not live. `former` are records of keys that it had before. `live_since` is
    when the live key went live. `compromised` are key_ids that others have, too. `leaves`: its page wants no records,
    and no service here was seen with it.
    """

    alias: str
    live: Face
    live_since: datetime
    next: Face | None = None
    staged: Face | None = None
    former: frozenset[Tlsa] = frozenset()
    compromised: frozenset[str] = frozenset()
    leaves: bool = False

    @property
    def known_by(self) -> frozenset[Tlsa]:
        """All that its live key matches, and what is left of the keys before it."""
        return self.live.matches | self.former


@dataclass(frozen=True, slots=True)
class Place:
    """The RRset that one or more owners lead to: the owner's own, or what its CNAME ends at.

    `types` are the types that are wanted; none where DANE is to end here. `answers` has every authoritative address.
    `ttls` are, in seconds, all other times for which caches keep what they know in its place: the TTL that new
    records get, that of CNAMEs on the way, the negative TTL, that of a place that an owner led to before.
    `unremembered` are records there that are made of keys of ours, and that what is remembered does not know: it is
    from before they were published. `margin` is waited for after the TTLs (TLSA_MARGIN). `zone` is where it is, if
    somebody knows.
    """

    name: DnsName
    owners: frozenset[DnsName]
    types: frozenset[TlsaType]
    bearers: tuple[Bearer, ...]
    answers: tuple[Answer, ...]
    trust: Trust
    sights: tuple[Sight, ...] = ()
    ttls: tuple[int, ...] = (3600,)
    unremembered: frozenset[Tlsa] = frozenset()
    margin: timedelta = MARGIN
    zone: DnsName | None = None


@dataclass(frozen=True, slots=True)
class Clocks:
    """This machine's time, and what others said it is (the Date of a CA or of PowerDNS), all aware."""

    here: datetime
    others: tuple[datetime, ...] = ()

    @property
    def earliest(self) -> datetime:
        """What waits are compared with: no clock that is ahead can end one too early."""
        return min(self.here, *self.others) if self.others else self.here

    @property
    def latest(self) -> datetime:
        """What waits are counted from."""
        return max(self.here, *self.others) if self.others else self.here
