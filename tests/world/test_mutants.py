"""Wrong orders of effects, each of which the sweep of kills must catch. A sweep that lets one pass proves nothing."""

from collections.abc import Callable

import pytest

from builders.fakes import Perform
from certkeeper.apply.effects import ActivateVersion, ChangeZone, WriteJournal
from certkeeper.base.wire import Step
from certkeeper.plan.records import ChallengeIntent, HookDebt, OrderIntent
from world.kills import SCENES, Carry, Habit, check


class Late:
    """Carries out what `holds` picks only together with a step that comes after the one that `until` picks."""

    def __init__(self, holds: Callable[[Step], bool], until: Callable[[Step], bool]) -> None:
        self._holds = holds
        self._until = until
        self._held: list[Step] = []
        self._ripe = False

    def __call__(self, step: Step, perform: Perform) -> object:
        if self._ripe:
            for held in self._held:
                perform(held)
            self._held, self._ripe = [], False
        if self._holds(step):
            self._held.append(step)
            return None
        self._ripe = self._until(step)
        return perform(step)


def puts(kind: type) -> Callable[[Step], bool]:
    return lambda step: isinstance(step, WriteJournal) and any(isinstance(entry, kind) for entry in step.put)


def publishes(step: Step) -> bool:
    return isinstance(step, ChangeZone) and any(change.add for change in step.changes.changes)


def journal_after_the_patch() -> Carry:
    return Late(puts(ChallengeIntent), publishes)


def debt_after_the_switch() -> Carry:
    return Late(puts(HookDebt), lambda step: isinstance(step, ActivateVersion))


def order_never_written_down() -> Carry:
    return Late(puts(OrderIntent), lambda _: False)


def dropped_before_the_reply() -> Carry:
    """The records' entries go when the withdrawal is sent, not when it was answered."""
    held: list[Step] = []

    def carry(step: Step, perform: Perform) -> object:
        while held:
            perform(held.pop())
        if isinstance(step, ChangeZone) and not publishes(step):
            gone = tuple(
                ChallengeIntent(step.zone.name, change.owner, rdata)
                for change in step.changes.changes
                for rdata in change.remove
            )
            perform(WriteJournal(drop=gone))
            held.append(step)
            return None
        return perform(step)

    return carry


def never_withdrawn() -> Carry:
    return lambda step, perform: None if isinstance(step, ChangeZone) and not publishes(step) else perform(step)


@pytest.mark.parametrize(
    "habit",
    [
        pytest.param(journal_after_the_patch, marks=pytest.mark.long),
        debt_after_the_switch,
        order_never_written_down,
        dropped_before_the_reply,
        never_withdrawn,
    ],
)
def test_a_wrong_order_of_effects_is_caught(habit: Habit) -> None:
    assert caught(habit)


def caught(habit: Habit) -> bool:
    for scene in SCENES:
        moment = 0
        try:
            while check(scene, moment, 0, habit):
                moment += 1
        except AssertionError:
            return True
    return False
