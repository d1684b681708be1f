"""What is on the page, as plain values: nothing else of what is known gets there."""

from datetime import datetime
from enum import StrEnum

from certkeeper.base.value import dataclass
from certkeeper.plan.state import State


class Mood(StrEnum):
    """How something is. Each has a sign and a colour of its own, and is said in words, too."""

    GOOD = "good"
    WAITS = "waits"
    """It goes on by itself."""
    WRONG = "wrong"
    """A person has to see to it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Given:
    """A certificate in a service."""

    service: str
    mood: Mood
    said: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One of the page. `next` is what happens next and why, `last` what the last run said of it where it failed.

    `staple` is empty where nobody needs a response.
    """

    alias: str
    state: State
    mood: Mood
    names: tuple[str, ...] = ()
    ca: str = ""
    starts: datetime | None = None
    ends: datetime | None = None
    renew_at: datetime | None = None
    next: str = ""
    last: tuple[str, ...] = ()
    staple: str = ""
    staple_mood: Mood = Mood.GOOD
    staple_until: datetime | None = None
    services: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class Owner:
    """A place of TLSA records. `looked` is when somebody looked last."""

    name: str
    mood: Mood
    said: str
    certificates: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    dnssec: str = ""
    looked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A name server of a zone: its serial, or why there is none."""

    name: str
    said: str
    mood: Mood


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is wrong, or good to know."""

    mood: Mood
    severity: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's health at the last look."""

    name: str
    mood: Mood
    said: str
    servers: tuple[Server, ...] = ()
    found: tuple[Found, ...] = ()
    looked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event."""

    at: datetime
    mood: Mood
    subject: str
    what: str
    message: str


@dataclass(frozen=True, slots=True)
class Page:
    """All of it. None of `zones` and `events` means that nobody looked, or that nothing is kept."""

    host: str
    made: datetime
    version: str
    certificates: tuple[Certificate, ...] = ()
    next_due: datetime | None = None
    next_name: str = ""
    found: tuple[Found, ...] = ()
    orphans: tuple[str, ...] = ()
    owners: tuple[Owner, ...] = ()
    zones: tuple[Zone, ...] | None = None
    events: tuple[Happened, ...] | None = None
