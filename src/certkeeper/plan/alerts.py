"""Who has to be told of what at the end of a run, and what was told before."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import count
from certkeeper.base.value import dataclass
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import Kept, LineagePlan, Postponed

AGAIN = timedelta(days=1)
"""How long somebody is left alone with what has not changed."""
_BEFORE = "the last failure: "
_CHANGES = re.compile(r"\d+")
_SUBJECTS_TOLD = 5


@dataclass(frozen=True, slots=True)
class Trouble:
    """What failed, or needs a person. `subject` is the certificate, or `run`."""

    subject: str
    message: str
    hint: str = ""

    @property
    def core(self) -> str:
        """What stays the same while it fails for the same reason: not how often, nor when it is tried again."""
        return _CHANGES.sub("#", self.message.rpartition(_BEFORE)[2])


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told of a subject, and when."""

    core: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """One message: what is wrong now, all of it, and what is not wrong any more."""

    troubles: tuple[Trouble, ...]
    recovered: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """One line."""
        if not self.troubles:
            return f"recovered: {_listed(self.recovered)}"
        return f"{count(len(self.troubles), 'problem')}: {_listed([item.subject for item in self.troubles])}"


def troubles_of(
    configuration: Configuration, lineages: Collection[LineagePlan], errors: Mapping[str, Sequence[CertkeeperError]]
) -> Iterator[Trouble]:
    """What failed (`errors`, by subject), what could not be read, and certificates without all of their names."""
    for subject, found in errors.items():
        for error in found:
            if not isinstance(error, Postponed):
                yield Trouble(subject, str(error.cause if isinstance(error, Kept) else error), error.hint)
    for rejected in configuration.rejected:
        yield Trouble(rejected.label, str(rejected.error), rejected.error.hint)
    for item in lineages:
        if str(item.alias) not in errors:
            for dropped in item.dropped:
                yield Trouble(str(item.alias), f"the certificate is without {dropped.name}: {dropped.why}")


def alert(
    troubles: Sequence[Trouble], told: Mapping[str, Told], looked_at: Collection[str], now: datetime
) -> tuple[Alert | None, Mapping[str, Told]]:
    """What to send now, None where nothing is, and what is to be remembered once it was sent.

    `looked_at` are the subjects that this run would have found wrong: of others nothing new is known.
    """
    present = {item.subject: Told(item.core, now) for item in reversed(troubles)}
    recovered = tuple(subject for subject in sorted(told) if subject in looked_at and subject not in present)
    # A clock that was stepped back must not make anybody wait.
    urgent = [
        subject
        for subject, this in present.items()
        if subject not in told
        or told[subject].core != this.core
        or not told[subject].at <= now < told[subject].at + AGAIN
    ]
    if not urgent and not recovered:
        return None, told
    left = {subject: item for subject, item in told.items() if subject not in recovered}
    # Who gets a message is told all of it, so all of it waits a day from now.
    return Alert(tuple(troubles) if urgent else (), recovered), left | (present if urgent else {})


def _listed(subjects: Sequence[str]) -> str:
    each = list(dict.fromkeys(subjects))
    return ", ".join(each[:_SUBJECTS_TOLD]) + (
        f" and {len(each) - _SUBJECTS_TOLD} more" if each[_SUBJECTS_TOLD:] else ""
    )
