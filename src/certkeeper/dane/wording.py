"""One sentence for each owner: where it stands, what it waits for, and until when."""

from datetime import datetime

from certkeeper.base.times import iso
from certkeeper.dane.gate import Stops
from certkeeper.dane.rollover import Decision, Stage, State

_FURTHEST = tuple(State)


def sentence(decision: Decision) -> str:
    """Of several certificates behind a place, the one that is furthest behind counts."""
    if not decision.stages:
        return f"{decision.place.name}: no certificate is behind it"
    stage = min(decision.stages, key=behind)
    name = f"{decision.place.name} ({stage.alias})" if len(decision.stages) > 1 else str(decision.place.name)
    return f"{name}: {standing(decision, stage)}"


def behind(stage: Stage) -> int:
    """What sorts stages: the one that is furthest behind comes first."""
    return _FURTHEST.index(stage.state)


def standing(decision: Decision, stage: Stage) -> str:
    """The same of one certificate, without the place's name."""
    said = str(stage.state)
    if decision.holds and stage.state is not State.OFF:
        hold = decision.holds[0]
        what = "nothing is published" if hold.stops is Stops.CHANGES else "the current key stays"
        return f"{said}, held: {hold.reason}, so {what}; {hold.hint}"
    if stage.state is State.REPLACING and decision.remove:
        return f"{said}, the old record goes with the next run"
    if stage.state in {State.REPLACING, State.LEAVING} and decision.kept:
        return f"{said}, the old record stays: {decision.kept}"
    if stage.staged is not None and not stage.staged.open:
        return f"{said}, a new version waits: {stage.staged.reason}{_until(stage.staged.until)}"
    if stage.state is State.READY:
        return f"{said}, the next certificate gets the next key"
    waits = f", waits for {stage.waits_for}" if stage.waits_for else ", nothing to do"
    return f"{said}{waits}{_until(stage.until)}"


def waiting(stage: Stage) -> str:
    """What keeps a certificate from its next key."""
    return f"waits for {stage.waits_for or 'a next key, and there is none'}{_until(stage.until)}"


def _until(instant: datetime | None) -> str:
    return f", until {iso(instant)}" if instant is not None else ""
