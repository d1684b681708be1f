"""What is measured, as values, and the arithmetic on it."""

import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate to get: the name it is kept under, and the names in it."""

    label: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    title: str
    sizes: tuple[int, ...]
    """How many names each certificate has."""
    zones: tuple[str, ...] = ("example.org",)
    apart: bool = False
    """Whether each certificate has its names in a zone of its own, rather than in all zones."""
    secondaries: int = 0
    """The CA asks the last one; without any the primary."""
    lag: float | None = None
    """Seconds that the secondaries are behind; None: NOTIFY reaches them at once, and what they need is measured."""
    wait: int = 0
    """The fixed delay of programs that do not look at the name servers."""
    alone: bool = False
    """Whether certkeeper alone takes part."""
    only: tuple[str, ...] = ()
    """The programs that take part, where these are not the usual ones. The first is what others are compared with."""
    due: bool = True
    responder: str = ""
    """Whom the certificates that are there name for OCSP, where nothing is due."""
    traced: bool = True
    """Whether processes are counted, in a run of its own before the timed ones."""
    with_sleeps: bool = False
    """Whether it is also run with a CA that takes its time to validate."""
    most_repeats: int | None = None
    timeout: int = 600

    def wanted(self, tag: str) -> tuple[Wanted, ...]:
        """Names that were not used before, as long as the tag was not. The tag may have any characters."""
        tag = re.sub(r"[^a-z0-9]", "-", tag)
        return tuple(
            Wanted(
                f"c{number}-{tag}",
                tuple(f"n{each}.c{number}-{tag}.{self._zone(number if self.apart else each)}" for each in range(size)),
            )
            for number, size in enumerate(self.sizes, start=1)
        )

    def _zone(self, number: int) -> str:
        return self.zones[number % len(self.zones)]

    @property
    def watched(self) -> bool:
        """Whether it is measured what the secondaries need."""
        return self.secondaries > 0 and self.lag is None


@dataclass(frozen=True, slots=True)
class Pace:
    """How quick the CA is."""

    sleeps: bool = False
    """It takes up to five seconds for each validation, as Pebble does by itself."""
    retry_after: int = 0
    """Seconds that it asks clients to wait before they look again; 0: it does not say."""

    @property
    def suffix(self) -> str:
        """For the titles of tables."""
        return (", the CA takes its time" if self.sleeps else "") + (
            f", Retry-After {self.retry_after}" if self.retry_after else ""
        )


@dataclass(frozen=True, slots=True)
class ZoneTimes:
    """What a zone went through in one run."""

    zone: str
    patches: int
    notifies: int
    needed: float
    """Seconds from its first change until the last secondary served that."""
    proof: float
    """Seconds until the program had seen it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One timed run."""

    wall: float
    cpu: float
    """Seconds, of the program and all its descendants."""
    peak_kib: int
    """Of the largest process."""
    ca_requests: int
    api_requests: int
    """To PowerDNS."""
    zones: tuple[ZoneTimes, ...] = ()
    """Where the scenario watches the secondaries."""


@dataclass(frozen=True, slots=True)
class Started:
    """By a run that was not timed, since counting takes time. What was started first is included."""

    processes: int
    threads: int


@dataclass(slots=True)
class Result:
    """What one program did in one scenario."""

    program: str
    samples: list[Sample] = field(default_factory=list)
    started: Started | None = None
    failure: str | None = None

    @property
    def spent(self) -> float:
        return sum(sample.wall for sample in self.samples)


@dataclass(frozen=True, slots=True)
class Table:
    scenario: Scenario
    pace: Pace
    load: float
    """The machine's, before anything was started: what others did meanwhile is in the numbers too."""
    results: tuple[Result, ...]


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def again(result: Result, repeats: int, budget: float) -> bool:
    """Whether another repetition is due: the first always is, another one only where it fits into the budget."""
    if result.failure or len(result.samples) >= repeats:
        return False
    if not result.samples:
        return True
    return result.spent + max(sample.wall for sample in result.samples) <= budget


def order(programs: Sequence[str], repetition: int) -> tuple[str, ...]:
    """Who goes first: each in turn, forwards and backwards, so that nobody always follows the same one."""
    turned = [*programs[repetition % len(programs) :], *programs[: repetition % len(programs)]] if programs else []
    return tuple(reversed(turned)) if repetition % 2 else tuple(turned)
