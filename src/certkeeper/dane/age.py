"""How long records have been where every cache must have met them, and what caches may still hold.

A record counts from the first look at which every authoritative address served it with proof (t_pub). It is safe
after 2 x L and the place's margin, L being the longest time for which a cache may keep a set without it
(RFC 7671 §8.1).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, replace
from certkeeper.dane.facts import MARGIN, Clocks, Place, Trust
from certkeeper.dane.tlsa import Tlsa

SKEW = timedelta(seconds=300)
"""Clocks that are further apart are wrong."""
LIVES = 2
"""How many TTLs a set may live: a cache may have it from another cache (RFC 7671 §8.1)."""
FORGOTTEN = timedelta(days=7)
"""Nobody looked for that long: what happened meanwhile is not known, and waits begin anew."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A record has been everywhere since then; `bound` is L in seconds as it was at that time, `margin` is today's."""

    since: datetime
    bound: int
    margin: timedelta = MARGIN

    @property
    def safe_at(self) -> datetime:
        return self.since + timedelta(seconds=LIVES * self.bound) + self.margin


@dataclass(frozen=True, slots=True)
class TlsaAge:
    """What has to be remembered of a place between runs. It is lost at no other price than waiting anew.

    `at` is the last look. `standing` are the records that were everywhere then. `lingering` says until when caches may
    hold a record that was seen anywhere. `ttls` are the times, in seconds, that caches may go by, with when each was
    last seen: one that was lowered a moment ago counts until it has run out. `ours` are records that we publish or
    published.
    """

    at: datetime
    owners: frozenset[DnsName]
    standing: Mapping[Tlsa, Standing]
    lingering: Mapping[Tlsa, datetime]
    ttls: Mapping[int, datetime]
    ours: frozenset[Tlsa] = frozenset()

    @property
    def bound(self) -> int:
        """L as it is now, in seconds."""
        return max(self.ttls, default=0)

    def safe(self, record: Tlsa, now: datetime) -> bool:
        """Every set that a cache may hold has it."""
        found = self.standing.get(record)
        return found is not None and now >= found.safe_at


def seen_anywhere(place: Place) -> frozenset[Tlsa]:
    """The records that any server serves."""
    return frozenset().union(*(answer.records for answer in place.answers if answer.records is not None))


def seen_by_all(place: Place) -> frozenset[Tlsa] | None:
    """The records that every server serves that answers and still gets the zone; None where there is no such server."""
    heard = [answer.records for answer in place.answers if answer.records is not None and not answer.frozen]
    return frozenset.intersection(*heard) if heard else None


def seen_everywhere(place: Place, now: datetime) -> frozenset[Tlsa]:
    """The records that every server serves with proof; none where one is silent or frozen, or nothing is proven."""
    if place.trust is not Trust.SECURE or not place.answers:
        return frozenset()
    common: frozenset[Tlsa] | None = None
    for answer in place.answers:
        expired = answer.signed_until is not None and answer.signed_until <= now
        if answer.records is None or answer.frozen or expired:
            return frozenset()
        if common is None:
            common = answer.records
        elif common != answer.records:
            common &= answer.records
    return common or frozenset()


def grown(age: TlsaAge | None, place: Place, clocks: Clocks) -> TlsaAge:
    """The age after another look. A record that was not seen everywhere this time begins anew."""
    now, sure, margin = clocks.latest, clocks.earliest, place.margin
    kept = age if age is not None and not restarts(age, place, clocks) else None
    ttls = {ttl: seen for ttl, seen in age.ttls.items() if _lives(seen, ttl, margin) >= sure} if age is not None else {}
    for answer in place.answers:
        if answer.ttl:
            ttls[answer.ttl] = now
    for ttl in place.ttls:
        ttls[ttl] = now
    bound = max(ttls, default=0)
    everywhere, anywhere = seen_everywhere(place, sure), seen_anywhere(place)
    before = kept.standing if kept is not None else {}
    standing = {record: _stands(before.get(record), now, bound, margin) for record in everywhere}
    lingering = {record: until for record, until in age.lingering.items() if until >= sure} if age is not None else {}
    silent = any(answer.records is None or answer.frozen for answer in place.answers)
    until = _lives(now, bound, margin)
    # A server that says nothing, or is behind, may serve others what it served before.
    for record in (*anywhere, *lingering) if silent else anywhere:
        lingering[record] = until
    ours = frozenset(record for record in age.ours if record in lingering) if age is not None else frozenset()
    return TlsaAge(now, place.owners, standing, lingering, ttls, ours)


def restarts(age: TlsaAge, place: Place, clocks: Clocks) -> str:
    """Why nothing that is remembered of waits can be relied on; empty where it can."""
    if age.at > clocks.latest + SKEW:
        return "the clock went back"
    if clocks.earliest - age.at > FORGOTTEN:
        return "nobody looked for days"
    if place.unremembered:
        return (
            "records of our keys are there that what is remembered here does not know: "
            "an older state was restored, or somebody else publishes them"
        )
    return "another owner leads here now" if place.owners - age.owners else ""


def _stands(before: Standing | None, now: datetime, bound: int, margin: timedelta) -> Standing:
    if before is None:
        return Standing(now, bound, margin)
    return before if before.margin == margin else replace(before, margin=margin)


def _lives(seen: datetime, ttl: int, margin: timedelta) -> datetime:
    return seen + timedelta(seconds=LIVES * ttl) + margin
