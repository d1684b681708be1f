"""May a key or a chain go live? And what keeps it, or a change of records, from being done now?"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from certkeeper.base.times import duration_text
from certkeeper.base.value import dataclass, replace
from certkeeper.dane.age import LIVES, SKEW, TlsaAge
from certkeeper.dane.face import Face
from certkeeper.dane.facts import Clocks, Place, Trust
from certkeeper.dane.tlsa import Tlsa, TlsaType


class Stops(StrEnum):
    """What a hold stops: changes of records and the gate, or the gate alone."""

    CHANGES = "changes"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing goes on, and what to do about it."""

    stops: Stops
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a face may be served. `reason` is empty where it may; `until` is when it may, if only time is missing."""

    reason: str = ""
    until: datetime | None = None

    @property
    def open(self) -> bool:
        return not self.reason


# In a hint, {zone} is the zone of the place.
_UNTRUSTED = {
    Trust.UNSIGNED: Hold(Stops.CHANGES, "the zone is not signed", "sign it: pdnsutil secure-zone {zone}"),
    Trust.NO_DS: Hold(
        Stops.CHANGES, "the parent zone has no DS record", "give the registrar what pdnsutil show-zone {zone} prints"
    ),
    Trust.BOGUS: Hold(Stops.CHANGES, "the zone does not validate", "look at it with: certkeeper dns doctor {zone}"),
    Trust.HIDDEN: Hold(
        Stops.GATE,
        "validating resolvers see no such name",
        "mend the zone's NSEC chain: pdnsutil rectify-zone {zone}",
    ),
    Trust.CACHED: Hold(
        Stops.GATE,
        "resolvers still hold that there was nothing",
        "they forget that by themselves, within the negative TTL of the zone",
    ),
    Trust.UNPROVEN: Hold(
        Stops.GATE, "nobody who validates DNSSEC could be asked", "run a validating resolver on this machine"
    ),
}


def holds(place: Place, age: TlsaAge, clocks: Clocks) -> Iterator[Hold]:
    """All that keeps this place as it is for now."""
    zone = str(place.zone or place.name)
    if (untrusted := _UNTRUSTED.get(place.trust)) is not None:
        yield replace(untrusted, hint=untrusted.hint.format(zone=zone))
    silent = [answer.server for answer in place.answers if answer.records is None]
    if silent:
        yield Hold(
            Stops.GATE, f"{', '.join(silent[:3])} gives no answer", "mend that name server, or take it out of the zone"
        )
    elif not place.answers:
        yield Hold(
            Stops.GATE, "no authoritative name server is known", f"look at it with: certkeeper dns doctor {zone}"
        )
    if frozen := [answer.server for answer in place.answers if answer.frozen]:
        yield Hold(
            Stops.GATE,
            f"{', '.join(frozen[:3])} does not get the zone any more",
            f"see why its transfers fail: certkeeper dns doctor {zone}",
        )
    needed = clocks.latest + timedelta(seconds=LIVES * age.bound) + place.margin
    for answer in place.answers:
        if answer.records and answer.signed_until is not None and answer.signed_until <= needed:
            yield Hold(
                Stops.GATE,
                f"the signature at {answer.server} ends too soon",
                "see whether that server still gets the zone and whether the zone is signed anew",
            )
            break
    if (wrong := clock_hold(clocks)) is not None:
        yield wrong


def clock_hold(clocks: Clocks) -> Hold | None:
    """Clocks that are far apart: which one is right is not known."""
    apart = max((abs(other - clocks.here) for other in clocks.others), default=timedelta())
    if apart <= SKEW:
        return None
    reason = f"this machine's clock and those of the servers that it talks to are {duration_text(apart)} apart"
    return Hold(Stops.GATE, reason, "set the clock: timedatectl")


def changes_nothing(face: Face, live: Face, age: TlsaAge) -> bool:
    """No client that holds any of the records can tell the two apart."""
    return face.key_id == live.key_id and all(
        record in face.matches for record in age.lingering if record in live.matches
    )


def fit(face: Face, live: Face, place: Place, age: TlsaAge, now: datetime) -> Fit:
    """May this face be served in the place of the live one, whatever a cache holds?

    For every combination that a cache may hold or that is wanted, a record that matches the face has to be in every
    set that a cache may hold; or the face matches all that the live one matches, so that nothing changes for anybody.
    """
    until = None
    lingering: dict[TlsaType, list[Tlsa]] = {kind: [] for kind in place.types}
    for record in age.lingering:
        if not record.unusable:
            lingering.setdefault(record.type, []).append(record)
    for kind, records in lingering.items():
        if not face.knows(kind) or _is_safe(kind, face, age, now):
            continue
        matched = [record for record in records if record in live.matches]
        if all(record in face.matches for record in matched) and (matched or face.key_id == live.key_id):
            continue
        ends = [age.standing[item].safe_at for item in face.matches if item.type == kind and item in age.standing]
        if ends:
            until = max(until or min(ends), min(ends))
        elif kind in place.types:
            return Fit(f"its {kind} record is not at every name server yet")
        else:
            return Fit(
                f"caches may hold a {kind} record that it does not match", max(age.lingering[r] for r in records)
            )
    return Fit() if until is None else Fit("caches may hold the set without its record", until)


def _is_safe(kind: TlsaType, face: Face, age: TlsaAge, now: datetime) -> bool:
    for record, stands in age.standing.items():
        if record in face.matches and record.type == kind and now >= stands.safe_at:
            return True
    return False
