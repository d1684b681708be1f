"""Where certificates stand behind owners of TLSA records, as the last run left them: for `status`, and for alerts."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass, replace
from certkeeper.plan.alerts import Kind, Trouble

SUBJECT = "TLSA "
"""What the subjects of alerts about records begin with."""
_CHANGES = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class TlsaStand:
    """One certificate behind one owner. `owner` is empty where none was found, or where nobody could look.

    `state` is a word of the table in docs/dane.md, `sentence` begins with it. `until` is when it changes by time alone.
    `trouble` is what holds it up and does not end by time, with a `hint`; `since` is the run that first ended with it.
    """

    alias: Alias
    owner: str
    state: str
    sentence: str
    until: datetime | None = None
    trouble: str = ""
    hint: str = ""
    since: datetime | None = None

    @property
    def phrase(self) -> str:
        """A word, or two."""
        return f"{self.state}, held" if self.trouble and self.owner else self.state

    @property
    def subject(self) -> str:
        """Whom an alert is about: certificates share owners."""
        return f"{SUBJECT}{self.owner or self.alias}"


@dataclass(frozen=True, slots=True)
class TlsaStands:
    """What the run at that time left; of each certificate the owner comes first where it is furthest behind."""

    at: datetime
    stands: tuple[TlsaStand, ...] = ()

    def of(self, alias: Alias) -> tuple[TlsaStand, ...]:
        return tuple(stand for stand in self.stands if stand.alias == alias)


def after(before: TlsaStands | None, found: Iterable[TlsaStand], now: datetime) -> TlsaStands:
    """What this run leaves. What was in the way of the run before, too, keeps its time."""
    earlier = {_trouble_of(stand): stand.since for stand in (before.stands if before is not None else ())}
    stands = (
        replace(stand, since=earlier.get(_trouble_of(stand)) or now if stand.trouble else None) for stand in found
    )
    return TlsaStands(now, tuple(sorted(stands, key=lambda stand: (stand.alias.text, not stand.trouble))))


def lasting(stands: TlsaStands) -> Iterator[Trouble]:
    """What was in the way of the run before, too, and does not end by itself: somebody has to know, once for each
    owner.
    """
    told = set()
    for stand in stands.stands:
        if stand.since is not None and stand.since < stands.at and stand.subject not in told:
            told.add(stand.subject)
            yield Trouble(stand.subject, stand.trouble, stand.hint, Kind.BLOCKED)


def _trouble_of(stand: TlsaStand) -> tuple[str, str]:
    """How much of it there is may change meanwhile."""
    return stand.subject, _CHANGES.sub("#", stand.trouble)
