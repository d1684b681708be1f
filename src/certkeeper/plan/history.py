"""What happened to certificates, as it is kept for people who look later: `certkeeper history` and pages of status."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from certkeeper.base.events import (
    CertificateIssued,
    CertificatesAdopted,
    CertificatesSeen,
    CertificateStaged,
    DeploymentFailed,
    DeploymentNoted,
    Event,
    LineageFailed,
    OrderOpened,
    VersionActivated,
    count,
)
from certkeeper.base.names import Alias
from certkeeper.base.stapled import CertificateRevoked
from certkeeper.base.times import from_epoch, iso
from certkeeper.base.value import dataclass
from certkeeper.lineage.model import Version
from certkeeper.plan.lastrun import NOT_TRIED


class Kind(StrEnum):
    """What happened, in one word. Words are added, and never change their meaning."""

    ORDERED = "ordered"
    ISSUED = "issued"
    STAGED = "staged"
    ACTIVATED = "activated"
    WENT_BACK = "went-back"
    FAILED = "failed"
    DEPLOYED = "deployed"
    NOT_DEPLOYED = "not-deployed"
    TLSA_PUBLISHED = "tlsa-published"
    TLSA_ROLLED = "tlsa-rolled"
    """What was published for a key that is out of use is gone."""
    TLSA_HELD = "tlsa-held"
    REVOKED = "revoked"
    HELD = "held"
    MENDED = "mended"
    PRUNED = "pruned"
    RETIRED = "retired"


PROBLEMS = frozenset({Kind.FAILED, Kind.NOT_DEPLOYED, Kind.TLSA_HELD, Kind.REVOKED})
"""What a person may have to do something about."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. `certificates` are aliases; `about` is the service or the place of TLSA records, empty
    where it is about the certificate itself. `text` is one line that does not repeat either.
    """

    at: datetime
    kind: Kind
    certificates: tuple[str, ...]
    text: str
    about: str = ""
    hint: str = ""


def happening_of(event: Event, at: datetime) -> Happening | None:
    """What is kept of an event; None of those that are of no use later."""
    match event:
        case OrderOpened():
            return Happening(at, Kind.ORDERED, (event.lineage,), f"order opened for {count(event.names, 'name')}")
        case CertificateIssued():
            return Happening(at, Kind.ISSUED, (event.lineage,), f"valid until {event.not_after}, and live")
        case CertificateStaged():
            text = f"valid until {event.not_after}, staged as version {event.stamp}"
            return Happening(at, Kind.STAGED, (event.lineage,), text)
        case VersionActivated():
            back = event.before is not None and event.stamp < event.before
            place = f", in the place of version {event.before}" if event.before is not None else ""
            text = f"version {event.stamp}, valid until {event.not_after}, is live{place}"
            return Happening(at, Kind.WENT_BACK if back else Kind.ACTIVATED, (event.lineage,), text)
        case CertificateRevoked():
            return Happening(at, Kind.REVOKED, (event.subject,), event.message)
        case _:
            return _of_service(event, at) or _failure(event, at)


def _of_service(event: Event, at: datetime) -> Happening | None:
    match event:
        case CertificatesSeen():
            more = f" and {event.number - len(event.places)} more" if event.number > len(event.places) else ""
            text = f"seen at {', '.join(event.places)}{more}"
            return Happening(at, Kind.DEPLOYED, event.lineages, text, event.target)
        case CertificatesAdopted():
            return Happening(at, Kind.DEPLOYED, event.lineages, "it had it already", event.target)
        case DeploymentNoted() if event.of:
            return Happening(at, Kind.DEPLOYED, event.of, event.message, _service(event.subject))
        case DeploymentFailed() if event.of:
            text, hint = str(event.error), event.error.hint
            return Happening(at, Kind.NOT_DEPLOYED, event.of, text, _service(event.lineage), hint)
    return None


def _failure(event: Event, at: datetime) -> Happening | None:
    if not isinstance(event, LineageFailed) or isinstance(event, DeploymentFailed):
        return None
    if isinstance(event.error, NOT_TRIED):
        return None
    text = str(event.error).removeprefix(f"{event.lineage}: ")
    return Happening(at, Kind.FAILED, (event.lineage,), text, hint=event.error.hint)


def _service(subject: str) -> str:
    return subject.partition(":")[0]


def from_versions(alias: Alias, versions: Iterable[Version], known: Collection[Happening]) -> Iterator[Happening]:
    """What versions on disk tell of times before anything was written down, or of what was lost since: when each one
    was made.
    """
    told = " ".join(item.text for item in known if item.kind in {Kind.ISSUED, Kind.STAGED})
    for version in versions:
        if version.leaf is not None and iso(version.leaf.not_after) not in told:
            text = f"version {version.stamp}, valid until {iso(version.leaf.not_after)}, as its files say"
            yield Happening(from_epoch(version.stamp), Kind.ISSUED, (alias.text,), text)
