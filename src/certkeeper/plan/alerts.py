"""Who has to be told of what at the end of a run: of what changed since they were told."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import count
from certkeeper.base.value import dataclass, field
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import Kept, LineagePlan, Postponed

_BEFORE = "the last failure: "
_CHANGES = re.compile(r"\d+")
_SUBJECTS_TOLD = 5
_DROPPED = "name-failed"


class Kind(StrEnum):
    """What is wrong."""

    FAILED = "failed"
    EXPIRING = "expiring"
    """The certificate ends soon, and was not renewed."""
    BLOCKED = "blocked"
    """TLSA records hold a key or a chain back, and that does not end by itself."""
    REVOKED = "revoked"


_LABELS = {
    Kind.EXPIRING: "certificate-expiring",
    Kind.BLOCKED: "rollover-blocked",
    Kind.REVOKED: "certificate-revoked",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What failed, or needs a person. `subject` is the certificate, or `run`."""

    subject: str
    message: str
    hint: str = ""
    kind: Kind = Kind.FAILED
    failure: str = CertkeeperError.label
    """Of what failed: its CertkeeperError.label."""

    @property
    def label(self) -> str:
        """The word of docs/runbook.md for it."""
        return _LABELS.get(self.kind, self.failure)

    @property
    def core(self) -> str:
        """What stays the same while it fails for the same reason: not how often, nor when it is tried again."""
        return _CHANGES.sub("#", self.message.rpartition(_BEFORE)[2])

    @property
    def key(self) -> str:
        """What it is remembered by: a certificate may fail, and end soon, and the one be over before the other."""
        apart = self.kind in {Kind.EXPIRING, Kind.REVOKED}
        return f"{self.subject} ({self.kind.value})" if apart else self.subject


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told of, and when."""

    core: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """What was told one way; `summary` is when the last summary was, or when they were first asked for."""

    told: Mapping[str, Told] = field(default_factory=dict)
    summary: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One message. `troubles` are new, or not what they were; `still` are those that were told before."""

    troubles: tuple[Trouble, ...]
    recovered: tuple[str, ...] = ()
    still: tuple[Trouble, ...] = ()

    @property
    def title(self) -> str:
        """One line."""
        if not self.troubles:
            return f"recovered: {_listed(self.recovered)}"
        return f"{count(len(self.troubles), 'problem')}: {_listed([item.key for item in self.troubles])}"


def troubles_of(
    configuration: Configuration, lineages: Collection[LineagePlan], errors: Mapping[str, Sequence[CertkeeperError]]
) -> Iterator[Trouble]:
    """What failed (`errors`, by subject), what could not be read, and certificates without all of their names."""
    for subject, found in errors.items():
        for error in found:
            if not isinstance(error, Postponed):
                cause = error.cause if isinstance(error, Kept) else error
                yield Trouble(subject, str(cause), error.hint, failure=cause.label)
    for rejected in configuration.rejected:
        yield Trouble(rejected.label, str(rejected.error), rejected.error.hint, failure=rejected.error.label)
    for item in lineages:
        if str(item.alias) not in errors:
            for dropped in item.dropped:
                yield Trouble(
                    str(item.alias), f"the certificate is without {dropped.name}: {dropped.why}", failure=_DROPPED
                )


def alert(
    troubles: Sequence[Trouble], told: Mapping[str, Told], looked_at: Collection[str], now: datetime
) -> tuple[Alert | None, Mapping[str, Told]]:
    """What to send now, None where nothing changed, and what is to be remembered once it was sent.

    `told` is what was told before, by Trouble.key. `looked_at` are the keys that this run would have found wrong: of
    others nothing new is known.
    """
    present = {item.key: Told(item.core, now) for item in reversed(troubles)}
    recovered = tuple(key for key in sorted(told) if key in looked_at and key not in present)
    changed = {key for key, this in present.items() if key not in told or told[key].core != this.core}
    if not changed and not recovered:
        return None, told
    left = {key: item for key, item in told.items() if key not in recovered}
    new = {key: item for key, item in present.items() if key in changed}
    return (
        Alert(
            tuple(item for item in troubles if item.key in changed),
            recovered,
            tuple(item for item in troubles if item.key not in changed),
        ),
        left | new,
    )


def _listed(subjects: Sequence[str]) -> str:
    each = list(dict.fromkeys(subjects))
    return ", ".join(each[:_SUBJECTS_TOLD]) + (
        f" and {len(each) - _SUBJECTS_TOLD} more" if each[_SUBJECTS_TOLD:] else ""
    )
