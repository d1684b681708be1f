"""What came of days that were played."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass, field
from certkeeper.plan.rehearsal.limits import Touched


@dataclass(frozen=True, slots=True)
class Outage:
    """The CAs take no order from `start` on, and do again from `end` on."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What is played. `every` is the time from one run to the next; the first one is at `start`.

    `revoked_at`: from then on the CAs want all certificates that are live replaced at once (ARI).
    """

    start: datetime
    days: int
    every: timedelta
    outage: Outage | None = None
    revoked_at: datetime | None = None

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Load:
    """One day, in UTC. `waiting` is how many a run left although they were due, where that was most; `run` is how many
    its busiest run issued.
    """

    day: date
    issued: int = 0
    refused: int = 0
    waiting: int = 0
    run: int = 0


@dataclass(frozen=True, slots=True)
class Lapse:
    """A certificate that expired. `until` is when there was another one, None where there was none to the end."""

    alias: Alias
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Nearest:
    """How much of its life a certificate had left when it was replaced, where that was least."""

    alias: Alias
    at: datetime
    left: timedelta


@dataclass(frozen=True, slots=True)
class Replacement:
    """A mass revocation: how many certificates it was about, how many of them were replaced, when the last one was.

    `unaware` are those whose CA has no ARI: no run learns of it.
    """

    at: datetime
    certificates: int
    replaced: int
    last: datetime | None
    unaware: int


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """`stuck` are certificates that no run could have issued, and why; `held` those that a person holds back, which are
    left out. `lives` says how long new certificates were taken to live, by CA and profile, the last one that was
    issued.
    """

    question: Question
    certificates: int
    loads: tuple[Load, ...]
    lapses: tuple[Lapse, ...] = ()
    nearest: tuple[Nearest, ...] = ()
    limits: tuple[Touched, ...] = ()
    exempt: Mapping[str, int] = field(default_factory=dict)
    stuck: Mapping[Alias, str] = field(default_factory=dict)
    held: tuple[Alias, ...] = ()
    lives: Mapping[tuple[str, str], timedelta] = field(default_factory=dict)
    replacement: Replacement | None = None

    @property
    def issued(self) -> int:
        return sum(load.issued for load in self.loads)

    @property
    def busiest(self) -> Load:
        """The day with most certificates, the first of them."""
        return max(self.loads, key=lambda load: load.issued)
