"""How far each service is with a certificate, by what the journal says: for people who look, monitoring, and alerts."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from certkeeper.base.value import dataclass
from certkeeper.config.settings import CertSpec, Purpose
from certkeeper.lineage.model import Lineage
from certkeeper.plan.records import Records, Shown


class Progress(StrEnum):
    """What is known of a live certificate in a service."""

    SEEN = "seen"
    UNPROVEN = "unproven"
    """The service was given it, and nobody could look, or not everywhere."""
    OWED = "owed"
    """The next run gives it, or the service takes it when it is started."""
    FAILED = "failed"
    """The service did not take it."""
    UNKNOWN = "unknown"
    """Nothing was given to it yet: the next run looks whether it has it."""


@dataclass(frozen=True, slots=True)
class InService:
    """One certificate in one service. `stamp` is the version that it is about, None where nothing is known.

    `retry_at` is when a failure is tried again; None: by every run. `message` says what is wrong, or why it is not
    proven.
    """

    service: str
    progress: Progress
    stamp: int | None = None
    failures: int = 0
    retry_at: datetime | None = None
    message: str = ""


def in_each_service(spec: CertSpec, lineage: Lineage, records: Records) -> Iterator[InService]:
    """Nobody is given a rehearsal, or what was never issued."""
    if spec.purpose is Purpose.REHEARSE or lineage.leaf is None:
        return
    for name in dict.fromkeys(spec.targets):
        entry = records.deployments.get((name, spec.entry))
        if entry is None:
            yield InService(name, Progress.UNKNOWN)
        elif entry.shown is Shown.OWED and entry.failures:
            yield InService(name, Progress.FAILED, entry.stamp, entry.failures, entry.retry_at, entry.message)
        elif entry.shown is Shown.OWED or entry.stamp != lineage.stamp:
            yield InService(name, Progress.OWED, entry.stamp, message=entry.message)
        else:
            seen = entry.shown is Shown.SEEN
            progress = Progress.SEEN if seen else Progress.UNPROVEN
            yield InService(name, progress, entry.stamp, message=entry.message)
