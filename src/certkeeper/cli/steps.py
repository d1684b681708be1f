"""Which step each certificate under way has come to, from what a run tells."""

from collections.abc import Callable

from certkeeper.base.events import (
    CertificateIssued,
    CertificateStaged,
    Event,
    LineageFailed,
    NamesProven,
    Noted,
    OrderOpened,
    VersionActivated,
    ZoneChanged,
    ZoneProven,
    count,
)
from certkeeper.base.traces import (
    CertificateChecked,
    CertificateRequested,
    ChallengesDue,
    ChallengesOver,
    OrderRequested,
)

_PROVEN = "names proven"
_GOING_LIVE = "going live"
_WITHDRAWING = "taking back what was published"
_LAST = frozenset({_GOING_LIVE, _WITHDRAWING})
"""After these a note is the last that is heard of a certificate which is kept as it is."""

_STEPS = {
    "order-requested": "opening an order",
    "order-opened": "order opened",
    "names-proven": _PROVEN,
    "certificate-requested": "waits for issuance",
    "certificate-checked": _GOING_LIVE,
}


class Steps:
    """Certificates under way with their step, in the order in which they began."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._steps: dict[str, tuple[str, float]] = {}
        self._proving: dict[str, tuple[str, ...]] = {}

    def tell(self, event: Event) -> None:
        match event:
            case OrderRequested(lineage) | OrderOpened(lineage) | NamesProven(lineage):
                self._turn(lineage, _STEPS[event.label])
            case CertificateRequested(lineage) | CertificateChecked(lineage):
                self._turn(lineage, _STEPS[event.label])
            case ChallengesDue(lineage, names):
                self._proving[lineage] = names
                self._turn(lineage, f"{count(len(names), 'name')} to prove" if names else "nothing left to prove")
            case ChallengesOver(lineage, proven):
                self._proving.pop(lineage, None)
                self._turn(lineage, _PROVEN if proven else _WITHDRAWING)
            case _:
                self._tell_zone(event)
                self._tell_end(event)

    def _tell_zone(self, event: Event) -> None:
        match event:
            case ZoneChanged(zone) if not event.withdraws:
                self._turn_zone(zone, "waits for DNS")
            case ZoneProven(zone):
                self._turn_zone(zone, "waits for the CA")

    def _tell_end(self, event: Event) -> None:
        match event:
            case CertificateIssued(lineage) | CertificateStaged(lineage) | VersionActivated(lineage):
                self._end(lineage)
            case LineageFailed(lineage):
                self._end(lineage)
            case Noted(subject) if self._steps.get(subject, ("", 0.0))[0] in _LAST:
                self._end(subject)

    def rows(self) -> list[tuple[str, str]]:
        """Each with its step, and since when that lasts if it is worth saying. Safe beside `tell` in another thread."""
        now = self._monotonic()
        return [(lineage, _since(step, now - began)) for lineage, (step, began) in tuple(self._steps.items())]

    def _turn(self, lineage: str, step: str) -> None:
        if self._steps.get(lineage, ("", 0.0))[0] != step:
            self._steps[lineage] = (step, self._monotonic())

    def _turn_zone(self, zone: str, step: str) -> None:
        for lineage, names in self._proving.items():
            if any(name == zone or name.endswith(f".{zone}") for name in names):
                self._turn(lineage, step)

    def _end(self, lineage: str) -> None:
        self._steps.pop(lineage, None)
        self._proving.pop(lineage, None)


def _since(step: str, seconds: float) -> str:
    return f"{step} ({int(seconds)} s)" if seconds >= 2 else step
